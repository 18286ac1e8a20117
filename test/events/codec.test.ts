import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  type Decoded,
  decodeEvent,
  type Encoded,
  EVENT_BYTES_MAX,
  EXCERPT_BYTES_MAX,
  encodeCommand,
  encodeDeclaration,
  excerpt,
} from '../../events/codec.ts';
import { ATTRIBUTES_MAX, LABELS_MAX } from '../../events/declaration.ts';
import { parseSubject } from '../../events/subject.ts';
import { anyCommand, anyDeclaration } from './arbitraries.ts';

const PREFIX = 'mdev';
const UUID = '00000000-0000-4000-8000-000000000001';

function decode({ subject, data }: Pick<Encoded, 'subject' | 'data'>): Decoded {
  return decodeEvent(parseSubject(PREFIX, subject), data);
}

function json(value: unknown): Uint8Array {
  return new TextEncoder().encode(JSON.stringify(value));
}

function parsed(data: Uint8Array): Record<string, unknown> {
  return JSON.parse(new TextDecoder().decode(data));
}

describe('what was encoded', () => {
  test('decodes to the same declaration', () => {
    fc.assert(
      fc.property(anyDeclaration, (declaration) => {
        expect(decode(encodeDeclaration(PREFIX, declaration))).toEqual({ kind: 'declaration', declaration });
      }),
    );
  });

  test('decodes to the same command', () => {
    fc.assert(
      fc.property(anyCommand, (command) => {
        expect(decode(encodeCommand(PREFIX, command))).toEqual({ kind: 'command', command });
      }),
    );
  });

  test('is taken with extension attributes that others added', () => {
    fc.assert(
      fc.property(anyDeclaration, (declaration) => {
        const { subject, data } = encodeDeclaration(PREFIX, declaration);
        const extended = json({ ...parsed(data), traceparent: '00-1', sequence: 7 });
        expect(decode({ subject, data: extended })).toEqual({ kind: 'declaration', declaration });
      }),
    );
  });

  test('names its source in the message id, since ids are unique only there', () => {
    fc.assert(
      fc.property(anyDeclaration, (declaration) => {
        const { source, id } = declaration.event;
        const [before = '', ...after] = encodeDeclaration(PREFIX, declaration).id.split(' ');
        expect([decodeURIComponent(before), after.join(' ')]).toEqual([source, id]);
      }),
    );
  });
});

describe('bad input', () => {
  const subjects = fc.oneof(
    fc.constantFrom(
      `mdev.desired.a.${UUID}`,
      `mdev.command.a.${UUID}`,
      `mdev.observed.a.${UUID}`,
      'mdev.desired.a._',
    ),
    fc.string(),
  );

  test('of arbitrary bytes is rejected and never throws', () => {
    fc.assert(
      fc.property(subjects, fc.uint8Array({ maxLength: 400 }), (subject, data) => {
        expect(decode({ subject, data }).kind).toBe('rejected');
      }),
    );
  });

  test('of arbitrary JSON is rejected and never throws', () => {
    fc.assert(
      fc.property(subjects, fc.json(), (subject, text) => {
        expect(decode({ subject, data: new TextEncoder().encode(text) }).kind).toBe('rejected');
      }),
    );
  });

  test('made from a valid event by a change in one place never throws, and never passes for a lie', () => {
    fc.assert(
      fc.property(anyDeclaration, fc.nat(), fc.nat({ max: 255 }), (declaration, place, byte) => {
        const { subject, data } = encodeDeclaration(PREFIX, declaration);
        data[place % data.length] = byte;
        const decoded = decode({ subject, data });
        if (decoded.kind !== 'declaration') return;
        expect(decoded.declaration.data.host).toBe(declaration.data.host);
        expect(decoded.declaration.data.uuid).toBe(declaration.data.uuid);
      }),
      { numRuns: 500 },
    );
  });

  test('made from a valid event by leaving out or replacing a member is rejected', () => {
    const member = fc.constantFrom('specversion', 'id', 'source', 'type', 'time', 'subject', 'data');
    const wrong = fc.oneof(
      fc.constant(undefined),
      fc.integer(),
      fc.constant(''),
      fc.constant(null),
      fc.object(),
    );
    fc.assert(
      fc.property(anyDeclaration, member, wrong, (declaration, name, value) => {
        const { subject, data } = encodeDeclaration(PREFIX, declaration);
        expect(decode({ subject, data: json({ ...parsed(data), [name]: value }) }).kind).toBe('rejected');
      }),
    );
  });

  test('with a member of data that nobody knows is rejected, since it may have meant something', () => {
    fc.assert(
      fc.property(anyDeclaration, (declaration) => {
        const { subject, data } = encodeDeclaration(PREFIX, declaration);
        const event = parsed(data);
        const more = json({ ...event, data: { ...(event['data'] as object), force: true } });
        expect(decode({ subject, data: more })).toMatchObject({
          kind: 'rejected',
          reason: expect.stringContaining('force'),
        });
      }),
    );
  });
});

