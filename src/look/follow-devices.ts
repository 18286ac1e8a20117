/**
 * Follows the devices of a fleet: as they are, some hosts at a time, and then what changes, until nobody wants to know.
 *
 * Both streams are read on from where they ended before the first device was listed, so that nothing falls between.
 * A server that is away is waited for.
 */

import {
  type Message,
  StreamForbidden,
  StreamMissing,
  type Streams,
  StreamUnavailable,
} from '../../events/stream.ts';
import { messagesOf } from '../../events/stream-messages.ts';
import { subjectFilter } from '../../events/subject.ts';
import { compare } from '../compare.ts';
import { standIn } from '../fleet.ts';
import type { Follower } from '../past/source.ts';
import type { Only } from './devices.ts';
import { notForgotten } from './forgotten.ts';
import { type HostPart, hostParts } from './host-parts.ts';
import { reportIn } from './reports.ts';
import { type Change, Watching } from './watching.ts';

type Where = { readonly streams: Streams; readonly prefix: string };

export type FollowOptions = Follower & {
  /** Nobody wants to know any more. */
  isStopped(): boolean;
  /** The server is away; it is asked again when it is time to look again. */
  onAway(error: StreamUnavailable): void;
};

/** `isListed`: how a device is, and not what has changed. */
export type Followed = { readonly isListed: boolean; readonly changes: readonly Change[] };

/** Throws StreamUnavailable while devices are listed, and later StreamMissing or StreamForbidden. */
export async function* followDevices(
  where: Where,
  only: Only,
  options: FollowOptions,
): AsyncGenerator<Followed> {
  const { streams, prefix } = where;
  const watching = new Watching(only);
  const isThere = await notForgotten(streams.command, prefix);
  const after = {
    observed: (await streams.observed.info()).lastSequence,
    desired: (await streams.desired.info()).lastSequence,
  };
  for await (const part of hostParts(where, only.host)) {
    if (options.isStopped()) return;
    yield { isListed: true, changes: listed(watching, part) };
  }
  const news = async function* (): AsyncGenerator<readonly Change[]> {
    yield* newsOf('observed', after, where, only, (message) => {
      const report = reportIn(prefix, message);
      return report !== null && isThere(report) ? watching.report(report) : [];
    });
    yield* newsOf('desired', after, where, only, (message) => {
      const stand = standIn(prefix, message);
      return stand !== null && isThere(stand) ? watching.declare(stand.host, stand.uuid, stand.standing) : [];
    });
  };
  while (await options.again()) {
    try {
      for await (const changes of news()) {
        yield { isListed: false, changes };
        if (options.isStopped()) return;
      }
    } catch (error) {
      if (!passes(error)) throw error;
      options.onAway(error);
    }
  }
}

/** What the messages change that have come since. */
async function* newsOf(
  name: 'observed' | 'desired',
  after: Record<typeof name, number>,
  { streams, prefix }: Where,
  { host }: Only,
  changesOf: (message: Message) => readonly Change[],
): AsyncGenerator<readonly Change[]> {
  const filter = subjectFilter(prefix, name, { host });
  for await (const message of messagesOf(streams[name], filter, after[name])) {
    after[name] = message.sequence;
    yield changesOf(message);
  }
}

/** Of what stands declared only that has a row of its own which no report speaks of. */
function listed(watching: Watching, { reports, standings }: HostPart): readonly Change[] {
  const changes = reports.flatMap((one) => watching.report(one));
  for (const standing of standings.values()) {
    const data = standing.declaration?.data;
    if (data !== undefined) changes.push(...watching.declare(data.host, data.uuid, standing));
  }
  return changes.sort((a, b) => compare(placeOf(a), placeOf(b)));
}

function passes(error: unknown): error is StreamUnavailable {
  const lasts = error instanceof StreamMissing || error instanceof StreamForbidden;
  return error instanceof StreamUnavailable && !lasts;
}

function placeOf(change: Change): string {
  const { host, uuid } = change.change === 'gone' ? change : change.row;
  return `${host} ${uuid}`;
}
