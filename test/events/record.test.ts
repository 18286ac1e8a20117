import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { sha256 } from '../../events/digest.ts';
import { type Fact, facts } from '../../events/fact.ts';
import { decodeRecord, encodeRecord, NO_RECORD, type RecordHead } from '../../events/record.ts';
import { anyClaim, anyUuid } from './arbitraries.ts';

const anyHead: fc.Arbitrary<RecordHead> = fc.record({
  seq: fc.integer({ min: 1 }),
  time: fc.string(),
  boot: fc.string(),
  prev: fc.constantFrom(NO_RECORD, sha256(new Uint8Array([1]))),
});

const generation = fc.record({ epoch: fc.integer({ min: 1 }), sequence: fc.integer({ min: 1 }) });
const message = fc.string({ unit: 'grapheme' });

const anyFact: fc.Arbitrary<Fact> = fc.oneof(
  fc.record({ kind: fc.constant('stopped'), v: fc.constant(1) }),
  fc.record({ kind: fc.constant('started'), v: fc.constant(1), software: message, kernel: message }),
  fc.record({ kind: fc.constant('claiming'), v: fc.constant(1), uuid: anyUuid, generation, claim: anyClaim }),
  fc.record({
    kind: fc.constant('waiting'),
    v: fc.constant(1),
    uuid: anyUuid,
    generation,
    reason: fc.constantFrom('InUse', 'NoCapacity'),
    message,
    errno: fc.option(fc.integer()),
  }),
);

test('a record reads back as it was written, and its hash is that of its bytes', () => {
  fc.assert(
    fc.property(anyHead, anyFact, (head, fact) => {
      const record = encodeRecord(head, fact, []);
      const { envelope, fact: read } = decodeRecord(record.bytes);
      expect(read).toEqual(fact);
      expect(envelope).toMatchObject({ ...head, kind: fact.kind, v: fact.v, rows: [] });
      expect(record).toMatchObject({ seq: head.seq, hash: sha256(record.bytes) });
    }),
  );
});

test('every kind of fact has a version, and its kind is the name that it is listed under', () => {
  for (const [kind, { shape }] of Object.entries(facts)) {
    expect([...shape.kind.values]).toEqual([kind]);
    expect([...shape.v.values]).toEqual([1]);
  }
});

describe('a record of a newer program', () => {
  const head = { seq: 1, time: '', boot: '', prev: NO_RECORD };
  const bytes = (value: object) => new TextEncoder().encode(JSON.stringify({ ...head, ...value }));

  test.each([
    ['a kind that nobody knows', { kind: 'teleported', v: 1, to: 'x' }],
    ['a version that nobody knows', { kind: 'stopped', v: 2 }],
    ['a member that nobody knows', { kind: 'stopped', v: 1, why: 'x' }],
  ])('keeps its envelope: %s', (_, value) => {
    const { envelope, fact } = decodeRecord(bytes(value));
    expect(fact).toBeNull();
    expect(envelope).toMatchObject({ ...head, ...value });
  });
});

test('what is no record at all throws', () => {
  for (const text of ['', '{}', '[]', 'null', '{"seq":0}', '\u0000']) {
    expect(() => decodeRecord(new TextEncoder().encode(text))).toThrow();
  }
});
