/**
 * The past of a journal: what it folds to at a moment, however it is come by.
 */
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { decodeRecord } from '../../../events/record.ts';
import type { Device } from '../../../store/device.ts';
import { unknownDevice } from '../../../store/device.ts';
import { evolve } from '../../../store/evolve.ts';
import { FleetWalk, findDeclared } from '../../../store/past/fleet-past.ts';
import { InOrder } from '../../../store/past/in-order.ts';
import { journalPast } from '../../../store/past/journal-past.ts';
import { type End, parseMoment } from '../../../store/past/moment.ts';
import { Snapshots } from '../../../store/past/snapshots.ts';
import { toldBySelf } from '../../../store/past/told.ts';
import { anyFact } from '../journal/journal-facts.ts';
import { declared, UUID } from '../journal/journal-fixture.ts';
import { chain, readerOf, type Timed, timeAt } from './chain.ts';

const HOST = 'node-1';
const ms = (seconds: number): number => Date.parse(timeAt(seconds));
const seqEnd = (seq: number): End => ({ kind: 'seq', seq, here: false });
const NOW: End = { kind: 'now' };

/** Clocks go on, stand still, and jump to and fro. */
const anyHistory = fc
  .array(fc.tuple(fc.integer({ min: -3, max: 9 }), anyFact), { maxLength: 30 })
  .map((steps) => {
    let seconds = 100;
    return steps.map(([step, fact]): Timed => {
      seconds += step;
      return [seconds, fact];
    });
  });

/** The fold, as simply as it can be written. */
function naive(history: readonly Timed[], records: number): ReadonlyMap<string, Device> {
  const devices = new Map<string, Device>();
  for (const [at, [, fact]] of history.slice(0, Math.max(0, records - 1)).entries()) {
    if (!('uuid' in fact)) continue;
    const before = devices.get(fact.uuid) ?? unknownDevice(HOST, fact.uuid);
    devices.set(fact.uuid, evolve(before, fact, at + 2));
  }
  return devices;
}

describe('a moment', () => {
  test.each([
    ['now', { kind: 'now' }],
    ['17', { kind: 'seq', seq: 17 }],
    ['2/4711', { kind: 'generation', generation: { epoch: 2, sequence: 4711 } }],
    ['2026-01-01T00:00:01Z', { kind: 'time', ms: ms(1) }],
    ['2026-01-01T02:00:01.5+02:00', { kind: 'time', ms: ms(1) + 500 }],
  ])('%s', (text, moment) => expect(parseMoment(text)).toEqual(moment));

  test.each(['', '0', '-1', '1/0', 'yesterday', '2026-01-01', '2026-01-01T00:00:00', '1e3'])(
    '%s is none',
    (text) => expect(parseMoment(text)).toBeUndefined(),
  );
});

describe('the past of a journal', () => {
  test('by number is the fold of that many records', () => {
    fc.assert(
      fc.property(anyHistory, fc.integer({ min: 1, max: 32 }), (history, seq) => {
        const records = chain(HOST, 'j', history);
        const [state] = journalPast(readerOf(records), [seqEnd(seq)], null);
        expect(state?.devices).toEqual(naive(history, seq));
        expect(state?.seq).toBe(Math.min(seq, records.length));
        expect(state?.next?.seq).toBe(seq < records.length ? seq + 1 : undefined);
      }),
    );
  });

  test('by time ends before the first record of a later time, and stays so whatever comes after it', () => {
    fc.assert(
      fc.property(anyHistory, anyHistory, fc.integer({ min: 90, max: 250 }), (history, more, seconds) => {
        const end: End = { kind: 'time', ms: ms(seconds) };
        const [state] = journalPast(readerOf(chain(HOST, 'j', history)), [end], null);
        const later = history.findIndex(([at]) => at > seconds);
        expect(state?.seq).toBe(later === -1 ? history.length + 1 : later + 1);
        if (later === -1) return;
        const [again] = journalPast(readerOf(chain(HOST, 'j', [...history, ...more])), [end], null);
        expect(again).toEqual(state);
      }),
    );
  });

  test('ends where a record does not follow, and says so', () => {
    const records = chain(HOST, 'j', [
      [1, declared(UUID, 1)],
      [2, declared(UUID, 2)],
      [3, declared(UUID, 3)],
    ]);
    const broken = records.filter(({ seq }) => seq !== 3);
    const [early, late] = journalPast(readerOf(broken), [seqEnd(2), NOW], null);
    expect(early).toMatchObject({ seq: 2, fault: null });
    expect(late).toMatchObject({ seq: 2, fault: expect.stringContaining('record 3 is missing') });
  });

  test('keeps labels, which no agent needs', () => {
    const labelled = { ...declared(UUID, 1), labels: { team: 'a' } };
    const records = chain(HOST, 'j', [
      [1, labelled],
      [2, { ...declared(UUID, 2), outcome: 'refused' }],
      [3, declared(UUID, 3)],
    ]);
    const states = journalPast(readerOf(records), [seqEnd(1), seqEnd(3), NOW], null);
    expect(states.map(({ labels }) => labels.get(UUID))).toEqual([undefined, { team: 'a' }, undefined]);
  });
});

