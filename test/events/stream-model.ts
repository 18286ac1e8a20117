/**
 * A stream compared with the plainest one there is, a list, over arbitrary appends and questions.
 */
import fc from 'fast-check';
import { expect } from 'vitest';
import type { Message, Stream } from '../../events/stream.ts';
import { subjectFilter } from '../../events/subject.ts';
import { matches } from '../../events/wildcard.ts';
import { all, outgoing, plain, type StreamsUnderTest, subjectOf, uuidOf } from './streams-under-test.ts';

const host = fc.constantFrom('a', 'a.b', 'b', 'longer-host.example');
const device = fc.nat({ max: 3 });

const append = fc.record({
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

type Append = typeof append extends fc.Arbitrary<infer T> ? T : never;
type Question = typeof question extends fc.Arbitrary<infer T> ? T : never;

/** Throws a counterexample when the stream and the list differ. */
export async function agreesWithList(open: () => Promise<StreamsUnderTest>, numRuns: number): Promise<void> {
  const appends = fc.array(append, { maxLength: 40 });
  const questions = fc.array(question, { maxLength: 10 });
  const property = fc.asyncProperty(appends, questions, async (given, asked) => {
    const under = await open();
    const { desired } = await under.client();
    try {
      const list = await appendBoth(desired, under.prefix, given);
      for (const one of asked) await compare(desired, under.prefix, list, one);
    } finally {
      await under.close();
    }
  });
  await fc.assert(property, { numRuns });
}

/** Appends to the stream, checks each answer, and returns the list: what must be stored now. */
async function appendBoth(
  stream: Stream,
  prefix: string,
  given: readonly Append[],
): Promise<readonly Message[]> {
  const list: Message[] = [];
  for (const one of given) {
    const message = outgoing(subjectOf(prefix, one.host, one.device), `id-${one.id}`);
    const last = list.findLast(({ subject }) => subject === message.subject)?.sequence ?? 0;
    const expected = {
      none: {},
      right: { expectedSubjectSequence: last },
      wrong: { expectedSubjectSequence: last + 1 },
    };
    const answer = await stream.append({ ...message, ...expected[one.expected] });
    const repeated = list.find(({ id }) => id === message.id);
    const sequence = repeated?.sequence ?? list.length + 1;
    const stored = { kind: 'stored', sequence, duplicate: repeated !== undefined };
    const refused = { kind: 'wrong-sequence' };
    if (one.expected !== 'wrong') expect(answer).toEqual(stored);
    else expect(repeated === undefined ? [refused] : [refused, stored]).toContainEqual(answer);
    if (answer.kind === 'stored' && !answer.duplicate) {
      list.push({ sequence, subject: message.subject, id: message.id, data: message.data });
    }
  }
  return list;
}

async function compare(
  stream: Stream,
  prefix: string,
  list: readonly Message[],
  asked: Question,
): Promise<void> {
  const { after, limit } = asked;
  const filter = subjectFilter(prefix, 'desired', {
    ...(asked.host === null ? {} : { host: asked.host }),
    ...(asked.device === null ? {} : { uuid: uuidOf(asked.device) }),
  });
  const taken = list.filter(({ subject }) => matches(filter, subject));
  const next = taken.filter(({ sequence }) => sequence > after).slice(0, limit);
  expect((await stream.next(filter, after, limit)).map(plain)).toEqual(next);
  const last = taken.filter((one) => taken.findLast(({ subject }) => subject === one.subject) === one);
  expect((await all(stream.lastPerSubject(filter))).map(plain)).toEqual(last);
  expect([...(await stream.subjects(filter))].sort()).toEqual(last.map(({ subject }) => subject).sort());
  expect(plain(await stream.at(after))).toEqual(list[after - 1]);
  expect(plain(await stream.last(filter))).toEqual(taken.at(-1));
}
