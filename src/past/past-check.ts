/**
 * A host's journal against what is beside it: the projections that its agent goes by, and sysfs as it is now.
 *
 * Nothing is written, and what passes by itself (a device that is just being made or removed) is no difference.
 */
import { isDeepStrictEqual } from 'node:util';
import type { Uuid } from '../../events/names.ts';
import type { Place, Surveyed } from '../../reconciler/host.ts';
import type { Device } from '../../store/device.ts';
import { FOLD_VERSION, type Projections } from '../../store/journal/journal-storage.ts';

/** Something that is not as the journal says. */
export type Difference = {
  readonly uuid: Uuid;
  readonly what: 'projection' | 'sysfs';
  readonly journal: string;
  readonly found: string;
};

type Devices = ReadonlyMap<Uuid, Device>;

/** Where the projections are not what the log folds to. Those of another version of the fold are made again anyway. */
export function* projectionDifferences(folded: Devices, stored: Projections): Generator<Difference> {
  if (stored.fold !== FOLD_VERSION) return;
  for (const uuid of new Set([...folded.keys(), ...stored.devices.keys()])) {
    const [log, projection] = [folded.get(uuid), stored.devices.get(uuid)];
    if (isDeepStrictEqual(log, projection)) continue;
    yield { uuid, what: 'projection', journal: versionOf(log), found: versionOf(projection) };
  }
}

function versionOf(device: Device | undefined): string {
  return device === undefined ? 'nothing' : `as of record ${device.version}`;
}

/** Where the kernel does not have what the journal says that it has. */
export function* sysfsDifferences(folded: Devices, there: readonly Surveyed[]): Generator<Difference> {
  const seen = new Map(there.map((device) => [device.uuid, device]));
  for (const [uuid, device] of folded) {
    const found = seen.get(uuid);
    seen.delete(uuid);
    const expected = expectedOf(device);
    if (expected === 'either' || found?.type === null) continue;
    if (placeText(expected) === placeText(found ?? null)) continue;
    yield { uuid, what: 'sysfs', journal: placeText(expected), found: placeText(found ?? null) };
  }
  for (const found of seen.values()) {
    if (found.type === null) continue;
    yield { uuid: found.uuid, what: 'sysfs', journal: placeText(null), found: placeText(found) };
  }
}

/** Where the device must be; 'either' while it comes or goes, or is somebody else's. */
function expectedOf({ reservation, unmanaged, desired }: Device): Place | null | 'either' {
  if (reservation?.phase === 'active') return reservation.claim;
  if (reservation !== null || desired?.kind === 'present') return 'either';
  return unmanaged;
}

function placeText(place: Pick<Surveyed, 'parent' | 'type'> | null): string {
  return place === null ? 'no device' : `${place.type} on ${place.parent}`;
}
