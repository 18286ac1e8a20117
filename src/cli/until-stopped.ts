/**
 * For verbs that go on until they are told to stop, by SIGINT or SIGTERM; a second signal ends the process at once.
 */
import { once } from 'node:events';
import { sleep } from '../../reconciler/clock.ts';
import { systemClock } from '../../reconciler/clock-system.ts';
import type { Follower } from '../past/source.ts';

/** Between two looks for what is new. */
const FOLLOW_MS = 500;

export type UntilStopped = Follower & { readonly isStopped: boolean };

/** Looks again and again until the process is told to stop. */
export function untilStopped(): UntilStopped {
  let isStopped = false;
  const stopped = Promise.race([once(process, 'SIGINT'), once(process, 'SIGTERM')]).then(() => {
    isStopped = true;
    return false;
  });
  return {
    get isStopped() {
      return isStopped;
    },
    again: () => Promise.race([stopped, sleep(systemClock, FOLLOW_MS).then(() => true)]),
  };
}
