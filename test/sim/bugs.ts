/**
 * Planted bugs: what the simulation must be able to find. Each spoils one port of every agent, and
 * no line of the production code knows of them.
 */
import type { Append, AppendResult, Journal } from '../../store/journal/journal.ts';
import type { Registry, Written } from '../../store/registry/registry.ts';
import type { Bug } from './machine.ts';
import { overriding } from './overriding.ts';

export const BUGS: Readonly<Record<string, Bug>> = {
  'reserve without compare-and-set': (ports) => ({
    ...ports,
    registry: overriding(ports.registry, { write: (...args) => forced(ports.registry, ...args) }),
  }),
  'given back before the removal was observed': (ports) => ({
    ...ports,
    host: overriding(ports.host, {
      remove: async (uuid, place) => {
        void ports.host.remove(uuid, place);
        return { kind: 'ok' };
      },
      observe: async (uuid, look) => {
        const seen = await ports.host.observe(uuid, look);
        const leaving = seen.kind === 'removing' || seen.kind === 'busy';
        return leaving ? { kind: 'absent', room: null } : seen;
      },
    }),
  }),
  'the cursor moved in a transaction before its facts': (ports) => ({
    ...ports,
    journal: overriding(ports.journal, { append: (append) => cursorFirst(ports.journal, append) }),
  }),
  'reported before it is durable': (ports) => ({
    ...ports,
    journal: overriding(ports.journal, {
      append: async (append) => {
        void ports.journal.append(append);
        return { kind: 'durable', records: [] };
      },
    }),
  }),
  'an unknown outcome taken for success': (ports) => ({
    ...ports,
    registry: overriding(ports.registry, {
      write: async (key, value, expected) =>
        trusted(await ports.registry.write(key, value, expected), expected),
    }),
  }),
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

async function cursorFirst(journal: Journal, append: Append): Promise<AppendResult> {
  if (append.positions === undefined || append.facts.length === 0) return journal.append(append);
  await journal.append({ facts: [], positions: append.positions });
  return journal.append({ ...append, positions: {} });
}
