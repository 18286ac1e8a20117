/**
 * Planted bugs about the registry: who takes, keeps and gives back a UUID.
 */
import { decodeHold, decodeIncarnation, encodeValue } from '../../store/registry/hold.ts';
import type { Registry, Written } from '../../store/registry/registry.ts';
import { type Bugs, spoil } from './bug.ts';
import { overriding } from './overriding.ts';

function isHost(key: string): boolean {
  return key.startsWith('host.') || key === 'fleet';
}

export const REGISTRY_BUGS: Bugs = {
  'reserve without compare-and-set': spoil(({ registry }) => ({
    registry: overriding(registry, { write: (...args) => forced(registry, ...args) }),
  })),
  'give back without compare-and-set': spoil(({ registry }) => ({
    registry: overriding(registry, {
      erase: async (key, expected) => {
        const written = await registry.erase(key, expected);
        const there = written.kind === 'refused' ? written.revision : null;
        return there === null ? written : registry.erase(key, there);
      },
    }),
  })),
  'an unknown outcome taken for success': spoil(({ registry }) => ({
    registry: overriding(registry, {
      write: async (key, value, expected) => trusted(await registry.write(key, value, expected), expected),
    }),
  })),
  'an unknown giving back taken for given': spoil(({ registry }) => ({
    registry: overriding(registry, {
      erase: async (key, expected) => trusted(await registry.erase(key, expected), expected),
    }),
  })),
  'an unknown outcome closed by a read': spoil(({ registry, journal }) => ({
    registry: overriding(registry, {
      erase: async (key, expected) => {
        const entry = isHost(key) ? undefined : await registry.read(key).catch(() => undefined);
        const value = entry?.value ?? null;
        const isFree = value === null || decodeHold(value).claim.host !== journal.identity.host;
        return isFree ? { kind: 'written', revision: expected + 1 } : registry.erase(key, expected);
      },
    }),
  })),
  'created before the registry has answered': spoil(({ registry }) => ({
    registry: overriding(registry, {
      write: async (key, value, expected) => {
        if (isHost(key) || decodeHold(value).phase !== 'held') return registry.write(key, value, expected);
        void registry.write(key, value, expected).catch(() => undefined);
        return { kind: 'written', revision: expected + 1 };
      },
    }),
  })),
  'an incarnation that was never raised': spoil(({ registry }) => ({
    registry: overriding(registry, {
      write: async (key, value, expected) =>
        isHost(key) ? { kind: 'written', revision: expected + 1 } : registry.write(key, value, expected),
    }),
  })),
  'whoever starts speaks for the host': spoil(({ registry, journal }) => ({
    registry: overriding(registry, {
      read: async (key) => {
        const entry = await registry.read(key);
        if (!key.startsWith('host.') || entry?.value == null) return entry;
        const { journal: id, machine } = journal.identity;
        const value = encodeValue({ ...decodeIncarnation(entry.value), journal: id, machine });
        return { ...entry, value };
      },
    }),
  })),
  'a host that was forgotten goes on': spoil(({ registry }) => ({
    registry: overriding(registry, {
      read: async (key) => {
        const entry = await registry.read(key);
        if (!key.startsWith('host.') || entry?.value == null) return entry;
        const { vacant: _, ...identity } = decodeIncarnation(entry.value);
        return { ...entry, value: encodeValue(identity) };
      },
    }),
  })),
  'a holder that leaves taken for one that is gone': spoil(({ registry }) => ({
    registry: overriding(registry, {
      write: async (key, value, expected) => {
        const entry = isHost(key) ? undefined : await registry.read(key).catch(() => undefined);
        const leaving = entry?.value != null && decodeHold(entry.value).phase === 'releasing';
        return registry.write(key, value, leaving ? entry.revision : expected);
      },
    }),
  })),
  'the mark of a release taken for the release': spoil(({ registry }) => ({
    registry: overriding(registry, {
      write: async (key, value, expected) => {
        const isMark = !isHost(key) && decodeHold(value).phase === 'releasing';
        return isMark ? registry.erase(key, expected) : registry.write(key, value, expected);
      },
    }),
  })),
  'a hold asked for in the name of the place only': spoil(({ registry, journal }) => ({
    registry: overriding(registry, {
      at: async (key, revision) => {
        const entry = await registry.at(key, revision);
        if (isHost(key) || entry?.value == null) return entry;
        const hold = decodeHold(entry.value);
        const claim = { ...hold.claim, host: journal.identity.host };
        return { ...entry, value: encodeValue({ ...hold, claim, incarnation: 1 }) };
      },
    }),
  })),
  'a registry that lost writes taken as it is': spoil(({ registry, journal }) => ({
    registry: overriding(registry, {
      read: async (key) => {
        const entry = await registry.read(key);
        const known = journal.device(key).reservation;
        if (known === null || known.revision === null) return entry;
        const { claim, generation, revision } = known;
        if ((entry?.revision ?? 0) >= revision) return entry;
        const value = encodeValue({ v: 1, claim, generation, incarnation: 1, phase: 'held' });
        return { revision, value, time: entry?.time ?? '' };
      },
    }),
  })),
  'taken while the registry is rebuilding': spoil(({ registry }) => ({
    registry: overriding(registry, {
      read: async (key) => (key === 'fleet' ? undefined : registry.read(key)),
    }),
  })),
  'a host that was fenced goes on': spoil(({ journal }) => ({
    journal: overriding(journal, {
      device: (uuid) => {
        const device = journal.device(uuid);
        if (device.reservation?.phase !== 'fenced') return device;
        return { ...device, reservation: { ...device.reservation, phase: 'reserved' }, terminal: null };
      },
    }),
  })),
};

async function forced(
  registry: Registry,
  ...[key, value, expected]: Parameters<Registry['write']>
): Promise<Written> {
  const written = await registry.write(key, value, expected);
  const there = written.kind === 'refused' ? written.revision : null;
  return there === null ? written : registry.write(key, value, there);
}

function trusted(written: Written, expected: number): Written {
  return written.kind === 'unknown' ? { kind: 'written', revision: expected + 1 } : written;
}
