/**
 * A process that hears uevents until the first is told, has nothing else to do, and leaves without a word.
 */
import { Uevents } from '../../../reconciler/sysfs/uevents.ts';
import { ManualClock } from '../../manual-clock.ts';

const { promise, resolve } = Promise.withResolvers<void>();
const tick = setInterval(() => undefined, 1_000);
new Uevents({
  clock: new ManualClock(),
  program: process.argv[2] ?? '',
  proc: '/proc',
  listener: () => resolve(),
  onListening: () => undefined,
  warn: () => undefined,
});
await promise;
clearInterval(tick);
