/**
 * What every stream must do, wherever it is kept. Run on each adapter by a test of its own.
 */
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Message, Outgoing, Ring, Stream, Streams } from '../../events/stream.ts';
import { formatSubject, subjectFilter } from '../../events/subject.ts';
import { matches } from '../../events/wildcard.ts';

/** Streams to test, empty at first; each `client` is one more way into the same ones. */
export type StreamsUnderTest = {
  readonly prefix: string;
  client(): Promise<Streams>;
  close(): Promise<void>;
};

/** Contenders for one subject in the race. */
const CONTENDERS = 20;

export function streamContract(
  name: string,
  open: () => Promise<StreamsUnderTest>,
  propertyRuns: number,
): void {
  describe(`stream contract: ${name}`, () => {
    let under: StreamsUnderTest;
    let streams: Streams;
    let desired: Stream;

    beforeEach(async () => {
      under = await open();
      streams = await under.client();
      desired = streams.desired;
    });

    afterEach(() => under.close());

    function subject(
      host: string,
      device: number,
      kind: 'desired' | 'observed' | 'command' = 'desired',
    ): string {
      return formatSubject(under.prefix, { kind, host, uuid: uuidOf(device) });
    }

    function hostFilter(host: string): string {
      return subjectFilter(under.prefix, 'desired', { host });
    }

    const everything = (): string => subjectFilter(under.prefix, 'desired');

    test('an empty stream has no messages', async () => {
      expect(await desired.info()).toMatchObject({ firstSequence: 1, lastSequence: 0 });
      expect(await desired.at(0)).toBeUndefined();
      expect(await desired.at(1)).toBeUndefined();
      expect(await desired.last(subject('a', 1))).toBeUndefined();
      expect(await desired.next(everything(), 0, 10)).toEqual([]);
      expect(await all(desired.lastPerSubject(everything()))).toEqual([]);
    });

    test('a message is stored at the next sequence and reads back as it was sent, in every way', async () => {
      const one = outgoing(subject('a', 1), 'one');
      const two = outgoing(subject('a', 1), 'two');
      expect(await desired.append(one)).toEqual({ kind: 'stored', sequence: 1, duplicate: false });
      expect(await desired.append(two)).toEqual({ kind: 'stored', sequence: 2, duplicate: false });
      expect(await desired.info()).toMatchObject({ firstSequence: 1, lastSequence: 2 });
      const last = { sequence: 2, subject: two.subject, id: 'two', data: two.data };
      expect(plain(await desired.at(2))).toEqual(last);
      expect(plain(await desired.last(two.subject))).toEqual(last);
      expect((await desired.next(everything(), 1, 10)).map(plain)).toEqual([last]);
      expect((await all(desired.lastPerSubject(everything()))).map(plain)).toEqual([last]);
      expect(plain(await desired.at(1))).toMatchObject({ id: 'one', data: one.data });
      expect(await desired.at(3)).toBeUndefined();
    });

    test('a message without content, and one with the most that an event may have, read back as they were', async () => {
      const data = [new Uint8Array(), new Uint8Array(256 * 1024).fill(7), new Uint8Array([0, 10, 13, 255])];
      for (const [at, one] of data.entries()) {
        await desired.append({ subject: subject('a', at), id: `id-${at}`, data: one });
      }
      const read = await desired.next(hostFilter('a'), 0, 10);
      expect(read.map((message) => Uint8Array.from(message.data))).toEqual(data);
      const leader = await Promise.all([1, 2, 3].map((sequence) => desired.at(sequence)));
      expect(leader.map((message) => Uint8Array.from(message?.data ?? []))).toEqual(data);
    });

    test('the streams are apart', async () => {
      await desired.append(outgoing(subject('a', 1), 'one'));
      await streams.command.append(outgoing(subject('a', 1, 'command'), 'two'));
      expect(await streams.observed.info()).toMatchObject({ lastSequence: 0 });
      expect(await streams.command.info()).toMatchObject({ lastSequence: 1 });
      expect(await desired.info()).toMatchObject({ lastSequence: 1 });
    });

    test('a message id that was stored is answered with its sequence, and stores nothing', async () => {
      await desired.append(outgoing(subject('a', 1), 'first'));
      const stored = await desired.append(outgoing(subject('a', 1), 'again'));
      const repeat = await desired.append(outgoing(subject('a', 1), 'again'));
      expect(stored).toEqual({ kind: 'stored', sequence: 2, duplicate: false });
      expect(repeat).toEqual({ kind: 'stored', sequence: 2, duplicate: true });
      expect(await desired.info()).toMatchObject({ lastSequence: 2 });
    });

    test('a repeat that expects what is so no more stores nothing either', async () => {
      const append = () =>
        desired.append({ ...outgoing(subject('a', 1), 'one'), expectedSubjectSequence: 0 });
      await append();
      const repeat = await append();
      expect([{ kind: 'wrong-sequence' }, { kind: 'stored', sequence: 1, duplicate: true }]).toContainEqual(
        repeat,
      );
      expect(await desired.info()).toMatchObject({ lastSequence: 1 });
    });

    test('an append that expects another last message of its subject is refused and stores nothing', async () => {
      const append = (id: string, device: number, expectedSubjectSequence: number) =>
        desired.append({ ...outgoing(subject('a', device), id), expectedSubjectSequence });
      expect(await append('one', 1, 1)).toEqual({ kind: 'wrong-sequence' });
      expect(await append('two', 1, 0)).toMatchObject({ kind: 'stored', sequence: 1 });
      expect(await append('three', 2, 0)).toMatchObject({ kind: 'stored', sequence: 2 });
      expect(await append('four', 1, 0)).toEqual({ kind: 'wrong-sequence' });
      expect(await append('five', 1, 2)).toEqual({ kind: 'wrong-sequence' });
      expect(await append('six', 1, 1)).toMatchObject({ kind: 'stored', sequence: 3 });
      expect(await desired.info()).toMatchObject({ lastSequence: 3 });
    });

    test('of many that expect the same, exactly one is stored', async () => {
      const other = await under.client();
      const answers = await Promise.all(
        Array.from({ length: CONTENDERS }, (_, at) =>
          (at % 2 === 0 ? desired : other.desired).append({
            ...outgoing(subject('a', 1), `contender-${at}`),
            expectedSubjectSequence: 0,
          }),
        ),
      );
      expect(answers.filter(({ kind }) => kind === 'stored')).toHaveLength(1);
      expect(await desired.info()).toMatchObject({ lastSequence: 1 });
    });

    test('a batch is stored in order', async () => {
      const batch = Array.from({ length: 600 }, (_, at) => outgoing(subject('a', at % 7), `m-${at}`));
      const answers = await desired.appendAll(batch);
      expect(answers.map((answer) => answer.kind === 'stored' && answer.sequence)).toEqual(
        batch.map((_, at) => at + 1),
      );
      expect(await ids(desired, hostFilter('a'))).toEqual(batch.map(({ id }) => id));
    });

    test('after one that is not stored a batch tells truly which were', async () => {
      const batch = Array.from({ length: 600 }, (_, at) => outgoing(subject('a', at), `m-${at}`));
      batch[3] = { ...outgoing(subject('a', 3), 'm-3'), expectedSubjectSequence: 9 };
      const answers = await desired.appendAll(batch);
      expect(answers.slice(0, 4).map(({ kind }) => kind)).toEqual([
        ...['stored', 'stored', 'stored'],
        'wrong-sequence',
      ]);
      expect(answers.length).toBeLessThan(batch.length);
      const said = batch.filter((_, at) => answers[at]?.kind === 'stored').map(({ id }) => id);
      expect(await ids(desired, everything())).toEqual(said);
    });

    test('a host sees its own messages and no others, from where it left off', async () => {
      for (const [at, host] of ['a', 'b', 'a', 'a.b', 'a', 'a'].entries()) {
        await desired.append(outgoing(subject(host, at), `m-${at}`));
      }
      expect((await desired.next(hostFilter('a'), 0, 10)).map(({ sequence }) => sequence)).toEqual([
        1, 3, 5, 6,
      ]);
      expect((await desired.next(hostFilter('a'), 3, 10)).map(({ sequence }) => sequence)).toEqual([5, 6]);
      expect((await desired.next(hostFilter('a'), 0, 2)).map(({ sequence }) => sequence)).toEqual([1, 3]);
      expect((await desired.next(hostFilter('a.b'), 0, 10)).map(({ sequence }) => sequence)).toEqual([4]);
      expect(await desired.next(hostFilter('c'), 0, 10)).toEqual([]);
      expect(await desired.next(hostFilter('a'), 6, 10)).toEqual([]);
      expect(await desired.next(hostFilter('a'), 600, 10)).toEqual([]);
    });

    test('reading the last of each subject may be broken off', async () => {
      await desired.appendAll([1, 2, 3].map((device) => outgoing(subject('a', device), `m-${device}`)));
      for await (const { sequence } of desired.lastPerSubject(hostFilter('a'))) {
        expect(sequence).toBe(1);
        break;
      }
      expect((await all(desired.lastPerSubject(hostFilter('a')))).map(({ sequence }) => sequence)).toEqual([
        1, 2, 3,
      ]);
    });

    test('another client is of the same streams', async () => {
      const other = await under.client();
      await desired.append(outgoing(subject('a', 1), 'one'));
      expect(plain(await other.desired.at(1))).toEqual(plain(await desired.at(1)));
      expect(await ids(other.desired, everything())).toEqual(['one']);
      await other.desired.append(outgoing(subject('a', 1), 'two'));
      expect(await ids(desired, everything())).toEqual(['one', 'two']);
      expect(await other.desired.info()).toEqual(await desired.info());
    });

    test('the creation time is RFC 3339', async () => {
      expect((await desired.info()).created).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$/);
    });

    test('the doorbell rings for declarations and commands of its host only, whoever sent them', async () => {
      const rung: Ring[] = [];
      const other = await under.client();
      const quiet: Ring[] = [];
      streams.doorbell('b.c', (ring) => rung.push(ring));
      streams.doorbell('b', (ring) => quiet.push(ring));
      await settle(streams, other);
      await streams.observed.append(outgoing(subject('b.c', 1, 'observed'), 'fact'));
      await desired.append(outgoing(subject('a', 1), 'for-another'));
      await other.desired.append(outgoing(subject('b.c', 1), 'one'));
      await other.command.append(outgoing(subject('b.c', 1, 'command'), 'two'));
      await until(() => rung.length >= 2);
      expect(rung).toEqual([
        { stream: 'desired', sequence: 2 },
        { stream: 'command', sequence: 1 },
      ]);
      expect(quiet).toEqual([]);
    });

    test('a doorbell that was taken down rings no more', async () => {
      const silent: Ring[] = [];
      const rung: Ring[] = [];
      streams.doorbell('a', (ring) => silent.push(ring))();
      streams.doorbell('a', (ring) => rung.push(ring));
      await settle(streams, streams);
      await desired.append(outgoing(subject('a', 1), 'one'));
      await until(() => rung.length > 0);
      expect(silent).toEqual([]);
    });

    test('who listens to the connection hears soon that it is up, unless it has left', async () => {
      const heard: string[] = [];
      streams.onConnection((state) => heard.push(`left ${state}`))();
      streams.onConnection((state) => heard.push(state));
      await until(() => heard.length > 0);
      expect(heard).toEqual(['up']);
    });

    test('whatever was appended, reading agrees with a plain list', async () => {
      await fc.assert(
        fc.asyncProperty(
          fc.array(sent, { maxLength: 40 }),
          fc.array(question, { maxLength: 10 }),
          async (batch, asked) => {
            const fresh = await open();
            const { desired: stream } = await fresh.client();
            try {
              const stored = await appendModelled(stream, fresh.prefix, batch);
              for (const one of asked) await compare(stream, fresh.prefix, stored, one);
            } finally {
              await fresh.close();
            }
          },
        ),
        { numRuns: propertyRuns },
      );
    });
  });
}

