/**
 * When sysfs gives no answer: what passes by itself, what is an answer, and what is a bug.
 *
 * Nothing destructive may follow from what could not be read, so an error becomes `unreadable`
 * and never "absent"; an error that the system did not give is thrown on.
 */
import { strict as assert } from 'node:assert';
import { errnoName } from '../errno.ts';
import { E, errnoOf, isErrno } from '../errno-numbers.ts';
import type { Observed } from '../host.ts';
import type { Ran } from './writer-pool.ts';

export type Unreadable = Extract<Observed, { kind: 'unreadable' }>;

/** What was read does not fit together: look again. */
export const AGAIN = 'again';
export type Again = typeof AGAIN;

/** What was read is no answer: there is no sysfs, or it did not stand still. */
export class NoAnswer extends Error {
  override readonly name = 'NoAnswer';
}

/** True for the errors that a device gives while it goes away. */
export function isPassing(error: unknown): boolean {
  return isErrno(error, E.NOENT, E.NODEV);
}

/** The answer to an error of the system; an error that is none is a bug, and thrown on. */
export function unreadable(error: unknown): Unreadable {
  const errno = errnoOf(error);
  if (!(error instanceof Error) || (errno === null && !(error instanceof NoAnswer))) throw error;
  return { kind: 'unreadable', errno, message: error.message };
}

/** Why a helper did not read a file; one that is gone was there a moment ago. */
export function notRead(file: string, ran: Exclude<Ran, { kind: 'text' }>): Unreadable | Again {
  const errno = ran.kind === 'errno' ? ran.errno : null;
  if (errno === E.NOENT || errno === E.NODEV) return AGAIN;
  return { kind: 'unreadable', errno, message: `reading ${file}: ${explain(ran)}` };
}

function explain(ran: Exclude<Ran, { kind: 'text' }>): string {
  switch (ran.kind) {
    case 'errno':
      return errnoName(ran.errno);
    case 'stuck':
      return `it has not returned for ${ran.afterMs} ms`;
    case 'ended':
      return ran.message;
    case 'crowded':
      return 'no helper was free to read it';
    default:
      return assert.fail(`a read was answered ${ran.kind}`);
  }
}
