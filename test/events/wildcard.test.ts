import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { literalHead, matches, splitLast } from '../../events/wildcard.ts';

describe('a filter takes', () => {
  test.each([
    ['a.b', 'a.b', true],
    ['a.b', 'a.c', false],
    ['a.b', 'a.b.c', false],
    ['a.*', 'a.b', true],
    ['a.*', 'a', false],
    ['a.*', 'a.b.c', false],
    ['*.b', 'a.b', true],
    ['*.b', 'a.c', false],
    ['a.>', 'a.b', true],
    ['a.>', 'a.b.c', true],
    ['a.>', 'a', false],
    ['>', 'a', true],
    ['*.*.>', 'a.b', false],
  ])('%s, of %s: %s', (filter, subject, taken) => {
    expect(matches(filter, subject)).toBe(taken);
  });
});

const token = fc.constantFrom('a', 'b', 'longer', '_');
const tokens = fc.array(token, { minLength: 1, maxLength: 5 });

test('a subject takes itself, and every filter made from it by wildcards takes it', () => {
  fc.assert(
    fc.property(tokens, fc.array(fc.boolean()), fc.nat({ max: 5 }), (subject, starred, cut) => {
      const filter = subject.map((one, at) => (starred[at] === true ? '*' : one));
      const open = cut < subject.length ? [...filter.slice(0, cut), '>'] : filter;
      expect(matches(filter.join('.'), subject.join('.'))).toBe(true);
      expect(matches(open.join('.'), subject.join('.'))).toBe(true);
    }),
  );
});

test('whatever a filter takes begins with its literal head', () => {
  const filters = fc.array(fc.oneof(token, fc.constant('*')), { minLength: 1, maxLength: 4 });
  fc.assert(
    fc.property(filters, fc.boolean(), tokens, (first, open, other) => {
      const filter = [...first, ...(open ? ['>'] : [])].join('.');
      const subject = other.join('.');
      if (matches(filter, subject)) expect(subject.startsWith(literalHead(filter))).toBe(true);
      expect(literalHead(filter)).not.toMatch(/[*>]/);
    }),
  );
});

test('the last token splits off', () => {
  expect(splitLast('a.b.c')).toEqual(['a.b', 'c']);
  expect(splitLast('a')).toEqual(['', 'a']);
});