const hosts = ['a', 'a.b', 'b', 'longer-host.example'];
const host = fc.constantFrom(...hosts);
const device = fc.nat({ max: 3 });
const sent = fc.record({
  host,
  device,
  expected: fc.constantFrom('none', 'right', 'wrong'),
  id: fc.nat({ max: 60 }),
});
const question = fc.record({
  host: fc.option(host),
  device: fc.option(device),
  after: fc.nat({ max: 45 }),
  limit: fc.integer({ min: 1, max: 45 }),
});

type Sent = typeof sent extends fc.Arbitrary<infer T> ? T : never;
type Question = typeof question extends fc.Arbitrary<infer T> ? T : never;

/** Appends, checks each answer against the model, and returns the model: what must be stored now. */
async function appendModelled(
  stream: Stream,
  prefix: string,
  batch: readonly Sent[],
): Promise<readonly Message[]> {
  const stored: Message[] = [];
  for (const one of batch) {
    const subject = formatSubject(prefix, { kind: 'desired', host: one.host, uuid: uuidOf(one.device) });
    const message = outgoing(subject, `id-${one.id}`);
    const last = stored.findLast((before) => before.subject === subject)?.sequence ?? 0;
    const expected = {
      none: {},
      right: { expectedSubjectSequence: last },
      wrong: { expectedSubjectSequence: last + 1 },
    };
    const answer = await stream.append({ ...message, ...expected[one.expected] });
    const repeated = stored.find(({ id }) => id === message.id);
    const duplicate = { kind: 'stored', sequence: repeated?.sequence, duplicate: true };
    if (one.expected === 'wrong') {
      const refused = { kind: 'wrong-sequence' };
      expect(repeated === undefined ? [refused] : [refused, duplicate]).toContainEqual(answer);
    } else if (repeated !== undefined) {
      expect(answer).toEqual(duplicate);
    } else {
      const sequence = stored.length + 1;
      expect(answer).toEqual({ kind: 'stored', sequence, duplicate: false });
      stored.push({ sequence, subject, id: message.id, data: message.data });
    }
  }
  return stored;
}

