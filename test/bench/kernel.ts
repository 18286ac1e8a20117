/**
 * Devices on one parent of a real kernel, under emulation: the agent against a loop that makes the same reads and
 * writes by the same helpers, and beside a bare loop, part by part. `node test/bench/kernel.ts 1000 1` does it with as
 * many devices, in one round.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { bootGuest } from '../kernel/guest.ts';
import type { Phase, Round } from './kernel-guest.ts';
import { judge, type Line, printTable, sample } from './measure.ts';

const PROGRAM = join(import.meta.dirname, 'kernel-guest.ts');
const DEVICES = 200;
const ROUNDS = 3;
const GUEST_SECONDS_MAX = 900;

/** True if the agent keeps its bounds. */
export async function benchKernel(devices = DEVICES, times = ROUNDS): Promise<boolean> {
  const rounds = await runInGuest(devices, times);
  const kept = (['create', 'remove'] as const).map((what) => show(what, devices, rounds));
  printTable(`looking once at ${devices} devices`, [
    line('bare loop of reads', rounds, ({ survey }) => survey.bareMs),
    line('agent', rounds, ({ survey }) => survey.agentMs),
  ]);
  return kept.every(Boolean);
}

function show(what: 'create' | 'remove', devices: number, rounds: readonly Round[]): boolean {
  const of = (title: string, ms: (phase: Phase) => number) => line(title, rounds, (one) => ms(one[what]));
  const same = of('the same reads and writes by the same helpers', (one) => one.sameMs);
  const bare = of('bare loop of writes', (one) => one.bareMs);
  const agent = of('agent: journal, registry and all', (one) => one.agentMs);
  const times = agent.sample.median / same.sample.median;
  const looks = sample(rounds.map((one) => one[what].observations / devices)).median;
  printTable(
    `${what} ${devices} devices on one parent of a real kernel, ${looks.toFixed(1)} observations each`,
    [
      bare,
      same,
      of('  of which reads', (one) => one.readMs),
      of('  of which writes', (one) => one.writeMs),
      { ...agent, ratio: { of: 'the same reads and writes', times } },
      {
        ...agent,
        what: 'agent, once more',
        ratio: { of: 'bare loop', times: agent.sample.median / bare.sample.median },
      },
    ],
  );
  return judge({ name: `${what}: agent against the same reads and writes`, times, atMost: 2 });
}

function line(what: string, rounds: readonly Round[], of: (round: Round) => number): Line {
  return { what, unit: 'ms', sample: sample(rounds.map(of)) };
}

async function runInGuest(devices: number, times: number): Promise<readonly Round[]> {
  const work = mkdtempSync(join(tmpdir(), 'mdevfleet-bench-'));
  const argv = ['node', PROGRAM, String(devices), String(times)] as const;
  const { programs, console: text } = await bootGuest({
    work,
    deadlineMs: (GUEST_SECONDS_MAX + 60) * 1_000,
    programs: [{ name: 'bench', argv, deadlineSeconds: GUEST_SECONDS_MAX }],
  });
  rmSync(work, { recursive: true });
  const [bench] = programs;
  const rounds = (bench?.output ?? [])
    .filter((one) => one.startsWith('{'))
    .map((one) => JSON.parse(one) as Round);
  if (rounds.length < times) throw new Error(`the guest measured nothing: ${bench?.errors ?? ''}\n${text}`);
  return rounds;
}

if (import.meta.main) {
  const [devices, times] = process.argv.slice(2).map(Number);
  process.exitCode = (await benchKernel(devices, times)) ? 0 : 1;
}
