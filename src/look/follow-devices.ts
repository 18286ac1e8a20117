/**
 * Follows the devices of a fleet: as they are, some hosts at a time, and then what changes, until nobody wants to know.
 *
 * Both streams are read on from where they ended before the first device was listed, so that nothing falls between.
 * A server that is away is waited for.
 */

import type { HostId } from '../../events/names.ts';
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
import { forgottenHosts, hostActIn, hostActs } from './forgotten.ts';
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

/** In this order: what is said of a host, then of its devices. */
const READ = ['command', 'observed', 'desired'] as const;
type Read = (typeof READ)[number];

/** Throws StreamUnavailable while devices are listed, and later StreamMissing or StreamForbidden. */
export async function* followDevices(
  where: Where,
  only: Only,
  options: FollowOptions,
): AsyncGenerator<Followed> {
  const { streams, prefix } = where;
  const after: Record<Read, number> = { command: 0, observed: 0, desired: 0 };
  for (const name of READ) after[name] = (await streams[name].info()).lastSequence;
  const forgotten = await forgottenHosts(streams.command, prefix);
  const news = new News(where, new Watching(only), forgotten);
  for await (const part of hostParts(where, only.host, forgotten)) {
    if (options.isStopped()) return;
    yield { isListed: true, changes: news.listed(part) };
  }
  while (await options.again()) {
    try {
      for await (const changes of since(after, news, where, only)) {
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
async function* since(
  after: Record<Read, number>,
  news: News,
  { streams, prefix }: Where,
  { host }: Only,
): AsyncGenerator<readonly Change[]> {
  for (const name of READ) {
    const filter = name === 'command' ? hostActs(prefix, host) : subjectFilter(prefix, name, { host });
    for await (const message of messagesOf(streams[name], filter, after[name])) {
      const changes = await news[name](message);
      after[name] = message.sequence;
      yield changes;
    }
  }
}

/** What messages change, by the stream that they are from. */
class News {
  readonly #where: Where;
  readonly #watching: Watching;
  readonly #forgotten: Set<HostId>;

  constructor(where: Where, watching: Watching, forgotten: ReadonlySet<HostId>) {
    this.#where = where;
    this.#watching = watching;
    this.#forgotten = new Set(forgotten);
  }

  async command(message: Message): Promise<readonly Change[]> {
    const act = hostActIn(this.#where.prefix, message);
    if (act?.isForgotten) return this.#forget(act.host);
    return act !== null && this.#forgotten.has(act.host) ? this.#back(act.host) : [];
  }

  observed(message: Message): readonly Change[] {
    const report = reportIn(this.#where.prefix, message);
    if (report === null || this.#forgotten.has(report.host)) return [];
    return this.#watching.report(report);
  }

  desired(message: Message): readonly Change[] {
    const stand = standIn(this.#where.prefix, message);
    if (stand === null || this.#forgotten.has(stand.host)) return [];
    return this.#watching.declare(stand.host, stand.uuid, stand.standing);
  }

  /** Of what stands declared only that has a row of its own which no report speaks of. */
  listed({ reports, standings }: HostPart): readonly Change[] {
    const changes = reports.flatMap((one) => this.#watching.report(one));
    for (const standing of standings.values()) {
      const data = standing.declaration?.data;
      if (data !== undefined) changes.push(...this.#watching.declare(data.host, data.uuid, standing));
    }
    return changes.sort((a, b) => compare(placeOf(a), placeOf(b)));
  }

  #forget(host: HostId): readonly Change[] {
    this.#forgotten.add(host);
    return this.#watching.forget(host);
  }

  async #back(host: HostId): Promise<readonly Change[]> {
    const parts = await Array.fromAsync(hostParts(this.#where, host, new Set()));
    this.#forgotten.delete(host);
    return parts.flatMap((part) => this.listed(part));
  }
}

function passes(error: unknown): error is StreamUnavailable {
  const lasts = error instanceof StreamMissing || error instanceof StreamForbidden;
  return error instanceof StreamUnavailable && !lasts;
}

function placeOf(change: Change): string {
  const { host, uuid } = change.change === 'gone' ? change : change.row;
  return `${host} ${uuid}`;
}
