/**
 * 200 devices on a real kernel, under emulation: the agent against a loop that makes the same reads and writes by the
 * same helpers, and beside a bare loop, part by part.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { bootGuest } from '../kernel/guest.ts';
import { DEVICES, ROUNDS, type Round } from './kernel-guest.ts';
import { judge, type Line, printTable, sample } from './measure.ts';

const PROGRAM = join(import.meta.dirname, 'kernel-guest.ts');

export async function benchKernel(): Promise<boolean> {
  const rounds = await runInGuest();
  const line = (what: string, of: (round: Round) => number): Line => ({
    what,
    unit: 'ms',
    sample: sample(rounds.map(of)),
  });
  const same = line('the same reads and writes by the same helpers', (one) => one.sameMs);
  const bare = line('bare loop of writes', (one) => one.bareMs);
  const agent = line('agent: journal, registry and all', (one) => one.agentMs);
  const times = agent.sample.median / same.sample.median;
  const looks = sample(rounds.map((one) => one.observations / DEVICES)).median;
  printTable(`${DEVICES} devices on one parent of a real kernel, ${looks.toFixed(1)} observations each`, [
    bare,
    same,
    line('  of which reads', (one) => one.readMs),
    line('  of which writes', (one) => one.writeMs),
    { ...agent, ratio: { of: 'the same reads and writes', times } },
    {
      ...agent,
      what: 'agent, once more',
      ratio: { of: 'bare loop', times: agent.sample.median / bare.sample.median },
    },
  ]);
  return judge({ name: 'agent against the same reads and writes', times, atMost: 2 });
}

async function runInGuest(): Promise<readonly Round[]> {
  const work = mkdtempSync(join(tmpdir(), 'mdevfleet-bench-'));
  const { programs, console: text } = await bootGuest({
    work,
    programs: [{ name: 'bench', argv: ['node', PROGRAM] }],
  });
  rmSync(work, { recursive: true });
  const [bench] = programs;
  const rounds = (bench?.output ?? [])
    .filter((one) => one.startsWith('{'))
    .map((one) => JSON.parse(one) as Round);
  if (rounds.length < ROUNDS) throw new Error(`the guest measured nothing: ${bench?.errors ?? ''}\n${text}`);
  return rounds;
}