describe('a lie', () => {
  const event = {
    specversion: '1.0',
    id: '1',
    source: 'test',
    type: 'io.mdevfleet.device.absent.v1',
    time: '2026-01-01T00:00:00Z',
    subject: `a/${UUID}`,
    data: { uuid: UUID, host: 'a' },
  };
  const other = '00000000-0000-4000-8000-000000000002';

  test('is not told by the event itself', () => {
    expect(decode({ subject: `mdev.desired.a.${UUID}`, data: json(event) }).kind).toBe('declaration');
  });

  test.each([
    ['another host than the subject', `mdev.desired.b.${UUID}`, event],
    ['another UUID than the subject', `mdev.desired.a.${other}`, event],
    ['a declaration among commands', `mdev.command.a.${UUID}`, event],
    ['a declaration among facts', `mdev.observed.a.${UUID}`, event],
    ['a declaration for no device', 'mdev.desired.a._', event],
    ['another fleet’s subject', `fleet.desired.a.${UUID}`, event],
    ['an event about something else', `mdev.desired.a.${UUID}`, { ...event, subject: `b/${UUID}` }],
    [
      'a command among declarations',
      `mdev.desired.a.${UUID}`,
      { ...event, type: 'io.mdevfleet.command.retry.v1' },
    ],
  ])('is rejected: %s', (_, subject, value) => {
    expect(decode({ subject, data: json(value) }).kind).toBe('rejected');
  });

  test.each([
    ['io.mdevfleet.device.present.v2', 'unsupported'],
    ['io.mdevfleet.device.paused.v1', 'unsupported'],
    ['io.mdevfleet.command.evacuate.v1', 'unsupported'],
    ['io.mdevfleet.other.thing.v1', 'rejected'],
    ['com.example.device.present.v1', 'rejected'],
  ])('of type %s is %s', (type, kind) => {
    expect(decode({ subject: `mdev.desired.a.${UUID}`, data: json({ ...event, type }) }).kind).toBe(kind);
  });
});

describe('limits', () => {
  test('an event that is too large is rejected unread', () => {
    const data = new Uint8Array(EVENT_BYTES_MAX + 1).fill(32);
    expect(decode({ subject: `mdev.desired.a.${UUID}`, data })).toMatchObject({
      kind: 'rejected',
      reason: expect.stringContaining(String(EVENT_BYTES_MAX)),
    });
  });

  test('an event may have so many attributes and labels, and no more', () => {
    const kindOf = (attributes: number, labels: number) => {
      const data = {
        uuid: UUID,
        host: 'a',
        parent: 'p',
        type: 't',
        attributes: Array.from({ length: attributes }, (_, at) => ({ name: 'a', value: String(at) })),
        labels: Object.fromEntries(Array.from({ length: labels }, (_, at) => [`label-${at}`, ''])),
      };
      const event = { id: '1', source: 'test', time: '2026-01-01T00:00:00Z' };
      return decode(encodeDeclaration(PREFIX, { desired: 'present', event, data })).kind;
    };
    expect(kindOf(ATTRIBUTES_MAX, LABELS_MAX)).toBe('declaration');
    expect(kindOf(ATTRIBUTES_MAX + 1, LABELS_MAX)).toBe('rejected');
    expect(kindOf(ATTRIBUTES_MAX, LABELS_MAX + 1)).toBe('rejected');
  });

  test('an excerpt is readable whatever the bytes, and never long', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 3 * EXCERPT_BYTES_MAX }), (data) => {
        expect(excerpt(data).length).toBeLessThanOrEqual(EXCERPT_BYTES_MAX);
      }),
    );
    expect(excerpt(new TextEncoder().encode('plain'))).toBe('plain');
  });
});
