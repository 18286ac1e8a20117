/**
 * What every stream must do, wherever it is kept. Run on each adapter by a test of its own.
 */
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Ring, Streams } from '../../events/stream.ts';
import { agreesWithList } from './stream-model.ts';
import {
  all,
  desiredFilter,
  idsOf,
  outgoing,
  plain,
  type StreamsUnderTest,
  subjectOf,
  until,
} from './streams-under-test.ts';

/** Contenders for one subject in the race. */
const CONTENDERS = 20;
/** Messages in a batch: more than an adapter has in flight at once. */
const BATCH = 600;

type Under = StreamsUnderTest & { readonly streams: Streams };

/** The streams of the test that runs: empty ones for each. */
type Current = () => Under;

export function streamContract(
  name: string,
  open: () => Promise<StreamsUnderTest>,
  propertyRuns: number,
): void {
  describe(`stream contract: ${name}`, () => {
    let under: Under;

    beforeEach(async () => {
      const opened = await open();
      under = { ...opened, streams: await opened.client() };
    });

    afterEach(() => under.close());

    const current: Current = () => under;
    describe('storing', () => storing(current));
    describe('appending on a condition', () => appendingOnCondition(current));
    describe('appending a batch', () => appendingBatches(current));
    describe('reading', () => reading(current));
    describe('the doorbell', () => ringing(current));

    test('whatever was appended, reading agrees with a plain list', async () => {
      await expect(agreesWithList(open, propertyRuns)).resolves.toBeUndefined();
    });
  });
}

function storing(current: Current): void {
  test('an empty stream has no messages', async () => {
    const { streams, prefix } = current();
    const { desired } = streams;
    expect(await desired.info()).toMatchObject({ firstSequence: 1, lastSequence: 0 });
    expect(await desired.at(0)).toBeUndefined();
    expect(await desired.at(1)).toBeUndefined();
    expect(await desired.last(subjectOf(prefix, 'a', 1))).toBeUndefined();
    expect(await desired.next(desiredFilter(prefix), 0, 10)).toEqual([]);
    expect(await all(desired.lastPerSubject(desiredFilter(prefix)))).toEqual([]);
  });

  test('a message is stored at the next sequence and reads back as it was sent, in every way', async () => {
    const { streams, prefix } = current();
    const { desired } = streams;
    const subject = subjectOf(prefix, 'a', 1);
    const [one, two] = [outgoing(subject, 'one'), outgoing(subject, 'two')];
    expect(await desired.append(one)).toEqual({ kind: 'stored', sequence: 1, duplicate: false });
    expect(await desired.append(two)).toEqual({ kind: 'stored', sequence: 2, duplicate: false });
    expect(await desired.info()).toMatchObject({ firstSequence: 1, lastSequence: 2 });
    const last = { sequence: 2, subject, id: 'two', data: two.data };
    expect(plain(await desired.at(2))).toEqual(last);
    expect(plain(await desired.last(subject))).toEqual(last);
    expect((await desired.next(desiredFilter(prefix), 1, 10)).map(plain)).toEqual([last]);
    expect((await all(desired.lastPerSubject(desiredFilter(prefix)))).map(plain)).toEqual([last]);
    expect(plain(await desired.at(1))).toMatchObject({ id: 'one', data: one.data });
    expect(await desired.at(3)).toBeUndefined();
  });

  test('no content, much content, and any bytes read back as they were', async () => {
    const { streams, prefix } = current();
    const { desired } = streams;
    const data = [new Uint8Array(), new Uint8Array(256 * 1024).fill(7), new Uint8Array([0, 10, 13, 255])];
    for (const [at, one] of data.entries()) {
      await desired.append({ subject: subjectOf(prefix, 'a', at), id: `id-${at}`, data: one });
    }
    const read = await desired.next(desiredFilter(prefix, 'a'), 0, 10);
    expect(read.map((message) => Uint8Array.from(message.data))).toEqual(data);
    const leader = await Promise.all([1, 2, 3].map((sequence) => desired.at(sequence)));
    expect(leader.map((message) => Uint8Array.from(message?.data ?? []))).toEqual(data);
  });

  test('the streams are apart, and another client is of the same ones', async () => {
    const { streams, prefix, client } = current();
    const other = await client();
    await streams.desired.append(outgoing(subjectOf(prefix, 'a', 1), 'one'));
    await other.command.append(outgoing(subjectOf(prefix, 'a', 1, 'command'), 'two'));
    for (const { desired, observed, command } of [streams, other]) {
      expect(await observed.info()).toMatchObject({ lastSequence: 0 });
      expect(plain(await desired.at(1))).toMatchObject({ id: 'one' });
      expect(plain(await command.at(1))).toMatchObject({ id: 'two' });
    }
    expect(await other.desired.info()).toEqual(await streams.desired.info());
  });

  test('the creation time is RFC 3339', async () => {
    const { created } = await current().streams.desired.info();
    expect(created).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$/);
  });
}

