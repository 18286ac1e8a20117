/**
 * Runs a verb as an operator does, and tells when the first of it was to be seen, when it was over, and its memory.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { systemClock } from '../../reconciler/clock-system.ts';
import { MAIN } from '../src/cli/run.ts';

const PEAK = join(import.meta.dirname, 'peak.ts');

export type Measured = {
  readonly status: number | null;
  /** Until the first output; of a verb that has none, until its end. */
  readonly firstMs: number;
  readonly wholeMs: number;
  readonly peakMiB: number;
  readonly lines: number;
};

/** Runs `mdevfleet ...args`. With `lines` it is told to stop once it has printed so many. */
export async function measured(
  folder: string,
  args: readonly string[],
  { lines: enough = Number.POSITIVE_INFINITY } = {},
): Promise<Measured> {
  const peak = join(folder, 'peak');
  const env = { ...process.env, PEAK_FILE: peak };
  const beginMs = systemClock.monotonicMs();
  const child = spawn(process.execPath, ['--import', PEAK, MAIN, ...args], {
    env,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let [firstMs, lines] = [0, 0];
  child.stdout.on('data', (data: Buffer) => {
    if (lines === 0) firstMs = systemClock.monotonicMs() - beginMs;
    for (let at = data.indexOf(10); at !== -1; at = data.indexOf(10, at + 1)) lines += 1;
    if (lines >= enough) child.kill('SIGTERM');
  });
  const [status] = (await once(child, 'close')) as [number | null];
  const wholeMs = systemClock.monotonicMs() - beginMs;
  const peakMiB = Number(await readFile(peak, 'utf8')) / 1024;
  return { status, firstMs: firstMs || wholeMs, wholeMs, peakMiB, lines };
}
