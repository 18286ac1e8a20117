/**
 * Planted bugs about the host: what is seen in sysfs, and what is made of the kernel's answers.
 */
import type { Host, Observed, Place, WriteResult } from '../../reconciler/host.ts';
import { Agent } from '../../src/agent/agent.ts';
import { type Bugs, spoil } from './bug.ts';
import { overriding } from './overriding.ts';

const GONE: Observed = { kind: 'absent', room: null };
const E = { noent: 2, exist: 17, nodev: 19 } as const;

function hasErrno(result: WriteResult, ...errnos: readonly number[]): boolean {
  return result.kind === 'errno' && errnos.includes(result.errno);
}

function standing(place: Place): Observed {
  const use = { kind: 'free' } as const;
  return { kind: 'present', place, identity: null, iommuGroup: null, removable: true, use, attributes: [] };
}

/** The host, as seen through somebody's mistake. */
function seen(host: Host, see: (seen: Observed, ...look: Parameters<Host['observe']>) => Observed): Host {
  return overriding(host, { observe: async (uuid, look) => see(await host.observe(uuid, look), uuid, look) });
}

export const HOST_BUGS: Bugs = {
  'given back before the removal was observed': spoil(({ host }) => ({
    host: overriding(host, {
      remove: async (uuid, place) => {
        void host.remove(uuid, place);
        return { kind: 'ok' };
      },
      observe: async (uuid, look) => {
        const there = await host.observe(uuid, look);
        return there.kind === 'removing' || there.kind === 'busy' ? GONE : there;
      },
    }),
  })),
  'off the bus taken for gone': spoil(({ host }) => ({
    host: seen(host, (there) => (there.kind === 'removing' || there.kind === 'busy' ? GONE : there)),
  })),
  'ENODEV and ENOENT taken for gone': spoil(({ host }) => {
    const gone = new Set<string>();
    return {
      host: overriding(host, {
        remove: async (uuid, place) => {
          const result = await host.remove(uuid, place);
          if (hasErrno(result, E.noent, E.nodev)) gone.add(uuid);
          return result;
        },
        observe: async (uuid, look) => (gone.delete(uuid) ? GONE : host.observe(uuid, look)),
      }),
    };
  }),
  'a removal that is in use taken for gone': spoil(({ host }) => {
    const gone = new Set<string>();
    return {
      host: overriding(host, {
        observe: async (uuid, look) => {
          const there = await host.observe(uuid, look);
          const inUse = there.kind === 'present' && there.use.kind === 'in-use';
          return inUse || gone.has(uuid) ? GONE : there;
        },
      }),
    };
  }),
  'removed without a look at who uses it': spoil(({ host }, { watched }) => ({
    host: overriding(host, {
      observe: async (uuid, look) => {
        const there = await host.observe(uuid, look);
        return there.kind === 'present' ? { ...there, use: { kind: 'free' } } : there;
      },
      remove: (uuid) => watched.kernel.remove(uuid),
    }),
  })),
  'a device elsewhere taken for ours': spoil(({ host }) => ({
    host: seen(host, (there, _uuid, { place }) =>
      there.kind === 'present' && place !== null ? { ...there, place } : there,
    ),
  })),
  'a foreign device removed on withdrawal': spoil(({ host }, { watched }) => ({
    host: overriding(host, {
      observe: async (uuid, look) => {
        const there = await host.observe(uuid, look);
        const leaving = there.kind === 'present' && look.use && look.place !== null;
        return leaving ? { ...there, place: look.place } : there;
      },
      remove: (uuid) => watched.kernel.remove(uuid),
    }),
  })),
  'EEXIST taken for success': spoil(({ host }) => {
    const made = new Set<string>();
    return {
      host: overriding(host, {
        create: async (uuid, place) => {
          const result = await host.create(uuid, place);
          if (!hasErrno(result, E.exist)) return result;
          made.add(uuid);
          return { kind: 'ok' };
        },
        observe: async (uuid, look) => {
          const there = await host.observe(uuid, look);
          return made.delete(uuid) && look.place !== null ? standing(look.place) : there;
        },
      }),
    };
  }),
  'drift ignored': spoil(({ host, journal }) => ({
    host: seen(host, (there, uuid, { place }) => {
      const active = journal.device(uuid).reservation?.phase === 'active';
      return there.kind === 'absent' && active && place !== null ? standing(place) : there;
    }),
  })),
  'a device that is not whole taken for whole': spoil(({ host }) => ({
    host: seen(host, (there, _uuid, { place }) =>
      there.kind === 'incomplete' && place !== null ? standing(place) : there,
    ),
  })),
  'what cannot be seen taken for gone': spoil(({ host }) => ({
    host: seen(host, (there) => (there.kind === 'busy' || there.kind === 'incomplete' ? GONE : there)),
  })),
  'what somebody else writes not noticed': spoil(({ host, journal }) => ({
    host: seen(host, (there, uuid, look) => {
      const { reservation } = journal.device(uuid);
      if (there.kind !== 'present' || reservation?.phase !== 'active') return there;
      const applied = reservation.applied ?? [];
      return { ...there, attributes: applied.filter(({ name }) => look.attributes?.includes(name)) };
    }),
  })),
  'two agents on one journal': (parts) => {
    void new Agent(parts.ports, parts.options).start().catch(() => undefined);
    return parts;
  },
};
