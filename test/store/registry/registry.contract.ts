/**
 * What every registry must do, whatever holds its keys. Run on each adapter by a test of its own.
 */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Registry, RegistryKey, Written } from '../../../store/registry/registry.ts';
import { cleared } from './cleared.ts';

/** A registry to test, empty at first; each `client` is one more way into the same one. */
export type RegistryUnderTest = { client(): Promise<Registry>; close(): Promise<void> };

/** Contenders for one key in the race. */
const CONTENDERS = 20;

export function registryContract(name: string, open: () => Promise<RegistryUnderTest>): void {
  describe(`registry contract: ${name}`, () => {
    let under: RegistryUnderTest;
    let registry: Registry;
    let keys = 0;

    beforeAll(async () => {
      under = await open();
      registry = await under.client();
    });

    afterAll(() => under.close());

    /** A key that no test has used. */
    function freshKey(): RegistryKey {
      keys += 1;
      return `00000000-0000-4000-8000-${String(keys).padStart(12, '0')}`;
    }

    test('a key never written reads as nothing', async () => {
      expect(await registry.read(freshKey())).toBeUndefined();
    });

    test('a write at 0 makes the key, and reads back with its revision and time', async () => {
      const key = freshKey();
      const revision = revisionOf(await registry.write(key, bytes('one'), 0));
      const entry = await registry.read(key);
      expect(entry).toMatchObject({ revision });
      expect(text(entry?.value)).toBe('one');
      expect(entry?.time).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$/);
    });

    test('a write at another revision than the last is refused, names the last, and changes nothing', async () => {
      const key = freshKey();
      const revision = revisionOf(await registry.write(key, bytes('one'), 0));
      for (const expected of [0, revision - 1, revision + 1]) {
        expect(await registry.write(key, bytes('two'), expected)).toEqual({ kind: 'refused', revision });
        expect(await registry.erase(key, expected)).toEqual({ kind: 'refused', revision });
      }
      expect(text((await registry.read(key))?.value)).toBe('one');
    });

    test('a key never written is refused at any revision but 0', async () => {
      const key = freshKey();
      expect(await registry.write(key, bytes('one'), 7)).toEqual({ kind: 'refused', revision: 0 });
      expect(await registry.erase(key, 7)).toEqual({ kind: 'refused', revision: 0 });
      expect(await registry.read(key)).toBeUndefined();
    });

    test('a write at the last revision replaces, and the write before is not found any more', async () => {
      const key = freshKey();
      const first = revisionOf(await registry.write(key, bytes('one'), 0));
      expect(text((await registry.at(key, first))?.value)).toBe('one');
      const second = revisionOf(await registry.write(key, bytes('two'), first));
      expect(second).toBeGreaterThan(first);
      expect(await registry.at(key, first)).toBeUndefined();
      expect(text((await registry.at(key, second))?.value)).toBe('two');
    });

    test('an erased key has a revision, which a later write must name', async () => {
      const key = freshKey();
      const held = revisionOf(await registry.write(key, bytes('one'), 0));
      const erased = revisionOf(await registry.erase(key, held));
      expect(await registry.read(key)).toMatchObject({ revision: erased, value: null });
      expect(await registry.at(key, erased)).toMatchObject({ revision: erased, value: null });
      expect(await registry.write(key, bytes('two'), 0)).toEqual({ kind: 'refused', revision: erased });
      revisionOf(await registry.write(key, bytes('two'), erased));
      expect(text((await registry.read(key))?.value)).toBe('two');
    });

    test('an erase moves a key on that was never written, or erased before', async () => {
      const key = freshKey();
      const first = revisionOf(await registry.erase(key, 0));
      const second = revisionOf(await registry.erase(key, first));
      expect(second).toBeGreaterThan(first);
      expect(await registry.write(key, bytes('one'), 0)).toEqual({ kind: 'refused', revision: second });
    });

    test('the revision of one key is nothing of another', async () => {
      const [one, two] = [freshKey(), freshKey()];
      const first = revisionOf(await registry.write(one, bytes('one'), 0));
      const second = revisionOf(await registry.write(two, bytes('two'), 0));
      expect(second).toBeGreaterThan(first);
      expect(await registry.at(one, second)).toBeUndefined();
      expect(await registry.at(one, second + 1_000)).toBeUndefined();
    });

    test.each<RegistryKey>(['fleet', 'host.a', 'host.node-7.rack.example.org'])(
      '%s is a key',
      async (key) => {
        const revision = revisionOf(await registry.write(key, bytes(key), 0));
        expect(text((await registry.read(key))?.value)).toBe(key);
        revisionOf(await registry.erase(key, revision));
      },
    );

    test('any bytes are a value, none at all too', async () => {
      for (const value of [Uint8Array.from({ length: 256 }, (_, index) => index), new Uint8Array()]) {
        const key = freshKey();
        const revision = revisionOf(await registry.write(key, value, 0));
        const back = (await registry.at(key, revision))?.value;
        expect(back && [...back]).toEqual([...value]);
      }
    });

    test('what was written does not change with the array that it came in', async () => {
      const key = freshKey();
      const value = bytes('one');
      const revision = revisionOf(await registry.write(key, value, 0));
      value.fill(0);
      expect(text((await registry.at(key, revision))?.value)).toBe('one');
    });

    test('what one client wrote another reads at once', async () => {
      const other = await under.client();
      const key = freshKey();
      let revision = 0;
      for (const value of ['one', 'two', 'three', 'four']) {
        revision = revisionOf(await registry.write(key, bytes(value), revision));
        expect(text((await other.read(key))?.value)).toBe(value);
      }
    });

    test('of many clients that write at one revision, one is written and the others refused', async () => {
      const clients = await Promise.all(Array.from({ length: 4 }, () => under.client()));
      const key = freshKey();
      for (let round = 0, expected = 0; round < 10; round += 1) {
        const writes = Array.from({ length: CONTENDERS }, (_, index) => {
          const client = clients[index % clients.length] ?? registry;
          return cleared(() => client.write(key, bytes(String(index)), expected));
        });
        const answers = await Promise.all(writes);
        const won = answers.flatMap((one, index) => (one.kind === 'written' ? [{ ...one, index }] : []));
        expect(won).toHaveLength(1);
        expect(answers.filter((one) => one.kind === 'refused')).toHaveLength(CONTENDERS - 1);
        expect(text((await registry.read(key))?.value)).toBe(String(won[0]?.index));
        expected = won[0]?.revision ?? 0;
      }
    });
  });
}

function revisionOf(written: Written): number {
  if (written.kind !== 'written') throw new Error(`not written: ${written.kind}`, { cause: written });
  return written.revision;
}

function bytes(value: string): Uint8Array {
  return new TextEncoder().encode(value);
}

function text(value: Uint8Array | null | undefined): string | null | undefined {
  return value && new TextDecoder().decode(value);
}
