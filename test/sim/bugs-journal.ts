/**
 * Planted bugs about the journal: what is durable when, and what is remembered.
 */
import type { Device } from '../../store/device.ts';
import type { Append, AppendResult, Journal } from '../../store/journal/journal.ts';
import { type Bugs, spoil } from './bug.ts';
import { overriding } from './overriding.ts';

/** After so long a bug thinks that an end is worth another try. */
const REARMED_MS = 60_000;

function seenAs(journal: Journal, see: (device: Device) => Device): Journal {
  return overriding(journal, { device: (uuid) => see(journal.device(uuid)) });
}

export const JOURNAL_BUGS: Bugs = {
  'the cursor moved in a transaction before its facts': spoil(({ journal }) => ({
    journal: overriding(journal, { append: (append) => cursorFirst(journal, append) }),
  })),
  'reported before it is durable': spoil(({ journal }) => ({
    journal: overriding(journal, {
      append: async (append) => {
        void journal.append(append);
        return { kind: 'durable', records: [] };
      },
    }),
  })),
  'the intent journaled while the act is under way': spoil(({ journal }) => ({
    journal: overriding(journal, {
      device: (uuid) => journal.latest(uuid),
      append: async (append) => {
        const isIntent = append.facts.some(({ kind }) => kind === 'claiming' || kind === 'releasing');
        const answer = journal.append(append);
        return isIntent ? { kind: 'durable', records: [] } : answer;
      },
    }),
  })),
  'a full disk taken for a commit': spoil(({ journal }) => ({
    journal: overriding(journal, {
      append: async (append) => {
        const answer = await journal.append(append);
        return answer.kind === 'failed' ? { kind: 'durable', records: [] } : answer;
      },
    }),
  })),
  'the cursor moved to what a ring announced': spoil(({ journal, streams }) => {
    let rung = 0;
    return {
      streams: overriding(streams, {
        doorbell: (host, onRing) =>
          streams.doorbell(host, (ring) => {
            if (ring?.stream === 'desired') rung = Math.max(rung, ring.sequence);
            onRing(ring);
          }),
      }),
      journal: overriding(journal, { append: (append) => journal.append(leapt(append, rung)) }),
    };
  }),
  'an event taken again when it is published again': spoil(({ journal }) => ({
    journal: overriding(journal, { seen: () => false }),
  })),
  'a conflict tried again by a timer': spoil(({ journal, clock }) => {
    const endedMs = new Map<string, number>();
    return {
      journal: seenAs(journal, (device) => {
        if (device.terminal === null) endedMs.delete(device.uuid);
        else if (!endedMs.has(device.uuid)) endedMs.set(device.uuid, clock.monotonicMs());
        const sinceMs = endedMs.get(device.uuid) ?? Number.POSITIVE_INFINITY;
        return clock.monotonicMs() - sinceMs > REARMED_MS ? { ...device, terminal: null } : device;
      }),
    };
  }),
  'the reason to wait recorded at each look': spoil(({ journal }) => ({
    journal: seenAs(journal, (device) => ({ ...device, waiting: null })),
  })),
  'attributes written in reverse order': spoil(({ journal, host }) => {
    const queue = new Map<string, string[]>();
    return {
      host: overriding(host, {
        setAttribute: (uuid, place, attribute) => {
          const { desired } = journal.device(uuid);
          const list = desired?.kind === 'present' ? desired.attributes : [];
          const left = queue.get(uuid) ?? [];
          if (left.length === 0)
            left.push(...list.filter(({ name }) => name === attribute.name).map(({ value }) => value));
          queue.set(uuid, left);
          return host.setAttribute(uuid, place, {
            name: attribute.name,
            value: left.pop() ?? attribute.value,
          });
        },
      }),
    };
  }),
  'a paused host goes on': spoil(({ journal }) => ({
    journal: overriding(journal, { positions: () => ({ ...journal.positions(), paused: null }) }),
  })),
  'a cordoned parent gets new devices': spoil(({ journal }) => ({
    journal: overriding(journal, { positions: () => ({ ...journal.positions(), cordons: [] }) }),
  })),
  'a pause forgotten at the next start': spoil(({ journal }) => {
    const { paused } = journal.positions();
    return {
      journal: overriding(journal, {
        positions: () => {
          const now = journal.positions();
          return now.paused?.id === paused?.id ? { ...now, paused: null } : now;
        },
      }),
    };
  }),
  'a hold kept though it was withdrawn': spoil(({ journal }) => ({
    journal: seenAs(journal, (device) => {
      const { desired, reservation } = device;
      if (desired?.kind !== 'absent' || reservation?.phase !== 'active') return device;
      const { claim, applied, generation } = reservation;
      const still = {
        kind: 'present',
        generation,
        claim,
        attributes: applied ?? [],
        set: null,
        replaces: null,
      } as const;
      return { ...device, desired: still };
    }),
  })),
};

async function cursorFirst(journal: Journal, append: Append): Promise<AppendResult> {
  if (append.positions === undefined || append.facts.length === 0) return journal.append(append);
  await journal.append({ facts: [], positions: append.positions });
  return journal.append({ ...append, positions: {} });
}

function leapt(append: Append, rung: number): Append {
  const desired = append.positions?.desired;
  if (!desired) return append;
  const sequence = Math.max(desired.sequence, rung);
  return { ...append, positions: { ...append.positions, desired: { ...desired, sequence } } };
}
