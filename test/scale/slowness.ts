/**
 * A fixed piece of work of the kind that an agent does, by which an emulated processor is compared with a real one.
 */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { systemClock } from '../../reconciler/clock-system.ts';

const TIMES = 20_000;

/** Does it twice, and answers how long the second time took, in milliseconds. */
export function work(): number {
  let tookMs = 0;
  for (let time = 0; time < 2; time += 1) {
    const beginMs = systemClock.monotonicMs();
    for (let at = 0; at < TIMES; at += 1) {
      const text = JSON.stringify({ at, loads: readFileSync('/proc/loadavg', 'utf8') });
      createHash('sha256')
        .update(JSON.stringify(JSON.parse(text)))
        .digest('hex');
    }
    tookMs = systemClock.monotonicMs() - beginMs;
  }
  return tookMs;
}
