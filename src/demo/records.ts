/**
 * The demo's last chapter: what the journals say when all is over.
 */
import { isDeepStrictEqual } from 'node:util';
import type { HostId } from '../../events/names.ts';
import { decodeRecord, type StoredRecord } from '../../events/record.ts';
import { openFiles } from '../../store/journal/journal-files.ts';
import { LmdbStorage } from '../../store/journal/lmdb-storage.ts';
import { recordsOf } from '../../store/journal/replay.ts';
import type { Verified } from '../../store/journal/verify.ts';
import type { Cell } from '../cli/terminal.ts';
import { verify } from '../cli/verify.ts';
import { journalFolder } from '../config.ts';
import { colourOf, tell } from '../past/words.ts';
import { confirm } from './confirm.ts';
import type { Plot } from './plot.ts';
import type { Stage } from './stage.ts';
import type { Chapter } from './story.ts';
import { uuidOf } from './watch.ts';

/** Characters that are shown of a hash. */
const HASH_CHARS = 16;
/** From where to where the time of day stands in a time of RFC 3339, with milliseconds. */
const TIME_OF_DAY = [11, 23] as const;

export const journalsAreReplayed: Chapter = {
  title: 'The journals, replayed',
  async tell(stage, plot) {
    const { screen } = stage;
    const { hosts } = plot;
    await Promise.all(hosts.map((host) => stage.endAgent(host, 'SIGTERM')));
    screen.say(
      'The agents have stopped. Each journal is read from its first fact: every fact must name the hash of the ' +
        'one before, all of them must fold to what the agent went by, and the stream must hold the same.',
    );
    for (const host of hosts) screen.command(`mdevfleet verify --data DIR --host ${host}`);
    const rows = await Promise.all(hosts.map((host) => verified(stage, host)));
    screen.table(['HOST', 'FACTS', 'LAST HASH', 'JOURNAL', 'STREAM'], rows);
    await showHistory(stage, plot);
  },
};

/** The journal's verdict, and that the stream has the same records, hash by hash. */
async function verified(stage: Stage, host: HostId): Promise<readonly Cell[]> {
  const { stdout } = await stage.run(verify, { host, json: true });
  const { tail }: Verified = JSON.parse(stdout);
  const inStream = () => stage.watch.facts.filter((one) => one.host === host);
  await stage.watch.until(`the stream to hold all ${tail.seq} facts of ${host}`, () =>
    inStream().length >= tail.seq ? true : undefined,
  );
  const journal = (await read(stage, host)).map(({ hash }) => hash);
  const same = isDeepStrictEqual(
    journal,
    inStream().map(({ hash }) => hash),
  );
  confirm(same && journal.at(-1) === tail.hash, `the stream has what the journal of ${host} has`);
  return [
    { text: host },
    { text: String(tail.seq) },
    { text: tail.hash.slice(0, HASH_CHARS) },
    { text: 'whole', colour: 'green' },
    { text: 'the same', colour: 'green' },
  ];
}

/** What the journals tell of the hero, in the order of time; it is the time of one machine. */
async function showHistory(stage: Stage, { hero, rival }: Plot): Promise<void> {
  stage.screen.say(`What they tell of ${hero.uuid}:`);
  const owners = [hero.host, rival];
  const journals = await Promise.all(owners.map((host) => read(stage, host)));
  const entries = journals.flatMap((records, index) =>
    records.map(({ bytes }) => ({ host: owners[index], ...decodeRecord(bytes) })),
  );
  entries.sort((a, b) => a.envelope.time.localeCompare(b.envelope.time));
  for (const { host, envelope, fact } of entries) {
    if (fact === null || !('uuid' in fact) || uuidOf(fact) !== hero.uuid) continue;
    const { time, seq } = envelope;
    const when = `${time.slice(...TIME_OF_DAY)}  ${host}  ${String(seq).padStart(3)}`;
    stage.screen.voice(when, tell(fact), colourOf(fact));
  }
}

/** All records of the host's journal; its agent has stopped. */
async function read({ dir }: Stage, host: HostId): Promise<readonly StoredRecord[]> {
  const storage = new LmdbStorage(openFiles(journalFolder(dir, host), true));
  const records = [...recordsOf(storage)];
  await storage.close();
  return records;
}
