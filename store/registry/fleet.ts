/**
 * The fleet's own state in the registry: whether UUIDs may be taken.
 *
 * Whoever finds that the registry has lost a write that it had acknowledged sets it to `rebuilding`,
 * by compare-and-set, and only an operator opens it again: nobody else can know that every host that
 * holds something has asserted it anew. A fleet that never had the key is open.
 */
import { decodeFleetState, encodeValue, type FleetState } from './hold.ts';
import { type Entry, type Registry, RegistryUnavailable, type Written } from './registry.ts';
import { reading, type Unknown, unknown } from './standing.ts';

const KEY = 'fleet';

/** Writes in one call; after that others are too busy with the key, and the caller tries later. */
const WRITES_PER_CALL_MAX = 4;

/** The state as it stands. `value` is null, and the fleet open, when nobody has written any. */
export type Fleet = {
  readonly kind: 'fleet';
  readonly state: FleetState['state'];
  readonly revision: number;
  readonly value: FleetState | null;
};

/** Who changes the state, why, and when by their clock. */
export type Statement = Pick<FleetState, 'by' | 'what' | 'at'>;

/** Reads the state. */
export function readFleet(registry: Registry): Promise<Fleet | Unknown> {
  return reading(async () => toFleet(await registry.read(KEY)));
}

/** Stops new reservations in the whole fleet; a fleet that is rebuilding already is left as it is. */
export function beginRebuilding(registry: Registry, statement: Statement): Promise<Fleet | Unknown> {
  return change(registry, { v: 1, state: 'rebuilding', ...statement }, (fleet) => fleet.state === 'open');
}

/** Makes the key of a fleet that has none; one that has is left as it is. */
export function openFirst(registry: Registry, statement: Statement): Promise<Fleet | Unknown> {
  return change(registry, { v: 1, state: 'open', ...statement }, (fleet) => fleet.value === null);
}

/** Ends the rebuilding that stands at `revision`. Any other that has begun since goes on, and is answered. */
export function reopen(registry: Registry, statement: Statement, revision: number): Promise<Fleet | Unknown> {
  return change(
    registry,
    { v: 1, state: 'open', ...statement },
    (fleet) => fleet.state === 'rebuilding' && fleet.revision === revision,
  );
}

/** Writes the state where `wanted` says so of what stands there; answers what stands there in the end. */
async function change(
  registry: Registry,
  value: FleetState,
  wanted: (fleet: Fleet) => boolean,
): Promise<Fleet | Unknown> {
  for (let write = 0; write < WRITES_PER_CALL_MAX; write += 1) {
    const fleet = await readFleet(registry);
    if (fleet.kind === 'unknown' || !wanted(fleet)) return fleet;
    const written: Written = await registry.write(KEY, encodeValue(value), fleet.revision);
    if (written.kind === 'unknown') return written;
    if (written.kind === 'written') {
      return { kind: 'fleet', state: value.state, revision: written.revision, value };
    }
  }
  return unknown('others kept writing the state of the fleet');
}

function toFleet(entry: Entry | undefined): Fleet {
  const revision = entry?.revision ?? 0;
  const bytes = entry?.value ?? null;
  const value = bytes === null ? null : decodeAt(revision, bytes);
  return { kind: 'fleet', state: value?.state ?? 'open', revision, value };
}

function decodeAt(revision: number, bytes: Uint8Array): FleetState {
  try {
    return decodeFleetState(bytes);
  } catch (cause) {
    const what = `the registry's value of ${KEY} at revision ${revision} is not a state that this program reads`;
    throw new RegistryUnavailable(what, { cause });
  }
}
