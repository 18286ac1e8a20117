/**
 * Events that prove who published them.
 */
import { createPublicKey } from 'node:crypto';
import fc from 'fast-check';
import { nkeys } from 'nats';
import { describe, expect, test } from 'vitest';
import { decodeEvent, encodeDeclaration } from '../../events/codec.ts';
import type { Declaration } from '../../events/declaration.ts';
import { nameOf, privateKeyOf, publicKeyOf } from '../../events/nkey.ts';
import { createMemoryStreams } from '../../events/stream-memory.ts';
import { SignedStream } from '../../events/stream-signed.ts';
import { parseSubject } from '../../events/subject.ts';

const UUID = '5d3c7e0a-2f51-4b1e-9a44-0c8a6f1e2b01';

function newKey() {
  const user = nkeys.createUser();
  const seed = new TextDecoder().decode(user.getSeed());
  const key = privateKeyOf(seed);
  if (key === undefined) throw new Error('no key of that seed');
  return { key, seed, name: user.getPublicKey() };
}

const declaration: Declaration = {
  desired: 'present',
  event: { id: 'event-1', source: 'alice', time: '2026-01-01T00:00:00Z' },
  data: {
    uuid: UUID,
    host: 'host-a',
    parent: 'mtty',
    type: 'mtty-1',
    labels: { b: 'ü\u0000', a: '1', 10: 'x', 9: '' },
  },
};

/** The event as a signing publisher leaves it in the stream. */
async function published(key: ReturnType<typeof newKey>['key']) {
  const stream = createMemoryStreams({ now: () => '2026-01-01T00:00:00Z' }).desired;
  const signing = new SignedStream(stream, key);
  await signing.append(encodeDeclaration('mdev', declaration));
  const message = await signing.last('mdev.desired.>');
  if (message === undefined) throw new Error('nothing was published');
  return { subject: parseSubject('mdev', message.subject), text: new TextDecoder().decode(message.data) };
}

function decode(subject: ReturnType<typeof parseSubject>, text: string) {
  return decodeEvent(subject, new TextEncoder().encode(text));
}

describe('an NKey', () => {
  test('is the one that NATS makes of the same seed', () => {
    const { key, seed, name } = newKey();
    expect(nameOf(key)).toBe(name);
    expect(publicKeyOf(name)?.equals(createPublicKey(key))).toBe(true);
    expect(nkeys.fromSeed(new TextEncoder().encode(seed)).getPublicKey()).toBe(name);
  });

  test('with one character changed is none', () => {
    const { seed, name } = newKey();
    fc.assert(
      fc.property(fc.nat(name.length - 1), fc.constantFrom('A', 'Z', '7', '1', 'a'), (at, letter) => {
        const changed = name.slice(0, at) + letter + name.slice(at + 1);
        expect(publicKeyOf(changed) === undefined).toBe(changed !== name);
      }),
    );
    expect(privateKeyOf(name)).toBeUndefined();
    expect(publicKeyOf(seed)).toBeUndefined();
    expect(publicKeyOf('')).toBeUndefined();
  });
});

describe('a signed event', () => {
  test('tells who signed it, in whatever order its members are written', async () => {
    const { key, name } = newKey();
    const { subject, text } = await published(key);
    const event = { ...declaration.event, signer: name };
    expect(decode(subject, text)).toEqual({ kind: 'declaration', declaration: { ...declaration, event } });
    const turned = Object.fromEntries(Object.entries(JSON.parse(text)).reverse());
    expect(decode(subject, JSON.stringify(turned, null, 3))).toMatchObject({ declaration: { event } });
  });

  test('is turned away when anything in it is not what was signed', async () => {
    const { key } = newKey();
    const { subject, text } = await published(key);
    const event = JSON.parse(text);
    const lies = [
      { ...event, source: 'bob' },
      { ...event, time: '2026-01-01T00:00:01Z' },
      { ...event, data: { ...event.data, type: 'mtty-2' } },
      { ...event, data: { ...event.data, labels: {} } },
      { ...event, extension: 'x' },
      { ...event, signer: newKey().name },
      { ...event, signer: 'U' },
      { ...event, signature: 'AAAA' },
      { ...event, signature: undefined },
      { ...event, signer: undefined },
      { ...event, signature: 7 },
    ];
    for (const lie of lies) {
      expect(decode(subject, JSON.stringify(lie))).toEqual({
        kind: 'rejected',
        reason: 'its signature is not that of its signer',
      });
    }
  });

  test('is no other than one without: its source is then only claimed', async () => {
    const { subject, text } = await published(newKey().key);
    const { signer: _signer, signature: _signature, ...rest } = JSON.parse(text);
    expect(decode(subject, JSON.stringify(rest))).toEqual({ kind: 'declaration', declaration });
  });
});
