import fc from 'fast-check';
import { expect, test } from 'vitest';
import { formatSubject, parseSubject, type Subject, subjectFilter } from '../../events/subject.ts';
import { matches } from '../../events/wildcard.ts';
import { anyHost, anyUuid } from './arbitraries.ts';

const anySubject: fc.Arbitrary<Subject> = fc.record({
  kind: fc.constantFrom('desired', 'observed', 'command', 'doorbell'),
  host: anyHost,
  uuid: fc.option(anyUuid),
});
const WHOLE_FLEET: Subject = { kind: 'command', host: null, uuid: null };
const INVENTORY: fc.Arbitrary<Subject> = anyHost.map((host) => ({
  ...{ kind: 'observed', host, uuid: null, topic: 'inventory' },
}));
const anyPrefix = fc.constantFrom('mdev', 'my-fleet', 'eu.west.mdev', 'desired');

test('parsing is the inverse of formatting', () => {
  fc.assert(
    fc.property(anyPrefix, fc.oneof(anySubject, INVENTORY, fc.constant(WHOLE_FLEET)), (prefix, subject) => {
      expect(parseSubject(prefix, formatSubject(prefix, subject))).toEqual(subject);
    }),
  );
});

test('what parses is formatted as it was, and everything else is none of ours', () => {
  const kind = fc.constantFrom('desired', 'observed', 'wished');
  const host = fc.oneof(
    anyHost.map((name) => name.replaceAll('.', '_')),
    fc.constantFrom('*', '', 'A', 'é', '_a'),
  );
  const last = fc.oneof(anyUuid, fc.constantFrom('_', 'inventory', '*', '>', ''));
  fc.assert(
    fc.property(anyPrefix, fc.tuple(kind, host, last), (prefix, parts) => {
      const subject = [prefix, ...parts].join('.');
      const parsed = parseSubject(prefix, subject);
      expect(parsed === undefined || formatSubject(prefix, parsed) === subject).toBe(true);
      if (/wished|[*>Aé]|\.(_a)?\./.test(subject.slice(prefix.length))) expect(parsed).toBeUndefined();
    }),
  );
});

test.each([
  'mdev.desired.a',
  'mdev.desired.a.00000000-0000-4000-8000-000000000001.more',
  'other.desired.a.00000000-0000-4000-8000-000000000001',
  'mdev.wished.a.00000000-0000-4000-8000-000000000001',
  'mdev.desired.A.00000000-0000-4000-8000-000000000001',
  'mdev.desired.a.00000000-0000-4000-8000-00000000000A',
  'mdev.desired._.00000000-0000-4000-8000-000000000001',
  'mdev.command._.00000000-0000-4000-8000-000000000001',
  'mdev.desired.a.__',
  'mdev.desired.a.inventory',
  'mdev.observed._.inventory',
  'mdev',
  '',
])('%s is no subject of the fleet', (subject) => {
  expect(parseSubject('mdev', subject)).toBeUndefined();
});

test('two hosts never share a subject, and a filter for one takes none of the other’s', () => {
  fc.assert(
    fc.property(anyHost, anyHost, anyUuid, (one, other, uuid) => {
      fc.pre(one !== other);
      const subject = formatSubject('mdev', { kind: 'desired', host: other, uuid });
      expect(subject).not.toBe(formatSubject('mdev', { kind: 'desired', host: one, uuid }));
      expect(matches(subjectFilter('mdev', 'desired', { host: one }), subject)).toBe(false);
      expect(matches(subjectFilter('mdev', 'desired', { host: other }), subject)).toBe(true);
      expect(matches(subjectFilter('mdev', 'desired', { uuid }), subject)).toBe(true);
      expect(matches(subjectFilter('mdev', 'observed'), subject)).toBe(false);
    }),
  );
});
