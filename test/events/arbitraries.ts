/**
 * Arbitrary names, declarations and commands, all of them valid: what an operator may send.
 */
import fc from 'fast-check';
import type { Command } from '../../events/command.ts';
import type { Declaration, EventMeta } from '../../events/declaration.ts';
import { type Attribute, type Claim, hostId, isSegment } from '../../events/names.ts';

/** A string of characters of the given set. */
function of(characters: string, maxLength: number): fc.Arbitrary<string> {
  return fc.string({ unit: fc.constantFrom(...characters), minLength: 1, maxLength });
}

const LOWER = 'abcdefghijklmnopqrstuvwxyz';
const DIGITS = '0123456789';

export const anyHost: fc.Arbitrary<string> = of(`${LOWER}${DIGITS}.-`, 40).filter(
  (name) => hostId.safeParse(name).success,
);

export const anyUuid: fc.Arbitrary<string> = fc
  .tuple(
    ...[8, 4, 4, 4, 12].map((length) =>
      fc.string({ unit: fc.constantFrom(...'0123456789abcdef'), minLength: length, maxLength: length }),
    ),
  )
  .map((parts) => parts.join('-'));

const anySegment: fc.Arbitrary<string> = of(`${LOWER}${LOWER.toUpperCase()}${DIGITS}_.:-`, 30).filter(
  isSegment,
);

export const anyAttribute: fc.Arbitrary<Attribute> = fc.record({
  name: fc.array(anySegment, { minLength: 1, maxLength: 4 }).map((segments) => segments.join('/')),
  value: fc
    .string({ unit: 'grapheme', minLength: 1, maxLength: 50 })
    .filter((value) => !value.includes('\0')),
});

const text = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 60 });

const anyMeta: fc.Arbitrary<EventMeta> = fc.record({
  id: text,
  source: text,
  time: fc
    .date({ min: new Date(0), max: new Date('2200-01-01'), noInvalidDate: true })
    .map((at) => at.toISOString()),
});

export const anyClaim: fc.Arbitrary<Claim> = fc.record({
  host: anyHost,
  parent: anySegment,
  type: anySegment,
});

const present: fc.Arbitrary<Declaration> = fc.record({
  desired: fc.constant('present'),
  event: anyMeta,
  data: fc.record(
    {
      uuid: anyUuid,
      host: anyHost,
      parent: anySegment,
      type: anySegment,
      attributes: fc.array(anyAttribute, { maxLength: 5 }),
      set: text,
      labels: fc.dictionary(text, text, { maxKeys: 3 }),
      replaces: anyClaim,
    },
    { requiredKeys: ['uuid', 'host', 'parent', 'type'] },
  ),
});

const absent: fc.Arbitrary<Declaration> = fc.record({
  desired: fc.constant('absent'),
  event: anyMeta,
  data: fc.record({ uuid: anyUuid, host: anyHost }),
});

export const anyDeclaration: fc.Arbitrary<Declaration> = fc.oneof(present, absent);

const wholeHost = fc.record({ host: anyHost });
const someParents = fc.record({ host: anyHost, parent: anySegment }, { requiredKeys: ['host'] });

export const anyCommand: fc.Arbitrary<Command> = fc.oneof(
  fc.record({
    command: fc.constant('retry' as const),
    event: anyMeta,
    data: fc.record({ uuid: anyUuid, host: anyHost }),
  }),
  fc.record({
    command: fc.constant('release' as const),
    event: anyMeta,
    data: fc.record({ uuid: anyUuid, host: anyHost, why: text }),
  }),
  fc.record({ command: fc.constant('pause' as const), event: anyMeta, data: wholeHost }),
  fc.record({ command: fc.constant('resume' as const), event: anyMeta, data: wholeHost }),
  fc.record({ command: fc.constant('cordon' as const), event: anyMeta, data: someParents }),
  fc.record({ command: fc.constant('uncordon' as const), event: anyMeta, data: someParents }),
  fc.record({
    command: fc.constant('reopen' as const),
    event: anyMeta,
    data: fc.record({ unconfirmed: fc.array(anyHost, { maxLength: 3 }) }),
  }),
);
