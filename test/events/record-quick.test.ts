/**
 * The quick ways of reading answer as the schemas do: for every kind of fact, and for records with anything changed.
 */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { accepts } from '../../events/accepts.ts';
import { facts } from '../../events/fact.ts';
import { decodeRecord, encodeRecord, NO_RECORD } from '../../events/record.ts';
import { decodeQuickly, decodeVouched, frameOf, rowsQuickly } from '../../events/record-quick.ts';
import { row } from '../../events/row.ts';
import { isRowsText } from '../../events/rows-text.ts';
import { unknownDevice } from '../../store/device.ts';
import { evolve } from '../../store/evolve.ts';
import { rowsOf } from '../../store/rows.ts';
import { anyKindOfFact } from '../store/journal/journal-facts.ts';

const HEAD = { time: '2026-01-01T00:00:00.000Z', boot: 'b"oot', prev: NO_RECORD };

/** Records of any kinds, with their rows, as text. */
const anyTexts = fc.array(anyKindOfFact, { minLength: 1, maxLength: 5 }).map((all) =>
  all.map((fact, at) => {
    const head = { ...HEAD, seq: at + 1, boot: at % 5 === 0 ? HEAD.boot : 'boot' };
    const device = 'uuid' in fact ? evolve(unknownDevice('node-1', fact.uuid), fact, at + 1) : undefined;
    return new TextDecoder().decode(encodeRecord(head, fact, device && rowsOf(device)).bytes);
  }),
);

const PIECES = [
  '"',
  '\\',
  ',',
  ':',
  '{',
  '}',
  '[',
  ']',
  '0',
  '1',
  '-',
  'x',
  '"rows":[',
  'null',
  '\u0000',
  'é',
  '/',
  'remove',
];

/** The text with a piece put in the place of some characters. */
function spoilt(text: string, at: number, length: number, piece: string): string {
  const start = at % text.length;
  return text.slice(0, start) + piece + text.slice(start + length);
}

function read(decode: typeof decodeRecord, text: string): unknown {
  try {
    const { envelope, fact } = decode(new TextEncoder().encode(text));
    const { seq, time, boot, kind, v, uuid, prev } = envelope;
    return { envelope: { seq, time, boot, kind, v, uuid, prev }, fact };
  } catch {
    return 'no record';
  }
}

const anySpoiling = fc.tuple(fc.nat({ max: 5_000 }), fc.nat({ max: 12 }), fc.constantFrom(...PIECES));

test('a record is read as it is by decodeRecord, whole or spoilt', () => {
  fc.assert(
    fc.property(anyTexts, anySpoiling, (texts, [at, length, piece]) => {
      for (const whole of texts) {
        for (const text of [whole, spoilt(whole, at, length, piece)])
          expect(read(decodeQuickly, text)).toEqual(read(decodeRecord, text));
      }
    }),
    { numRuns: 300 },
  );
});

test('the rows of a record are those that decodeRecord finds, whole or spoilt, and always rows', () => {
  fc.assert(
    fc.property(anyTexts, anySpoiling, (texts, [at, length, piece]) => {
      for (const whole of texts) {
        for (const text of [whole, spoilt(whole, at, length, piece)]) {
          const [quick, close] = [rowsOrNone(rowsQuickly, text), rowsOrNone(rowsClosely, text)];
          if (close !== 'no record') expect(quick).toEqual(close);
          else expect(quick === close || row.array().safeParse(quick).success).toBe(true);
        }
      }
    }),
    { numRuns: 300 },
  );
});

test('a record with a frame is read as it is by decodeRecord without a check of that', () => {
  fc.assert(
    fc.property(anyTexts, anySpoiling, (texts, [at, length, piece]) => {
      for (const text of texts.flatMap((whole) => [whole, spoilt(whole, at, length, piece)])) {
        if (frameOf(new TextEncoder().encode(text)) === undefined) continue;
        expect(read(decodeVouched, text)).toEqual(read(decodeRecord, text));
      }
    }),
    { numRuns: 300 },
  );
});

function rowsClosely(bytes: Uint8Array): unknown {
  return decodeRecord(bytes).envelope.rows ?? [];
}

function rowsOrNone(rowsIn: (bytes: Uint8Array) => unknown, text: string): unknown {
  try {
    return rowsIn(new TextEncoder().encode(text));
  } catch {
    return 'no record';
  }
}

/** As JSON.parse gives it, or undefined for what is no JSON. */
function parsed(text: string): { readonly rows?: unknown } | undefined {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

test('what is taken for rows is a list of rows, and rows are taken', () => {
  fc.assert(
    fc.property(anyTexts, anySpoiling, (texts, [at, length, piece]) => {
      for (const text of texts) {
        const { rows } = parsed(text) ?? {};
        if (rows === undefined) continue;
        const whole = JSON.stringify(rows);
        expect(isRowsText(whole)).toBe(true);
        const changed = spoilt(whole, at, length, piece);
        if (isRowsText(changed)) expect(row.array().safeParse(parsed(changed)).success).toBe(true);
      }
    }),
    { numRuns: 300 },
  );
});

test('a compiled schema takes what the schema takes, and nothing else', () => {
  const compiled = new Map(
    Object.entries(facts).map(([kind, schema]) => [kind, { schema, takes: accepts(schema) }]),
  );
  fc.assert(
    fc.property(anyTexts, anySpoiling, (texts, [at, length, piece]) => {
      for (const text of texts) {
        const { seq: _s, time: _t, boot: _b, prev: _p, rows: _r, ...fact } = JSON.parse(text);
        const changed = parsed(spoilt(JSON.stringify(fact), at, length, piece));
        for (const { schema, takes } of compiled.values()) {
          for (const value of [fact, changed, null, [fact]])
            expect(takes(value)).toBe(schema.safeParse(value).success);
        }
      }
    }),
    { numRuns: 40 },
  );
});
