/**
 * Who publishes: every event of this program gets an id that sorts by time, a time, and a source.
 */
import { hostname, userInfo } from 'node:os';

import type { EventMeta } from '../../events/declaration.ts';
import { TEXT_CHARS_MAX } from '../../events/declaration.ts';
import type { Clock } from '../../reconciler/clock.ts';
import { Failure } from '../exit.ts';
import { newId } from '../ids.ts';

/** A source is part of a message's header. */
const SOURCE = /^[!-~]+$/;

/** Makes the identity of each event. `source` is as given with --source; throws a Failure if it cannot be one. */
export function createAuthor(clock: Clock, source: unknown): () => EventMeta {
  const name = typeof source === 'string' ? source : defaultSource();
  if (name.length > TEXT_CHARS_MAX || !SOURCE.test(name)) {
    throw new Failure(`reading the settings: --source: not the name of a source: ${name}`, {
      outcome: 'usage',
      wayOut: `give at most ${TEXT_CHARS_MAX} printable ASCII characters without blanks`,
    });
  }
  return () => ({ id: newId(), source: name, time: clock.wall() });
}

function defaultSource(): string {
  return `mdevfleet/${encodeURIComponent(userName())}@${encodeURIComponent(hostname())}`;
}

/** In a container the user's id may have no name. */
function userName(): string {
  try {
    return userInfo().username;
  } catch {
    return String(process.getuid?.() ?? 'unknown');
  }
}
