/**
 * Scenarios as vitest sees them: one boot for all of them, and a test for each case by its own name, which ends as soon
 * as the case has ended in the guest.
 */
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { natsServer } from '../../tools/nats-server.ts';
import type { GuestProgram } from './boot-script.ts';
import { bootGuest, codeFolder, DEADLINE_MS, type GuestOptions, type GuestReport } from './guest.ts';
import { atSources } from './guest-code.ts';
import type { Scenario, Verdict } from './scenario.ts';

export type Boot = Omit<GuestOptions, 'programs' | 'work' | 'onLine' | 'shares'> & {
  readonly title: string;
  /** Run one after the other. */
  readonly scenarios: readonly Scenario[];
  /** Lets `startNats` run the newest server inside the guest. */
  readonly natsServer?: boolean;
};

/** For the report to arrive when a machine was ended at its deadline. */
const MARGIN_MS = 15_000;
/** What a boot needs beside its programs. */
const BOOT_MS_MAX = 40_000;
const LOG_LINES_MAX = 40;
const RUNNER = join(import.meta.dirname, 'scenario-runner.ts');

/** Declares the tests of one machine that is booted once or several times, with the same disk and shared folder. */
export function guestSuite(...boots: readonly Boot[]): void {
  let work = '';
  beforeAll(async () => {
    work = await mkdtemp(join(tmpdir(), 'mdevfleet-guest-'));
  });
  afterAll(() => rm(work, { recursive: true, force: true }));
  for (const boot of boots) describe(boot.title, () => bootTests(boot, () => work));
}

function bootTests(boot: Boot, work: () => string): void {
  const verdicts = new Verdicts();
  const timeout = (boot.deadlineMs ?? DEADLINE_MS) + MARGIN_MS;
  let ended: Promise<GuestReport>;

  beforeAll(async () => {
    ended = run(boot, work(), verdicts);
    // A machine that does not come up fails the tests that wait for it, each by its name.
    ended.catch(() => undefined);
  });
  for (const scenario of boot.scenarios) {
    describe(nameOf(scenario), () => {
      test.each(Object.keys(scenario.cases))('%s', { timeout }, async (name) => {
        const failure = await verdicts.of(nameOf(scenario), name);
        if (failure !== null) {
          const stack = await atSources(failure, codeFolder(work()));
          throw failedInGuest(stack, await logTails(work()));
        }
        expect(failure).toBeNull();
      });
    });
  }
  test('the kernel has nothing to complain about, and the machine powers off', { timeout }, async () => {
    const { complaints, ended: how, programs } = await ended;
    expect({ complaints, how }).toEqual({ complaints: [], how: 'powered-off' });
    for (const { name, status, errors } of programs) expect(status, `${name}: ${errors}`).toBe(0);
  });
}

async function run(boot: Boot, work: string, verdicts: Verdicts): Promise<GuestReport> {
  try {
    const nats = boot.natsServer === true ? (await natsServer('newest')).path : undefined;
    const report = await bootGuest({
      ...boot,
      work,
      onLine: (name, line) => verdicts.add(name, line),
      shares: nats === undefined ? [] : [dirname(nats)],
      programs: boot.scenarios.map((scenario) => program(scenario, boot, nats)),
    });
    verdicts.close(described(report));
    return report;
  } catch (error) {
    verdicts.close(String(error));
    throw error;
  }
}

function failedInGuest(stack: string, logs: string): Error {
  const frames = stack.search(/\n {4}at /);
  const message = frames < 0 ? stack : stack.slice(0, frames);
  const error = new Error(`${message}\n${logs}`);
  error.stack = `${error.message}${frames < 0 ? '' : stack.slice(frames)}`;
  return error;
}

/** The ends of the logs that programs of the guest have left in the shared folder, the console's among them. */
async function logTails(work: string): Promise<string> {
  const names = (await readdir(work)).filter((name) => name.endsWith('.log')).sort();
  const tails = names.map(async (name) => {
    const text = await readFile(join(work, name), 'utf8');
    return [`--- ${name}`, ...text.trimEnd().split('\n').slice(-LOG_LINES_MAX)].join('\n');
  });
  return (await Promise.all(tails)).join('\n');
}

function program(scenario: Scenario, boot: Boot, nats: string | undefined): GuestProgram {
  const env = nats === undefined ? {} : { NATS_SERVER: nats };
  const deadlineSeconds = ((boot.deadlineMs ?? DEADLINE_MS) - BOOT_MS_MAX) / 1_000;
  return {
    name: nameOf(scenario),
    argv: ['node', RUNNER, fileURLToPath(scenario.module)],
    env,
    deadlineSeconds,
  };
}

function nameOf({ module }: Scenario): string {
  return basename(fileURLToPath(module), '.scenario.ts');
}

function described({ ended, programs }: GuestReport): string {
  const each = programs.map(({ name, status, errors }) => `${name} ended with status ${status}: ${errors}`);
  return [`No verdict: the machine has ${ended}.`, ...each].join('\n');
}

/** Verdicts by scenario and case, to be waited for before they are there. */
class Verdicts {
  readonly #failures = new Map<string, string | null>();
  readonly #waiting = new Map<string, (failure: string | null) => void>();
  #closed: string | undefined;

  add(scenario: string, line: string): void {
    if (!line.startsWith('{')) return;
    const verdict = JSON.parse(line) as Verdict;
    const key = `${scenario} ${verdict.case}`;
    this.#failures.set(key, verdict.failure);
    this.#waiting.get(key)?.(verdict.failure);
  }

  /** No more will come: whoever still waits is told why. */
  close(why: string): void {
    this.#closed = why;
    for (const tell of this.#waiting.values()) tell(why);
  }

  /** The failure of a case, or null if it passed. */
  of(scenario: string, name: string): Promise<string | null> {
    const key = `${scenario} ${name}`;
    const known = this.#failures.get(key);
    if (known !== undefined) return Promise.resolve(known);
    if (this.#closed !== undefined) return Promise.resolve(this.#closed);
    return new Promise((resolve) => this.#waiting.set(key, resolve));
  }
}
