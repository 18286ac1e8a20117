/**
 * Where the past is read from: hosts' journals, the fleet's stream, or files that were exported.
 *
 * All three tell the same records. What cannot be told from where it is asked for is said, not guessed.
 */
import { existsSync, readdirSync } from 'node:fs';
import { type HostId, hostId, type Uuid } from '../../events/names.ts';
import { type StoredRecord, topicOfRecord } from '../../events/record.ts';
import { NO_UUID } from '../../events/subject.ts';
import { readExport } from '../../store/journal/export.ts';
import { readIdentity } from '../../store/journal/group-commit.ts';
import { dataFile, type JournalFiles, openFiles } from '../../store/journal/journal-files.ts';
import type { Projections } from '../../store/journal/journal-storage.ts';
import { LmdbStorage } from '../../store/journal/lmdb-storage.ts';
import { Misfit, recordsOf } from '../../store/journal/replay.ts';
import { readVouched } from '../../store/journal/vouched.ts';
import { type EndsOf, type FleetPast, FleetWalk } from '../../store/past/fleet-past.ts';
import { journalPast, snapshotFolder } from '../../store/past/journal-past.ts';
import { mergedByTime } from '../../store/past/merge.ts';
import { msOf, timeOf } from '../../store/past/moment.ts';
import { Once } from '../../store/past/once.ts';
import { Snapshots } from '../../store/past/snapshots.ts';
import {
  factsIn,
  inOrder,
  type ObservedStream,
  type Only,
  type Told,
  toldBySelf,
} from '../../store/past/told.ts';
import type { OnRecord, Reached } from '../../store/past/walk.ts';
import { journalFolder, journalsFolder } from '../config.ts';

/** Somebody who goes on listening when everything was told. */
export interface Follower {
  /** Resolves to true when it is time to look again, to false when nobody wants to know any more. */
  again(): Promise<boolean>;
}

/** The past of which hosts, up to where, and who is told of each record on the way. */
export type PastQuery = {
  readonly endsOf: EndsOf;
  readonly host?: HostId | undefined;
  readonly onRecord?: OnRecord | undefined;
};

export interface Source {
  /**
   * The records, each once: of one host, of one UUID (NO_UUID: about none), or all. From the stream as it has them,
   * else by time. With a follower also those that are still to come.
   */
  facts(only: Only, follower?: Follower): AsyncIterable<Told>;
  past(query: PastQuery): Promise<FleetPast>;
}

/** A fleet's stream. What it throws is StreamUnavailable. */
export function streamSource(observed: ObservedStream): Source {
  return {
    facts: (only, follower) => onceEach(following(observed, only, follower)),
    async past({ endsOf, host, onRecord }) {
      const walk = new FleetWalk(endsOf, onRecord);
      const facts = inOrder(factsIn(observed, { host }), (missing) => walk.missing(missing));
      for await (const told of facts) walk.take(told);
      return walk.past();
    },
  };
}

async function* following(
  observed: ObservedStream,
  only: Only,
  follower: Follower | undefined,
): AsyncGenerator<Told> {
  let after = 0;
  do {
    yield* factsIn(observed, only, after, (sequence) => {
      after = sequence;
    });
  } while (await follower?.again());
}

async function* onceEach(facts: AsyncIterable<Told>): AsyncGenerator<Told> {
  const told = new Map<string, Once>();
  for await (const one of facts) {
    const key = `${one.host} ${one.journal}`;
    const once = told.get(key) ?? new Once();
    told.set(key, once);
    if (once.isNew(one.record.seq)) yield one;
  }
}

/** Exported files, one a journal. */
export function exportSource(paths: readonly string[]): Source {
  const journals = (): AsyncGenerator<Told>[] => paths.map((path) => toldBySelf(readExport(path)));
  return {
    facts: (only) => matching(mergedByTime(journals()), only),
    async past({ endsOf, host, onRecord }) {
      const walk = new FleetWalk(endsOf, onRecord);
      for (const journal of await inTheirOrder(journals())) {
        for await (const told of journal) {
          if ((host !== undefined && told.host !== host) || !walk.take(told)) break;
        }
      }
      return walk.past();
    },
  };
}

/** Of several journals of one host, the one that began first comes first. */
async function inTheirOrder(
  journals: readonly AsyncGenerator<Told>[],
): Promise<readonly AsyncIterable<Told>[]> {
  const begun: { readonly first: Told; readonly rest: AsyncGenerator<Told> }[] = [];
  for (const rest of journals) {
    const next = await rest.next();
    if (next.done !== true) begun.push({ first: next.value, rest });
  }
  begun.sort((a, b) => compare(timeOf(a.first.record), timeOf(b.first.record)));
  return begun.map(({ first, rest }) => resumed(first, rest));
}