function appendingOnCondition(current: Current): void {
  test('a message id that was stored is answered with its sequence, and stores nothing', async () => {
    const { streams, prefix } = current();
    const append = (id: string) => streams.desired.append(outgoing(subjectOf(prefix, 'a', 1), id));
    await append('first');
    expect(await append('again')).toEqual({ kind: 'stored', sequence: 2, duplicate: false });
    expect(await append('again')).toEqual({ kind: 'stored', sequence: 2, duplicate: true });
    expect(await streams.desired.info()).toMatchObject({ lastSequence: 2 });
  });

  test('a repeat that expects what is so no more stores nothing either', async () => {
    const { streams, prefix } = current();
    const message = { ...outgoing(subjectOf(prefix, 'a', 1), 'one'), expectedSubjectSequence: 0 };
    await streams.desired.append(message);
    const repeat = await streams.desired.append(message);
    const duplicate = { kind: 'stored', sequence: 1, duplicate: true };
    expect([{ kind: 'wrong-sequence' }, duplicate]).toContainEqual(repeat);
    expect(await streams.desired.info()).toMatchObject({ lastSequence: 1 });
  });

  test('an append that expects another last message of its subject is refused and stores nothing', async () => {
    const { streams, prefix } = current();
    const append = (id: string, device: number, expectedSubjectSequence: number) =>
      streams.desired.append({ ...outgoing(subjectOf(prefix, 'a', device), id), expectedSubjectSequence });
    expect(await append('one', 1, 1)).toEqual({ kind: 'wrong-sequence' });
    expect(await append('two', 1, 0)).toMatchObject({ kind: 'stored', sequence: 1 });
    expect(await append('three', 2, 0)).toMatchObject({ kind: 'stored', sequence: 2 });
    expect(await append('four', 1, 0)).toEqual({ kind: 'wrong-sequence' });
    expect(await append('five', 1, 2)).toEqual({ kind: 'wrong-sequence' });
    expect(await append('six', 1, 1)).toMatchObject({ kind: 'stored', sequence: 3 });
    expect(await streams.desired.info()).toMatchObject({ lastSequence: 3 });
  });

  test('of many that expect the same, exactly one is stored', async () => {
    const { streams, prefix, client } = current();
    const other = await client();
    const contend = (_: unknown, at: number) => {
      const message = outgoing(subjectOf(prefix, 'a', 1), `contender-${at}`);
      const { desired } = at % 2 === 0 ? streams : other;
      return desired.append({ ...message, expectedSubjectSequence: 0 });
    };
    const answers = await Promise.all(Array.from({ length: CONTENDERS }, contend));
    expect(answers.filter(({ kind }) => kind === 'stored')).toHaveLength(1);
    expect(await streams.desired.info()).toMatchObject({ lastSequence: 1 });
  });
}

function appendingBatches(current: Current): void {
  test('it is stored in order', async () => {
    const { streams, prefix } = current();
    const batch = Array.from({ length: BATCH }, (_, at) =>
      outgoing(subjectOf(prefix, 'a', at % 7), `m-${at}`),
    );
    const answers = await streams.desired.appendAll(batch);
    const sequences = answers.map((answer) => answer.kind === 'stored' && answer.sequence);
    expect(sequences).toEqual(batch.map((_, at) => at + 1));
    expect(await idsOf(streams.desired, desiredFilter(prefix, 'a'))).toEqual(batch.map(({ id }) => id));
  });

  test('after one that is not stored it is told truly which were', async () => {
    const { streams, prefix } = current();
    const batch = Array.from({ length: BATCH }, (_, at) => ({
      ...outgoing(subjectOf(prefix, 'a', at), `m-${at}`),
      expectedSubjectSequence: at === 3 ? 9 : 0,
    }));
    const answers = await streams.desired.appendAll(batch);
    const kinds = answers.map(({ kind }) => kind);
    expect(kinds.slice(0, 4)).toEqual([...['stored', 'stored', 'stored'], 'wrong-sequence']);
    expect(kinds.length).toBeLessThan(batch.length);
    const said = batch.filter((_, at) => kinds[at] === 'stored').map(({ id }) => id);
    expect(await idsOf(streams.desired, desiredFilter(prefix))).toEqual(said);
  });

  test('none is none', async () => {
    expect(await current().streams.desired.appendAll([])).toEqual([]);
  });
}