describe('records that came in another order', () => {
  test('are put right, each once, as long as none is missing', () => {
    const anyOrder = fc.shuffledSubarray([1, 2, 3, 4, 5, 1, 2, 3, 4, 5]);
    fc.assert(
      fc.property(anyOrder, (order) => {
        const inOrder = new InOrder();
        const given = order.flatMap((seq) => [...inOrder.take({ seq, bytes: new Uint8Array(), hash: '' })]);
        const missing = [1, 2, 3, 4, 5, 6].find((seq) => !order.includes(seq)) ?? 6;
        expect(given.map(({ seq }) => seq)).toEqual([1, 2, 3, 4, 5].slice(0, missing - 1));
        expect(inOrder.missing).toBe(order.some((seq) => seq > missing) ? missing : null);
      }),
    );
  });

  test('are given up when too many wait for one', () => {
    const inOrder = new InOrder();
    const take = (seq: number) => [...inOrder.take({ seq, bytes: new Uint8Array(), hash: '' })];
    for (let seq = 2; seq < 5_000; seq += 1) take(seq);
    expect(take(1)).toEqual([]);
    expect(inOrder.missing).toBe(1);
  });
});

describe('a fleet', () => {
  const first = chain('host-a', 'old', [
    [1, declared(UUID, 1)],
    [5, declared(UUID, 2)],
  ]);
  const second = chain('host-a', 'new', [[20, declared(UUID, 3)]]);
  const other = chain('host-b', 'b', [
    [3, declared(UUID, 1)],
    [30, declared(UUID, 9)],
  ]);

  async function past(ends: readonly End[]) {
    const walk = new FleetWalk(() => ends);
    for (const records of [first, other, second]) {
      for await (const told of toldBySelf(records)) if (!walk.take(told)) break;
    }
    return walk.past();
  }

  test('is each host at the time, and how far it is known', async () => {
    const hosts = await past([{ kind: 'time', ms: ms(4) }, NOW]);
    expect(hosts.get('host-b')).toMatchObject([
      { seq: 2, next: { seq: 3, time: timeAt(30) } },
      { seq: 3, next: null },
    ]);
  });

  test('goes by a later journal of a host from its first record on', async () => {
    const hosts = await past([NOW, seqEnd(2)]);
    expect(hosts.get('host-a')).toMatchObject([
      { journal: 'new', seq: 2 },
      { journal: 'new', seq: 2 },
    ]);
  });

  test('a declaration is found where it was recorded', async () => {
    const found: object[] = [];
    for await (const one of findDeclared(toldBySelf(other), { epoch: 1, sequence: 9 })) found.push(one);
    expect(found).toEqual([{ host: 'host-b', journal: 'b', seq: 3, time: timeAt(30) }]);
  });
});

describe('snapshots', () => {
  const SPACING = 250;
  const COUNT = 300;
  const records = chain(
    HOST,
    'j',
    Array.from(
      { length: COUNT },
      (_, at): Timed => [at, { ...declared(UUID, at + 1), labels: { n: `${at % 3}` } }],
    ),
  );
  const reader = readerOf(records);
  let dir: string;
  beforeAll(() => {
    dir = mkdtempSync(join(tmpdir(), 'mdevfleet-snapshots-'));
    journalPast(reader, [NOW], new Snapshots(dir, SPACING));
  });
  afterAll(() => rmSync(dir, { recursive: true }));

  /** The states, and from which record on the journal was read. */
  function read(end: End, of = records) {
    const from: number[] = [];
    const counting = {
      recordsAfter: (seq: number) => {
        from.push(seq);
        return of.slice(seq);
      },
    };
    return { states: journalPast(counting, [end], new Snapshots(dir, SPACING)), from: from.at(-1) };
  }

  test('are made while the journal is read, and give what the whole journal gives', () => {
    expect(readdirSync(dir)).toHaveLength(1);
    for (const end of [seqEnd(280), NOW, { kind: 'time', ms: ms(270) } as const]) {
      const { states, from } = read(end);
      expect(from).toBe(250);
      expect(states).toEqual(journalPast(reader, [end], null));
    }
  });

  test('are of no use for what lies before them', () => {
    const { states, from } = read(seqEnd(249));
    expect(from).toBe(0);
    expect(states).toMatchObject([{ seq: 249, labels: new Map([[UUID, { n: `${247 % 3}` }]]) }]);
  });

  test('are not believed when they were changed, or are of another journal', () => {
    const elsewhere = chain(
      HOST,
      'other',
      records.slice(1, 280).map((one, at): Timed => {
        const { fact } = decodeRecord(one.bytes);
        if (fact === null) throw new Error('a fact was expected');
        return [at, fact];
      }),
    );
    expect(read(NOW, elsewhere)).toMatchObject({ from: 0, states: [{ journal: 'other' }] });
    const [name = ''] = readdirSync(dir);
    const file = join(dir, name);
    const whole = readFileSync(file, 'utf8');
    for (const bad of [
      whole.replace('assign_adapter', 'assign_adopter'),
      whole.slice(0, -1),
      '',
      '\n',
      'x\n{}',
    ]) {
      writeFileSync(file, bad);
      expect(read(seqEnd(260))).toMatchObject({ from: 0, states: [{ seq: 260 }] });
    }
    writeFileSync(file, whole);
    expect(read(seqEnd(260)).from).toBe(250);
  });

  test('that cannot be kept are done without', () => {
    const file = join(dir, readdirSync(dir)[0] ?? '');
    expect(journalPast(reader, [NOW], new Snapshots(join(file, 'below'), SPACING))).toMatchObject([
      { seq: COUNT + 1 },
    ]);
  });
});
