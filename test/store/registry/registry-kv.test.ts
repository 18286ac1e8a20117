/** The registry in a key-value bucket: the contract on both server versions, and what servers do beside. */
import { jetstreamManager } from '@nats-io/jetstream';
import { Kvm } from '@nats-io/kv';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Uplink } from '../../../events/jetstream/uplink.ts';
import { type Registry, RegistryUnavailable } from '../../../store/registry/registry.ts';
import { openKvRegistry, RegistryMissing } from '../../../store/registry/registry-kv.ts';
import { startNats } from '../../nats.ts';
import { registryContract } from './registry.contract.ts';
import { BUCKET, RegistryCluster, RegistryServer, startRegistryServer } from './registry-server.ts';

const KEY = '00000000-0000-4000-8000-000000000001';
const VALUE = new TextEncoder().encode('value');
const VERSIONS = ['newest', 'least'] as const;

for (const version of VERSIONS) {
  registryContract(`key-value, ${version} server`, () => startRegistryServer(version));
  registryContract(`key-value, three replicas on ${version} servers`, () => RegistryCluster.start(version));
}

describe.each(VERSIONS)('the bucket on the %s server', (version) => {
  let server: RegistryServer;
  let uplink: Uplink;
  let registry: Registry;

  beforeAll(async () => {
    server = await startRegistryServer(version);
    uplink = await server.uplink();
    registry = openKvRegistry(uplink, BUCKET);
  });

  afterAll(() => server.close());

  test('is one that any key-value client reads', async () => {
    const kv = await new Kvm(uplink.session().connection).open(BUCKET);
    const written = await registry.write(KEY, VALUE, 0);
    if (written.kind !== 'written') throw new Error('not written', { cause: written });
    expect((await kv.get(KEY))?.string()).toBe('value');
    expect(await kv.get(KEY)).toMatchObject({ operation: 'PUT', revision: written.revision });

    await registry.erase(KEY, written.revision);
    expect(await kv.get(KEY)).toMatchObject({ operation: 'DEL', key: KEY });
  });

  test('keeps what another key-value client wrote or erased', async () => {
    const kv = await new Kvm(uplink.session().connection).open(BUCKET);
    const revision = await kv.put('host.other', 'theirs');
    const entry = await registry.read('host.other');
    expect(entry).toMatchObject({ revision });
    expect(new TextDecoder().decode(entry?.value ?? undefined)).toBe('theirs');
    await kv.delete('host.other');
    expect(await registry.read('host.other')).toMatchObject({ revision: revision + 1, value: null });
  });

  test('that was never made is missing, with the way out', async () => {
    const missing = openKvRegistry(uplink, 'OTHER_REGISTRY');
    await expect(missing.read(KEY)).rejects.toThrow(RegistryMissing);
    await expect(missing.read(KEY)).rejects.toThrow(/OTHER_REGISTRY.*run mdevfleet init/);
    await expect(missing.at(KEY, 1)).rejects.toThrow(RegistryMissing);
    expect(await missing.write(KEY, VALUE, 0)).toMatchObject({
      kind: 'unknown',
      cause: { name: 'RegistryUnavailable' },
    });
  });
});

describe('a server that goes away', () => {
  test('leaves reads without an answer and writes unknown, and all is there when it is back', async () => {
    const server = await startRegistryServer('newest');
    try {
      const uplink = await server.uplink();
      const registry = openKvRegistry(uplink, BUCKET);
      const down = next(uplink, 'down');
      await registry.write(KEY, VALUE, 0);
      await server.nats.kill();
      await down;
      await expect(registry.read(KEY)).rejects.toThrow(RegistryUnavailable);
      expect(await registry.write(KEY, VALUE, 1)).toMatchObject({ kind: 'unknown' });

      const up = next(uplink, 'up');
      await server.nats.restart();
      await up;
      expect(await registry.read(KEY)).toMatchObject({ revision: 1 });
      expect(await registry.write(KEY, VALUE, 1)).toEqual({ kind: 'written', revision: 2 });
    } finally {
      await server.close();
    }
  });
});

/** Resolves when the uplink next changes to that state. */
function next(uplink: Uplink, wanted: 'up' | 'down'): Promise<void> {
  return new Promise((resolve) => {
    uplink.onState((state) => {
      if (state === wanted) resolve();
    });
  });
}

/** A server that says what the test makes it say, as no real one can be made to at will. */
describe('an answer of the server', () => {
  let server: RegistryServer;
  let uplink: Uplink;
  let registry: Registry;
  let answer: string | null;

  beforeAll(async () => {
    server = new RegistryServer(await startNats({ version: 'newest' }));
    uplink = await server.uplink(500);
    uplink.session().connection.subscribe(`$KV.${BUCKET}.>`, {
      callback: (_error, message) => {
        if (answer !== null) message.respond(answer);
      },
    });
    registry = openKvRegistry(uplink, BUCKET);
  });

  afterAll(() => server.close());

  function error(errCode: number, description: string): string {
    return JSON.stringify({ error: { code: 400, err_code: errCode, description } });
  }

  test.each([
    ['that it was stored', JSON.stringify({ stream: 'S', seq: 9 }), { kind: 'written', revision: 9 }],
    ['wrong last sequence: 7', error(10071, 'wrong last sequence: 7'), { kind: 'refused', revision: 7 }],
    ['wrong last sequence', error(10071, 'wrong last sequence'), { kind: 'refused', revision: null }],
  ])('%s is clear', async (_what, said, expected) => {
    answer = said;
    expect(await registry.write(KEY, VALUE, 0)).toEqual(expected);
    expect(await registry.erase(KEY, 0)).toEqual(expected);
  });

  test.each([
    ['another write is in flight', error(10164, 'wrong last sequence')],
    ['it lacks resources', error(10023, 'insufficient resources')],
    ['nonsense', 'nonsense'],
    ['nothing in time', null],
  ])('%s leaves a write unknown', async (_what, said) => {
    answer = said;
    expect(await registry.write(KEY, VALUE, 0)).toMatchObject({ kind: 'unknown' });
  });

  test('tells a write in flight, which passes, from a registry that cannot be reached', async () => {
    const cause = async () => {
      const written = await registry.write(KEY, VALUE, 0);
      return written.kind === 'unknown' ? written.cause : written;
    };
    answer = error(10164, 'wrong last sequence');
    expect(await cause()).not.toBeInstanceOf(RegistryUnavailable);
    answer = null;
    expect(await cause()).toBeInstanceOf(RegistryUnavailable);
  });
});

test('a bucket deleted under a running agent is missing from then on', async () => {
  const server = await startRegistryServer('newest');
  try {
    const uplink = await server.uplink();
    const registry = openKvRegistry(uplink, BUCKET);
    await registry.write(KEY, VALUE, 0);
    const manager = await jetstreamManager(uplink.session().connection);
    await manager.streams.delete(`KV_${BUCKET}`);
    await expect(registry.read(KEY)).rejects.toThrow(RegistryMissing);
  } finally {
    await server.close();
  }
});