function reading(current: Current): void {
  test('a host sees its own messages and no others, from where it left off', async () => {
    const { streams, prefix } = current();
    for (const [at, host] of ['a', 'b', 'a', 'a.b', 'a', 'a'].entries()) {
      await streams.desired.append(outgoing(subjectOf(prefix, host, at), `m-${at}`));
    }
    const next = async (host: string, after: number, limit: number) =>
      (await streams.desired.next(desiredFilter(prefix, host), after, limit)).map(({ sequence }) => sequence);
    expect(await next('a', 0, 10)).toEqual([1, 3, 5, 6]);
    expect(await next('a', 3, 10)).toEqual([5, 6]);
    expect(await next('a', 0, 2)).toEqual([1, 3]);
    expect(await next('a', 0, 1)).toEqual([1]);
    expect(await next('a.b', 0, 10)).toEqual([4]);
    expect(await next('c', 0, 10)).toEqual([]);
    expect(await next('a', 6, 10)).toEqual([]);
    expect(await next('a', 600, 10)).toEqual([]);
  });

  test('subjects, and the last of each in the order of the stream, are of one filter or several', async () => {
    const { streams, prefix } = current();
    const { desired } = streams;
    const [a1, a2, b1, c1] = (['a1', 'a2', 'b1', 'c1'] as const).map(([host = '', device]) =>
      subjectOf(prefix, host, Number(device)),
    ) as [string, string, string, string];
    await desired.appendAll([a1, b1, a2, c1, a1].map((subject, at) => outgoing(subject, `m-${at}`)));
    const [ofA, ofB] = [desiredFilter(prefix, 'a'), desiredFilter(prefix, 'b')];
    for await (const { sequence } of desired.lastPerSubject(ofA)) {
      expect(sequence).toBe(3);
      break;
    }
    const last = await all(desired.lastPerSubject([ofA, ofB]));
    expect(last.map(({ sequence }) => sequence)).toEqual([2, 3, 5]);
    expect([...(await desired.subjects(ofA))].sort()).toEqual([a1, a2]);
    expect(await desired.subjects(desiredFilter(prefix, 'd'))).toEqual([]);
  });

  test('what is appended while the last of each subject is read is not among them', async () => {
    const { streams, prefix } = current();
    const { desired } = streams;
    const round = (name: string) =>
      Array.from({ length: 120 }, (_, at) => outgoing(subjectOf(prefix, 'a', at), `${name}-${at}`));
    await desired.appendAll(round('before'));
    const sequences: number[] = [];
    for await (const { sequence } of desired.lastPerSubject(desiredFilter(prefix, 'a'))) {
      if (sequence === 1) await desired.appendAll(round('meanwhile'));
      sequences.push(sequence);
    }
    expect(sequences).toEqual(Array.from({ length: 120 }, (_, at) => at + 1));
  });

  test('what one client appends, another reads next', async () => {
    const { streams, prefix, client } = current();
    const other = await client();
    await streams.desired.append(outgoing(subjectOf(prefix, 'a', 1), 'one'));
    expect(await idsOf(other.desired, desiredFilter(prefix))).toEqual(['one']);
    await other.desired.append(outgoing(subjectOf(prefix, 'a', 1), 'two'));
    expect(await idsOf(streams.desired, desiredFilter(prefix))).toEqual(['one', 'two']);
  });
}

function ringing(current: Current): void {
  test('it rings for declarations and commands of its host only, whoever sent them', async () => {
    const { streams, prefix, client } = current();
    const other = await client();
    const rung: Ring[] = [];
    const quiet: Ring[] = [];
    streams.doorbell('b.c', (ring) => rung.push(ring));
    streams.doorbell('b', (ring) => quiet.push(ring));
    await streams.desired.info();
    await streams.observed.append(outgoing(subjectOf(prefix, 'b.c', 1, 'observed'), 'fact'));
    await streams.desired.append(outgoing(subjectOf(prefix, 'a', 1), 'for-another'));
    await other.desired.append(outgoing(subjectOf(prefix, 'b.c', 1), 'one'));
    await other.command.append(outgoing(subjectOf(prefix, 'b.c', 1, 'command'), 'two'));
    await until(() => rung.length === 2);
    const expected = [
      { stream: 'desired', sequence: 2 },
      { stream: 'command', sequence: 1 },
    ];
    expect(rung).toEqual(expected);
    expect(quiet).toEqual([]);
  });

  test('once taken down it rings no more', async () => {
    const { streams, prefix } = current();
    const heard: string[] = [];
    streams.doorbell('a', () => heard.push('taken down'))();
    streams.doorbell('a', () => heard.push('up'));
    await streams.desired.info();
    await streams.desired.append(outgoing(subjectOf(prefix, 'a', 1), 'one'));
    await until(() => heard.length > 0);
    expect(heard).toEqual(['up']);
  });

  test('who listens to the connection hears soon that it is up, unless it has left', async () => {
    const heard: string[] = [];
    current().streams.onConnection((state) => heard.push(`left ${state}`))();
    current().streams.onConnection((state) => heard.push(state));
    await until(() => heard.length > 0);
    expect(heard).toEqual(['up']);
  });
}
