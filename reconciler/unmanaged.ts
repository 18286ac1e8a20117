/**
 * Devices that nobody declared: reported, never touched.
 *
 * A device is unmanaged when it stands on the bus and this host neither desires nor holds
 * its UUID. What is recorded is only that one came, or went.
 */
import { type FactOf, facts } from '../events/fact.ts';
import type { Uuid } from '../events/names.ts';
import type { Device } from '../store/device.ts';
import type { Journal } from '../store/journal/journal.ts';
import type { Host, Surveyed } from './host.ts';

/**
 * Looks at every device on the bus and records which unmanaged ones came and went. `stale`: something was decided
 * about one of them while the look took its time, which may have been our own removal of it; look again.
 */
export async function recordUnmanaged(journal: Journal, host: Host): Promise<'recorded' | 'stale'> {
  const before = new Map([...journal.devices()].map(({ uuid, version }) => [uuid, version]));
  const survey = await host.survey();
  if (survey.kind === 'unreadable') return 'recorded';
  const news = changes([...journal.devices()], survey.devices, (uuid) => journal.device(uuid));
  const results = await Promise.all(
    news.map((fact) => {
      const expected = { uuid: fact.uuid, version: before.get(fact.uuid) ?? 0 };
      return journal.append({ facts: [fact], expected });
    }),
  );
  return results.some(({ kind }) => kind === 'stale') ? 'stale' : 'recorded';
}

function changes(
  known: readonly Device[],
  seen: readonly Surveyed[],
  device: (uuid: Uuid) => Device,
): readonly FactOf<'unmanaged'>[] {
  const present = new Set(seen.map((one) => one.uuid));
  const gone = known.filter((one) => one.unmanaged !== null && !present.has(one.uuid));
  const came = seen.filter((one) => isNews(device(one.uuid), one));
  return [...gone.map(({ uuid }) => fact(uuid, null)), ...came.map(cameFact)].filter(isRecordable);
}

function isNews(device: Device, seen: Surveyed): boolean {
  if (seen.type === null || device.reservation !== null || device.desired?.kind === 'present') return false;
  return device.unmanaged?.parent !== seen.parent || device.unmanaged.type !== seen.type;
}

function cameFact({ uuid, parent, type }: Surveyed): FactOf<'unmanaged'> {
  return fact(uuid, type === null ? null : { parent, type });
}

/** A driver may give its types names that no declaration can have; those are left out. */
function isRecordable(one: FactOf<'unmanaged'>): boolean {
  return facts.unmanaged.safeParse(one).success;
}

function fact(uuid: Uuid, device: FactOf<'unmanaged'>['device']): FactOf<'unmanaged'> {
  return { kind: 'unmanaged', v: 1, uuid, device };
}
