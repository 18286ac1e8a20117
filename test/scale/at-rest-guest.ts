/**
 * Runs inside a guest, `node at-rest-guest.ts DEVICES SECONDS`: an agent with as many devices on a real kernel, connected
 * to a server, and nothing happens to it. It prints one line of JSON: what the agent and its helpers took meanwhile.
 */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { sleep } from '../../reconciler/clock.ts';
import { systemClock } from '../../reconciler/clock-system.ts';
import { uuidOf } from '../bench/names.ts';
import { GuestAgent, GuestFleet } from '../kernel/agents.ts';
import { calls, P0, setCapacity } from '../kernel/mdev.ts';
import { work } from './slowness.ts';

const HOST = 'at-rest';
const DATA = '/guest/disk/data';
const POLL_MS = 2_000;
/** What /proc counts processor time in. */
const TICKS_PER_S = 100;

export type AtRest = {
  /** Processor time of the agent and its helpers, in seconds of an emulated processor. */
  readonly cpuS: number;
  readonly processes: number;
  readonly residentMiB: number;
  /** Without what a file or another process shares with it. */
  readonly ownMiB: number;
  /** Handed to the disk. */
  readonly writtenBytes: number;
  /** Asked to be read and written, also of sysfs and sockets. */
  readonly callBytes: number;
  /** How long the fixed piece of work takes here, in milliseconds. */
  readonly workMs: number;
};

type Usage = Omit<AtRest, 'workMs'>;

const [devices = 0, seconds = 0] = process.argv.slice(2).map(Number);
setCapacity(P0, devices);
const fleet = await GuestFleet.start();
const agent = new GuestAgent(HOST, DATA, fleet.server.url, 'info');
for (let at = 0; at < devices; at += 1) {
  await fleet.present(uuidOf(at), { host: HOST, parent: P0, type: 'mdevfleet-a' });
}
while ((await fleet.rows(HOST)).filter(({ state }) => state === 'ready').length < devices) {
  await sleep(systemClock, POLL_MS);
}
await sleep(systemClock, POLL_MS);
const [made, before] = [calls(P0), used(agent.pid)];
await sleep(systemClock, seconds * 1_000);
const after = used(agent.pid);
assert.deepEqual(calls(P0), made, 'nothing was made or removed meanwhile');
const result: AtRest = {
  ...after,
  cpuS: after.cpuS - before.cpuS,
  writtenBytes: after.writtenBytes - before.writtenBytes,
  callBytes: after.callBytes - before.callBytes,
  workMs: work(),
};
console.log(JSON.stringify(result));
assert.equal(await agent.stop(), 0);
await fleet.stop();

/** Of a process and all that it has started and not lost. */
function used(root: number): Usage {
  const all = [root, ...descendants(root)].map(usedBy);
  const sum = (of: (one: Usage) => number): number => all.reduce((total, one) => total + of(one), 0);
  return {
    cpuS: sum((one) => one.cpuS),
    processes: all.length,
    residentMiB: sum((one) => one.residentMiB),
    ownMiB: sum((one) => one.ownMiB),
    writtenBytes: sum((one) => one.writtenBytes),
    callBytes: sum((one) => one.callBytes),
  };
}

function descendants(pid: number): readonly number[] {
  const children = readdirSync(`/proc/${pid}/task`).flatMap((task) =>
    readFileSync(`/proc/${pid}/task/${task}/children`, 'utf8').split(' ').filter(Boolean).map(Number),
  );
  return children.flatMap((child) => [child, ...descendants(child)]);
}

function usedBy(pid: number): Usage {
  const file = (name: string): string => readFileSync(`/proc/${pid}/${name}`, 'utf8');
  const number = (text: string, name: string): number =>
    Number(new RegExp(`^${name}:\\s+(\\d+)`, 'm').exec(text)?.[1]);
  // The name of the program, in brackets, may have blanks; these are utime, stime, cutime and cstime (proc(5)).
  const ticks = file('stat').split(') ')[1]?.split(' ').slice(11, 15).map(Number) ?? [];
  const [memory, io] = [file('smaps_rollup'), file('io')];
  return {
    cpuS: ticks.reduce((sum, one) => sum + one, 0) / TICKS_PER_S,
    processes: 1,
    residentMiB: number(memory, 'Rss') / 1_024,
    ownMiB: (number(memory, 'Private_Clean') + number(memory, 'Private_Dirty')) / 1_024,
    writtenBytes: number(io, 'write_bytes'),
    callBytes: number(io, 'rchar') + number(io, 'wchar'),
  };
}
