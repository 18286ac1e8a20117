/**
 * The composition root: from what an agent is told to its parts, with real ports.
 *
 * The order is what keeps a host safe: the lock before the journal, the journal before the
 * kernel is touched, the fleet last, since an agent works without it.
 */

import { mkdirSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import type { Machine } from '../../events/fact.ts';
import { messageOf } from '../../events/message-of.ts';
import { decodeRecord } from '../../events/record.ts';
import manifest from '../../package.json' with { type: 'json' };
import { createCallouts } from '../../reconciler/callouts/callouts.ts';
import { scriptsIn } from '../../reconciler/callouts/scripts.ts';
import { systemClock, systemRandom } from '../../reconciler/clock-system.ts';
import type { Hooks } from '../../reconciler/hooks.ts';
import type { Host } from '../../reconciler/host.ts';
import { createSimulatedHost } from '../../reconciler/simulated/host-sim.ts';
import { connectSimulatedHost } from '../../reconciler/simulated/host-sim-client.ts';
import { SimulatedKernel } from '../../reconciler/simulated/kernel-sim.ts';
import { kernelConfig } from '../../reconciler/simulated/kernel-sim-config.ts';
import { createSysfsHost } from '../../reconciler/sysfs/host-sysfs.ts';
import type { Warn } from '../../reconciler/sysfs/uevents.ts';
import type { Signer } from '../../store/journal/checkpoint.ts';
import type { Journal } from '../../store/journal/journal.ts';
import { openJournal } from '../../store/journal/journal-lmdb.ts';
import { lockJournal } from '../../store/journal/lock.ts';
import { openSigningKey, signingKeyFile } from '../../store/journal/signing-key.ts';
import { type AgentConfig, journalFolder } from '../config.ts';
import { Failure } from '../exit.ts';
import { newId } from '../ids.ts';
import { agentLimits } from '../limits.ts';
import type { Logger } from '../logger.ts';
import { assertSysfsWritable, readBoot, readKernel, readMachine } from '../machine.ts';
import { SIMULATED_IDENTITY, SIMULATED_MACHINE } from '../simulated.ts';
import type { AgentOptions, AgentPorts } from './agent.ts';
import { type FleetPorts, openFleetPorts } from './fleet-ports.ts';

/** All that an agent is made of: `new Agent(ports, options)`. */
export type Parts = {
  readonly ports: AgentPorts;
  readonly options: AgentOptions;
  readonly fleet: FleetPorts;
  /** Lets go of everything; the agent must have stopped. */
  close(): Promise<void>;
};

type Kernel = { readonly host: Host; readonly boot: string; readonly release: string };

/** What has been opened so far, to be closed in the opposite order. */
type Opened = (() => Promise<void> | void)[];

/** Opens the parts of an agent. Throws JournalRefused, a Failure, or what opening the fleet throws; nothing stays open then. */
export async function openParts(config: AgentConfig, log: Logger): Promise<Parts> {
  const opened: Opened = [];
  const close = async (): Promise<void> => {
    for (const end of opened.splice(0).reverse()) await end();
  };
  try {
    return { ...(await open(config, log, opened)), close };
  } catch (error) {
    await close();
    throw error;
  }
}

async function open(config: AgentConfig, log: Logger, opened: Opened): Promise<Omit<Parts, 'close'>> {
  const dir = journalFolder(config.data, config.host);
  const machine = config.kernel.kind === 'simulated' ? SIMULATED_IDENTITY : readMachine();
  const lock = lockJournal(dir, { pid: process.pid, host: hostname(), since: systemClock.wall() });
  opened.push(() => lock.release());
  const kernel = await openKernel(config, dir, log);
  opened.push(() => kernel.host.close());
  const hooks = await openHooks(config, log);
  const journal = await openHostJournal(config, dir, machine, kernel.boot);
  opened.push(() => journal.close());
  const fleet = await openFleetPorts(config.fleet, `mdevfleet agent ${config.host}`);
  opened.push(() => fleet.close());
  const { streams, registry } = fleet;
  const { host } = kernel;
  return {
    ports: {
      ...{ journal, streams, registry, host, log },
      ...{ clock: systemClock, random: systemRandom, ...signerIn(dir, log), ...hooks },
    },
    options: {
      prefix: config.fleet.prefix,
      software: software(),
      kernel: kernel.release,
      labels: config.labels,
      bootIsNew: lastBoot(journal) !== kernel.boot,
      limits: agentLimits(config.limits, config.fleet.kind),
    },
    fleet,
  };
}

/** A host without a key that can be used looks after its devices all the same. */
function signerIn(dir: string, log: Logger): { readonly signer?: Signer } {
  try {
    return { signer: openSigningKey(dir) };
  } catch (error) {
    log.warn({ err: error, key: signingKeyFile(dir) }, 'no checkpoints are signed');
    return {};
  }
}

/** A folder that cannot be used is told at the start, and not only when a device waits for that. */
async function openHooks(
  { hooks: dir, limits }: AgentConfig,
  log: Logger,
): Promise<{ readonly hooks?: Hooks }> {
  if (dir === null) return {};
  try {
    const scripts = await scriptsIn(dir);
    log.info({ dir, scripts: scripts.length }, 'callout scripts are asked');
  } catch (cause) {
    const reason = messageOf(cause);
    const wayOut = 'give --hooks a folder that only root can write, with scripts that only root can write';
    throw new Failure(`opening the callout scripts in ${dir}: ${reason}`, { outcome: 'host', wayOut, cause });
  }
  const warn: Warn = (fields, message) => log.warn(fields, message);
  return { hooks: createCallouts({ dir, timeoutMs: limits.hookDeadlineMs, clock: systemClock, warn }) };
}

function software(): string {
  return `${manifest.name} ${manifest.version}`;
}

function openHostJournal(
  { host }: AgentConfig,
  dir: string,
  machine: Machine,
  boot: string,
): Promise<Journal> {
  const stamp = () => ({ time: systemClock.wall(), boot });
  return openJournal({ dir, host, machine, software: software(), stamp, create: newId() });
}

/** The boot in which the journal was last written. */
function lastBoot(journal: Journal): string | undefined {
  const [last] = journal.read(journal.tail().seq - 1, 1);
  return last && decodeRecord(last.bytes).envelope.boot;
}

async function openKernel(config: AgentConfig, dir: string, log: Logger): Promise<Kernel> {
  const address = config.kernel;
  const { writeDeadlineMs } = config.limits;
  if (address.kind === 'sysfs') return openSysfs(address.root, dir, writeDeadlineMs, log);
  if (address.socket !== null) {
    const host = await connectSimulatedHost({ socket: address.socket });
    return { host, boot: host.bootId, release: 'simulated' };
  }
  const kernel = new SimulatedKernel({
    config: kernelConfig.parse(SIMULATED_MACHINE),
    clock: systemClock,
    random: systemRandom,
  });
  const host = createSimulatedHost({ kernel, clock: systemClock, writeDeadlineMs });
  return { host, boot: kernel.bootId, release: 'simulated' };
}

function openSysfs(root: string, dir: string, writeDeadlineMs: number, log: Logger): Kernel {
  assertSysfsWritable(root);
  const marksDir = join(dir, 'writers');
  mkdirSync(marksDir, { recursive: true });
  const warn: Warn = (fields, message) => log.warn(fields, message);
  const host = createSysfsHost({ clock: systemClock, marksDir, root, warn, limits: { writeDeadlineMs } });
  return { host, boot: readBoot(), release: readKernel() };
}