async function compare(
  stream: Stream,
  prefix: string,
  stored: readonly Message[],
  asked: Question,
): Promise<void> {
  const { after, limit } = asked;
  const filter = subjectFilter(prefix, 'desired', {
    ...(asked.host === null ? {} : { host: asked.host }),
    ...(asked.device === null ? {} : { uuid: uuidOf(asked.device) }),
  });
  const taken = stored.filter(({ subject }) => matches(filter, subject));
  const next = taken.filter(({ sequence }) => sequence > after).slice(0, limit);
  expect((await stream.next(filter, after, limit)).map(plain)).toEqual(next);
  const last = taken.filter((one) => taken.findLast(({ subject }) => subject === one.subject) === one);
  expect((await all(stream.lastPerSubject(filter))).map(plain)).toEqual(last);
  expect(plain(await stream.at(after))).toEqual(stored[after - 1]);
  if (filter.includes('*')) return;
  expect(plain(await stream.last(filter))).toEqual(taken.at(-1));
}

function outgoing(subject: string, id: string): Outgoing {
  return { subject, id, data: new TextEncoder().encode(`data of ${id}`) };
}

function uuidOf(device: number): string {
  return `00000000-0000-4000-8000-${String(device).padStart(12, '0')}`;
}

/** A message whose data compares with any other bytes. */
export function plain(message: Message | undefined): Message | undefined {
  return message === undefined ? undefined : { ...message, data: Uint8Array.from(message.data) };
}

async function ids(stream: Stream, filter: string): Promise<readonly (string | null)[]> {
  const found: Message[] = [];
  for (;;) {
    const more = await stream.next(filter, found.at(-1)?.sequence ?? 0, 250);
    if (more.length === 0) return found.map(({ id }) => id);
    found.push(...more);
  }
}

export async function all<T>(items: AsyncIterable<T>): Promise<T[]> {
  const found: T[] = [];
  for await (const item of items) found.push(item);
  return found;
}

/** Until the server has heard of what these clients asked for. */
async function settle(...clients: readonly Streams[]): Promise<void> {
  for (const { desired } of clients) await desired.info();
}

/** Until it holds; the test's own time-out ends what never does. */
export async function until(holds: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await holds())) await new Promise((resolve) => setTimeout(resolve, 2));
}
