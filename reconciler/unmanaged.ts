/**
 * Devices that nobody declared: reported, never touched.
 *
 * A device is unmanaged when it stands on the bus and this host neither desires nor holds
 * its UUID. What is recorded is only that one came, or went.
 */
import type { FactOf } from '../events/fact.ts';
import type { Uuid } from '../events/names.ts';
import type { Device } from '../store/device.ts';
import type { Journal } from '../store/journal.ts';
import type { Host, Surveyed } from './host.ts';

/** Looks at every device on the bus and records which unmanaged ones came and went. */
export async function recordUnmanaged(journal: Journal, host: Host): Promise<void> {
  const survey = await host.survey();
  if (survey.kind === 'unreadable') return;
  const facts = changes([...journal.devices()], survey.devices, (uuid) => journal.device(uuid));
  await Promise.all(
    facts.map((fact) => {
      const { version } = journal.device(fact.uuid);
      return journal.append({ facts: [fact], expected: { uuid: fact.uuid, version } });
    }),
  );
}

function changes(
  known: readonly Device[],
  seen: readonly Surveyed[],
  device: (uuid: Uuid) => Device,
): readonly FactOf<'unmanaged'>[] {
  const present = new Set(seen.map((one) => one.uuid));
  const gone = known.filter((one) => one.unmanaged !== null && !present.has(one.uuid));
  const came = seen.filter((one) => isNews(device(one.uuid), one));
  return [
    ...gone.map((one) => fact(one.uuid, null)),
    ...came.map((one) => fact(one.uuid, one.type === null ? null : { parent: one.parent, type: one.type })),
  ];
}

function isNews(device: Device, seen: Surveyed): boolean {
  if (seen.type === null || device.reservation !== null || device.desired?.kind === 'present') return false;
  return device.unmanaged?.parent !== seen.parent || device.unmanaged.type !== seen.type;
}

function fact(uuid: Uuid, device: FactOf<'unmanaged'>['device']): FactOf<'unmanaged'> {
  return { kind: 'unmanaged', v: 1, uuid, device };
}
