/** The embedded registry, by the contract and across a restart. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { type Embedded, openEmbedded } from '../../../events/embedded/embedded.ts';
import { openLmdbRegistry } from '../../../store/registry/registry-lmdb.ts';
import { registryContract } from './registry.contract.ts';

const KEY = '00000000-0000-4000-8000-000000000001';

function open(dir: string): Promise<Embedded> {
  return openEmbedded(dir, { after: () => () => undefined, now: () => '2026-01-01T00:00:00.000Z' });
}

registryContract('LMDB', async () => {
  const dir = await mkdtemp(join(tmpdir(), 'mdevfleet-registry-'));
  const embedded = await open(dir);
  return {
    client: async () => openLmdbRegistry(embedded),
    close: async () => {
      await embedded.close();
      await rm(dir, { recursive: true });
    },
  };
});

let dir: string;

beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'mdevfleet-registry-'));
});

afterEach(() => rm(dir, { recursive: true }));

test('what was written is there after a restart, and revisions go on rising', async () => {
  const first = await open(dir);
  const written = await openLmdbRegistry(first).write(KEY, new Uint8Array([1]), 0);
  expect(written).toEqual({ kind: 'written', revision: 1 });
  await first.close();

  const second = await open(dir);
  const registry = openLmdbRegistry(second);
  expect(await registry.read(KEY)).toMatchObject({ revision: 1 });
  expect(await registry.write('fleet', new Uint8Array([2]), 0)).toEqual({ kind: 'written', revision: 2 });
  await second.close();
});
