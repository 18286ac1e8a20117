/**
 * Where the demo plays: a folder, simulated kernels and agents on it, and commands.
 */
import { appendFileSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import type { HostId, Uuid } from '../../events/names.ts';
import { actOnSimulatedKernel } from '../../reconciler/simulated/host-sim-client.ts';
import type { Act, ActResult } from '../../reconciler/simulated/host-sim-protocol.ts';
import type { KernelConfigInput } from '../../reconciler/simulated/kernel-sim-config.ts';
import type { SimDevice } from '../../reconciler/simulated/kernel-sim-inventory.ts';
import { Output } from '../cli/output.ts';
import type { Verb } from '../cli/verb.ts';
import { type Flags, readSettings } from '../config.ts';
import { Failure } from '../exit.ts';
import { Processes, type Running } from './processes.ts';
import type { Screen } from './screen.ts';
import { Watch } from './watch.ts';

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/** What a verb printed. */
type Said = { readonly stdout: string; readonly stderr: string };

/** The line of an agent's log that says how a pass ended; the others do not matter here. */
const passEnded = z.object({
  msg: z.literal('pass ended'),
  uuid: z.string(),
  steps: z.number(),
  end: z.object({ kind: z.string(), why: z.string().nullable().default(null) }),
});

export class Stage {
  readonly dir: string;
  readonly screen: Screen;
  readonly watch: Watch;
  readonly kernels = new Map<HostId, Running>();
  readonly agents = new Map<HostId, Running>();
  readonly #processes = new Processes();
  readonly #interrupt = (signal: NodeJS.Signals): void => {
    const wayOut = 'run it again; it begins anew';
    this.watch.fail(new Failure(`the demo was stopped by ${signal}`, { outcome: 'incomplete', wayOut }));
  };

  private constructor(dir: string, screen: Screen, watch: Watch) {
    this.dir = dir;
    this.screen = screen;
    this.watch = watch;
    for (const signal of SIGNALS) process.on(signal, this.#interrupt);
  }

  /** Sets up in an empty folder. */
  static async open(dir: string, screen: Screen): Promise<Stage> {
    for (const folder of ['kernels', 'logs']) mkdirSync(join(dir, folder));
    return new Stage(dir, screen, await Watch.open(dir));
  }

  /** Ends every process and lets go of the fleet; what is in the folder stays. */
  async close(): Promise<void> {
    this.watch.fail(new Error('the demo is over'));
    await this.#processes.close();
    await this.watch.close();
    for (const signal of SIGNALS) process.off(signal, this.#interrupt);
  }

  /** Starts a simulated kernel; resolves when it answers. It goes on until the stage is closed. */
  async startKernel(host: HostId, machine: KernelConfigInput): Promise<void> {
    const file = join(this.dir, 'kernels', `${host}.json`);
    writeFileSync(file, `${JSON.stringify(machine, null, 2)}\n`);
    let answers = false;
    const args = ['kernel', '--socket', this.#socket(host), '--file', file];
    const running = this.#start(`kernel-${host}`, args, () => {
      answers = true;
      this.watch.look();
    });
    this.kernels.set(host, running);
    await this.watch.until(`the kernel of ${host} to answer`, () => answers || undefined);
  }

  /** Starts an agent; resolves when it speaks for its host. */
  async startAgent(host: HostId): Promise<void> {
    const since = this.watch.facts.length;
    const args = ['agent', '--host', host, '--data', this.dir, `--simulate=${this.#socket(host)}`];
    const debug = ['--log-level', 'debug'];
    this.agents.set(
      host,
      this.#start(`agent-${host}`, [...args, ...debug], (line) => this.#heard(host, line)),
    );
    await this.watch.untilFact(host, 'incarnated', { since });
  }

  /** Ends the agent of the host with the signal; resolves when it is gone. */
  async endAgent(host: HostId, signal: NodeJS.Signals): Promise<void> {
    await this.agents.get(host)?.end(signal);
  }

  /** Does something to the simulated machine, as its operator would. */
  act(host: HostId, act: Act): Promise<ActResult> {
    return actOnSimulatedKernel(this.#socket(host), act);
  }

  /** The devices that the host's kernel has. */
  async devices(host: HostId): Promise<readonly SimDevice[]> {
    const answer = await this.act(host, { do: 'list' });
    if (answer.kind !== 'listing') throw new Error(`the kernel of ${host} gave no list: ${answer.kind}`);
    return answer.listing.devices;
  }

  async hasDevice(host: HostId, uuid: Uuid): Promise<boolean> {
    return (await this.devices(host)).some((one) => one.uuid === uuid);
  }

  /** Runs a verb as the command line does, on the folder and without the settings of the environment. */
  async run(verb: Verb, flags: Flags, ...args: readonly string[]): Promise<Said> {
    const stdout: string[] = [];
    const stderr: string[] = [];
    const out = new Output({ write: (text) => stdout.push(text) }, { write: (text) => stderr.push(text) });
    const settings = readSettings({ ...flags, data: this.dir }, {});
    await verb({ settings, args, flags, out });
    return { stdout: stdout.join(''), stderr: stderr.join('') };
  }

  /** Starts a process that may end only when it is told to; what it says is kept in a log. */
  #start(name: string, args: readonly string[], onLine: (line: string) => void): Running {
    const log = join(this.dir, 'logs', `${name}.log`);
    let last = '';
    const running = this.#processes.start(args, (line) => {
      last = isContinued(line) ? `${last} ${line.trim()}` : line;
      appendFileSync(log, `${line}\n`);
      onLine(line);
    });
    void running.ended.then((how) => {
      if (running.stopped) return;
      const message = `the process ${name} ended by itself, ${how}: ${last}`;
      this.watch.fail(new Failure(message, { outcome: 'unexpected', wayOut: `see ${log}` }));
    });
    return running;
  }

  #heard(host: HostId, line: string): void {
    const parsed = passEnded.safeParse(fromJson(line));
    if (!parsed.success) return;
    const { uuid, end, steps } = parsed.data;
    this.watch.heard({ host, uuid, end: end.kind, why: end.why, steps });
  }

  #socket(host: HostId): string {
    return join(this.dir, 'kernels', `${host}.sock`);
  }
}

/** The further lines of what went wrong are indented. */
function isContinued(line: string): boolean {
  return line.startsWith('  ');
}

/** A process that ends in trouble says why in plain text. */
function fromJson(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}
