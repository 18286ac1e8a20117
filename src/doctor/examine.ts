/**
 * Makes the checks, all at once, each by itself: one that throws or does not end is a finding, and stops no other.
 */
import { messageOf } from '../../events/message-of.ts';
import type { Clock } from '../../reconciler/clock.ts';
import { type Finding, type Found, warning } from './finding.ts';

/** One thing that is looked at. It changes nothing. */
export type Check = {
  readonly name: string;
  look(): Promise<readonly Found[]>;
};

/** The findings, in the order of the checks; each has so long. */
export async function examine(
  checks: readonly Check[],
  clock: Clock,
  checkMsMax: number,
): Promise<readonly Finding[]> {
  const all = await Promise.all(checks.map((check) => bounded(check, clock, checkMsMax)));
  return all.flat();
}

async function bounded({ name, look }: Check, clock: Clock, msMax: number): Promise<readonly Finding[]> {
  const { promise: late, resolve } = Promise.withResolvers<readonly Found[]>();
  const cancel = clock.after(msMax, () => resolve([unended(msMax)]));
  const looked = Promise.resolve().then(look).catch(failed);
  const found = await Promise.race([looked, late]);
  cancel();
  return found.map((one) => ({ check: name, ...one }));
}

function unended(msMax: number): Found {
  return warning(
    `this check did not end within ${msMax} ms`,
    'what it asked does not answer: a file system, a program or a driver hangs',
    "see what hangs: `ps -eo pid,stat,wchan:32,args | awk '$2 ~ /^D/'`, and the kernel's log",
  );
}

function failed(error: unknown): readonly Found[] {
  return [
    warning(
      `this check failed: ${messageOf(error)}`,
      'nothing is known about it',
      'run it again as root; if it stays, report it',
    ),
  ];
}
