/**
 * What is shown of hosts at a moment: rows of devices, and how far each host is known.
 */

import type { HostId, Uuid } from '../../events/names.ts';
import type { Row } from '../../events/row.ts';
import type { FleetPast } from '../../store/past/fleet-past.ts';
import type { Reached } from '../../store/past/walk.ts';
import { rowsOf } from '../../store/rows.ts';
import { compare } from '../compare.ts';

/** Of each host that had begun a journal, by name: its state at the moment with this index. */
export function statesAt(past: FleetPast, index: number): readonly Reached[] {
  return [...past]
    .sort(([a], [b]) => compare(a, b))
    .flatMap(([, states]) => states[index] ?? [])
    .filter(({ seq, fault }) => seq > 0 || fault !== null);
}

/** The rows of all devices, by host and UUID, one after the other. */
export function* rowsIn(states: readonly Reached[]): Generator<Row> {
  for (const { devices } of states) {
    for (const uuid of [...devices.keys()].sort(compare)) yield* rowsFor(devices, uuid);
  }
}

/** The rows of one device; none where nothing is known of it. */
export function rowsFor(devices: Reached['devices'], uuid: Uuid): readonly Row[] {
  const device = devices.get(uuid);
  return device === undefined ? [] : rowsOf(device);
}

/** How far a host is known, for programs. */
export type HostView = Pick<Reached, 'journal' | 'seq' | 'hash' | 'time' | 'next' | 'fault'> & {
  readonly host: HostId;
  /** Who paused the host; null while it goes on. */
  readonly paused: string | null;
  /** Parents on which no new device is made, and who said so; null stands for all of the host. */
  readonly cordoned: readonly { readonly parent: string | null; readonly by: string }[];
};

export function hostView({ host, journal, seq, hash, time, next, fault, positions }: Reached): HostView {
  const { paused, cordons } = positions;
  const cordoned = cordons.map(({ parent, by }) => ({ parent, by: by.source }));
  return { host, journal, seq, hash, time, next, fault, paused: paused?.source ?? null, cordoned };
}
