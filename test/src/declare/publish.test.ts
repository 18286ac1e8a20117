import { describe, expect, test } from 'vitest';
import { decodeEvent, encodeDeclaration } from '../../../events/codec.ts';
import type { Appended, Stream } from '../../../events/stream.ts';
import { createMemoryStreams } from '../../../events/stream-memory.ts';
import { parseSubject } from '../../../events/subject.ts';
import { diffPresent, type Wish } from '../../../src/declare/diff.ts';
import { publishChanges, type Report, ROUNDS_MAX } from '../../../src/declare/publish.ts';
import { readStandings } from '../../../src/fleet.ts';
import { UUID, wishOf } from '../declared.ts';

const time = '2026-01-01T00:00:00Z';

function authors(source: string) {
  let count = 0;
  return () => {
    count += 1;
    return { id: `${count}`, source, time };
  };
}

/** Publishes the wishes to a stream whose appends go through `around`. */
function publish(
  wishes: readonly Wish[],
  stream: Stream,
  append: Stream['append'] = (one) => stream.append(one),
) {
  const author = authors('test');
  const wrapped: Stream = { ...bound(stream), append };
  return publishChanges({ stream: wrapped, prefix: 'mdev', author }, async () =>
    diffPresent(wishes, await readStandings(stream, 'mdev')),
  );
}

function bound(stream: Stream): Stream {
  return {
    name: stream.name,
    append: (one) => stream.append(one),
    appendAll: (all) => stream.appendAll(all),
    info: () => stream.info(),
    at: (sequence) => stream.at(sequence),
    next: (filter, after, limit) => stream.next(filter, after, limit),
    last: (subject) => stream.last(subject),
    lastPerSubject: (filter) => stream.lastPerSubject(filter),
    subjects: (filter) => stream.subjects(filter),
  };
}

function emptyStream(): Stream {
  return createMemoryStreams({ now: () => time }).desired;
}

async function declarations(stream: Stream) {
  const messages = await stream.next('mdev.desired.*.*', 0, 1000);
  return messages.map(({ subject, data }) => {
    const decoded = decodeEvent(parseSubject('mdev', subject), data);
    return decoded.kind === 'declaration' ? decoded.declaration : null;
  });
}

function statuses(report: Report) {
  return report.changes.map(({ host, action, status }) => [host, action, status]);
}

describe('publishing', () => {
  test('every event is one that a host can read, and a second run publishes nothing', async () => {
    const stream = emptyStream();
    const wishes = [wishOf(), wishOf({ host: 'host-b', attributes: [{ name: 'a', value: '1' }] })];
    expect(statuses(await publish(wishes, stream))).toEqual([
      ['host-a', 'declare', 'published'],
      ['host-b', 'declare', 'published'],
    ]);
    expect((await declarations(stream)).map((one) => one?.data)).toEqual(wishes);
    const again = await publish(wishes, stream);
    expect(again.changes.every(({ status }) => status === 'unchanged')).toBe(true);
    expect(await declarations(stream)).toHaveLength(2);
  });

  test('who loses a race reads again, and publishes on top of what came in between', async () => {
    const stream = emptyStream();
    const other = wishOf({ set: 'other', attributes: [{ name: 'a', value: '9' }] });
    const theirs = { desired: 'present', event: { id: 'x', source: 'other', time }, data: other } as const;
    let raced = false;
    const report = await publish([wishOf()], stream, async (one) => {
      if (!raced) await stream.append(encodeDeclaration('mdev', theirs));
      raced = true;
      return stream.append(one);
    });
    expect(report.stopped).toBeNull();
    expect((await declarations(stream)).map((one) => one?.event.source)).toEqual(['other', 'test']);
  });

  test('two that apply the same manifest at once publish each device once', async () => {
    const stream = emptyStream();
    const wishes = Array.from({ length: 1500 }, (_, index) =>
      wishOf({ uuid: UUID.slice(0, -4) + String(index).padStart(4, '0') }),
    );
    const reports = await Promise.all([publish(wishes, stream), publish(wishes, stream)]);
    const messages = await stream.next('>', 0, 10_000);
    expect(reports.map((one) => one.stopped)).toEqual([null, null]);
    expect(messages).toHaveLength(wishes.length);
  });

  test('an answer that was lost is found by reading: stored once, and reported as published or unchanged', async () => {
    const stream = emptyStream();
    let lost = 0;
    const report = await publish([wishOf()], stream, async (one): Promise<Appended> => {
      const answer = await stream.append(one);
      lost += 1;
      return lost === 1 ? { kind: 'unknown', cause: new Error('timeout') } : answer;
    });
    expect(report.stopped).toBeNull();
    expect(await declarations(stream)).toHaveLength(1);
  });

  test('it gives up after some rounds, and says what is left and why', async () => {
    const stream = emptyStream();
    let tries = 0;
    const cause = new Error('no answer');
    const report = await publish([wishOf(), wishOf({ host: 'host-b' })], stream, async (one) => {
      if (!one.subject.includes('host-b')) return stream.append(one);
      tries += 1;
      return { kind: 'unknown', cause };
    });
    expect(tries).toBe(ROUNDS_MAX);
    expect(report.stopped?.cause).toBe(cause);
    expect(statuses(report)).toEqual([
      ['host-a', 'declare', 'published'],
      ['host-b', 'declare', 'unpublished'],
    ]);
  });

  test('a withdrawal waits for its successor to be stored', async () => {
    const stream = emptyStream();
    await publish([wishOf()], stream);
    const report = await publish([wishOf({ host: 'host-b' })], stream, async (one) =>
      one.subject.includes('host-b') ? { kind: 'unknown', cause: null } : stream.append(one),
    );
    expect(report.stopped).not.toBeNull();
    expect((await declarations(stream)).map((one) => one?.desired)).toEqual(['present']);
  });

  test('a difference that cannot be taken again ends it, and what was published is told', async () => {
    const stream = emptyStream();
    const gone = new Error('gone');
    let round = 0;
    const diff = async () => {
      round += 1;
      if (round > 1) throw gone;
      return diffPresent([wishOf(), wishOf({ host: 'host-b' })], new Map());
    };
    const lossy: Stream = {
      ...bound(stream),
      append: async (one) =>
        one.subject.includes('host-b') ? { kind: 'wrong-sequence' } : stream.append(one),
    };
    const report = await publishChanges({ stream: lossy, prefix: 'mdev', author: authors('test') }, diff);
    expect(report.stopped?.cause).toBe(gone);
    expect(report.changes.map(({ status }) => status)).toEqual(['published', 'unpublished']);
  });
});