function compare(a: string, b: string): number {
  return msOf(a) - msOf(b);
}

async function* resumed(first: Told, rest: AsyncGenerator<Told>): AsyncGenerator<Told> {
  yield first;
  yield* rest;
}

async function* matching(facts: AsyncIterable<Told>, { host, uuid }: Only): AsyncGenerator<Told> {
  for await (const told of facts) {
    if (host !== undefined && told.host !== host) continue;
    if (uuid === undefined || isAbout(told.record, uuid)) yield told;
  }
}

/** What cannot be read may be about anything. */
function isAbout(record: StoredRecord, uuid: Uuid): boolean {
  try {
    return (topicOfRecord(record).uuid ?? NO_UUID) === uuid;
  } catch {
    return true;
  }
}

/** Where a host's journal lies. */
type Place = { readonly host: HostId; readonly dir: string };

/** The journals in the folder `data`, or that of one host. */
export function journalsIn(data: string, host: HostId | undefined): readonly Place[] {
  const hosts = host === undefined ? hostsIn(journalsFolder(data)) : [host];
  return hosts
    .map((one) => ({ host: one, dir: journalFolder(data, one) }))
    .filter(({ dir }) => existsSync(dataFile(dir)));
}

function hostsIn(path: string): readonly HostId[] {
  if (!existsSync(path)) return [];
  return readdirSync(path)
    .filter((name) => hostId.safeParse(name).success)
    .sort();
}

/** Journals of hosts, read while their agents run or not. A damaged file can end the process. */
export class JournalSource implements Source {
  readonly #open: readonly (Place & { readonly files: JournalFiles; readonly storage: LmdbStorage })[];
  readonly #useSnapshots: boolean;

  constructor(places: readonly Place[], { snapshots = true } = {}) {
    this.#useSnapshots = snapshots;
    this.#open = places.map((place) => {
      const files = openFiles(place.dir, true);
      return { ...place, files, storage: new LmdbStorage(files) };
    });
  }

  async *facts(only: Only, follower?: Follower): AsyncGenerator<Told> {
    const after = new Map<HostId, number>();
    do {
      const journals = this.#open.map(({ storage, host }) => this.#after(storage, host, after));
      yield* matching(mergedByTime(journals), only);
    } while (await this.#later(follower));
  }

  async past({ endsOf, host, onRecord }: PastQuery): Promise<FleetPast> {
    const chosen = this.#open.filter((one) => host === undefined || one.host === host);
    return new Map(
      chosen.map(({ host: name, dir, storage }) => {
        const reader = { recordsAfter: (seq: number) => recordsOf(storage, seq) };
        const snapshots = this.#useSnapshots ? new Snapshots(snapshotFolder(dir)) : null;
        return [name, journalPast(reader, endsOf(name, journalOf(storage)), snapshots, onRecord)];
      }),
    );
  }

  /** What all records of a host fold to, and what is stored beside them, at one moment. */
  async foldedAndStored(host: HostId): Promise<{ readonly folded: Reached; readonly stored: Projections }> {
    const found = this.#open.find((one) => one.host === host);
    if (found === undefined) throw new Error(`bug: the journal of ${host} was not opened`);
    return readVouched(found.dir, found.files, (reader) => {
      const past = { recordsAfter: (seq: number) => recordsOf(reader, seq) };
      const [folded] = journalPast(past, [{ kind: 'now' }], null);
      if (folded === undefined) throw new Error('bug: no state for a moment');
      return { folded, stored: reader.projections() };
    });
  }

  async close(): Promise<void> {
    for (const { storage } of this.#open) await storage.close();
  }

  async *#after(storage: LmdbStorage, host: HostId, after: Map<HostId, number>): AsyncGenerator<Told> {
    const journal = journalOf(storage);
    for (const record of recordsOf(storage, after.get(host))) {
      after.set(host, record.seq);
      yield { host, journal, record };
    }
  }

  /** The file is looked at afresh. */
  async #later(follower: Follower | undefined): Promise<boolean> {
    if (!(await follower?.again())) return false;
    for (const { files } of this.#open) files.root.resetReadTxn();
    return true;
  }
}

function journalOf(storage: LmdbStorage): string {
  try {
    return readIdentity(storage).journal;
  } catch (cause) {
    throw new Misfit('record 1 does not say whose journal this is', { seq: 1, cause });
  }
}
