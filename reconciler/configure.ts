/**
 * The executor's steps about attributes: write them, see which can be watched, and record what became of them.
 *
 * A device that this agent has just made is taken back when an attribute is refused; any other
 * stays as it is. What was written by the time a write fails is recorded, so that it is not repeated.
 */
import { type Attribute, samePlace } from '../events/names.ts';
import type { Device } from '../store/device.ts';
import { type Acting, about, note, record, write } from './acting.ts';
import { appliedWith, readings, singles } from './attributes.ts';
import { deniesDevice, describeDenied, describeWrite } from './errno.ts';
import { tellTakenBack } from './hooked.ts';
import type { Place } from './host.ts';
import { AGAIN, judge, type Outcome, refused } from './outcome.ts';
import type { StepOf } from './step.ts';

export async function configure(
  acting: Acting,
  device: Device,
  { place, attributes }: StepOf<'configure'>,
): Promise<Outcome> {
  const { uuid, desired, reservation } = device;
  const { written, stopped } = await writeAll(acting, device, place, attributes);
  const isOwn = acting.memory.made(uuid) === 'created';
  if (stopped?.kind === 'terminal' && isOwn) return rollBack(acting, device, place, stopped);
  if (stopped !== undefined && written.length === 0) return stopped;
  const declared = desired?.kind === 'present' ? desired.attributes : [];
  const { applied, changed = [] } = reservation ?? {};
  const now = stopped === undefined ? declared : appliedWith(applied ?? [], written, declared, changed);
  const echoing = await echoingNow(acting, device, place, now, written);
  if (stopped === undefined && changed.length > 0) acting.memory.rewrote(uuid);
  return note(acting, { kind: 'configured', v: 1, ...about(device), attributes: [...now], echoing });
}

/** What was just written is read back, to find out what can be watched; what was watched before and not written stays. */
async function echoingNow(
  acting: Acting,
  { uuid, reservation }: Device,
  place: Place,
  applied: readonly Attribute[],
  written: readonly Attribute[],
): Promise<string[]> {
  const names = singles(applied);
  const asked = names.filter((name) => written.some((one) => one.name === name));
  const seen =
    asked.length === 0 ? null : await acting.host.observe(uuid, { place, use: false, attributes: asked });
  const { same: echoed } = readings(asked, applied, seen?.kind === 'present' ? seen.attributes : []);
  const before = reservation?.echoing ?? [];
  return names.filter((name) => (asked.includes(name) ? echoed : before).includes(name));
}

/** Writes in order until one write fails. What was written by then is recorded, and the rest tried again. */
async function writeAll(
  acting: Acting,
  device: Device,
  place: Place,
  attributes: readonly Attribute[],
): Promise<{ readonly written: readonly Attribute[]; readonly stopped?: Outcome }> {
  const written: Attribute[] = [];
  for (const attribute of attributes) {
    const stopped = await writeOne(acting, device, place, attribute);
    if (stopped !== undefined) return { written, stopped };
    written.push(attribute);
  }
  return { written };
}

/**
 * Undefined once it is written. Where a driver says that the device is not there though it is, the attribute is written
 * once more, since the file may have been that of a device whose place another one has taken; then it is refused.
 */
async function writeOne(
  acting: Acting,
  device: Device,
  place: Place,
  attribute: Attribute,
): Promise<Outcome | undefined> {
  const act = () => acting.host.setAttribute(device.uuid, place, attribute);
  const first = await write(acting, device, place, act);
  const isDenied = first !== 'changed' && deniesDevice(first) && (await stands(acting, device, place));
  const result = isDenied ? await write(acting, device, place, act) : first;
  if (result === 'changed') return AGAIN;
  if (result.kind === 'ok') return undefined;
  if (isDenied && deniesDevice(result)) return refused(describeDenied(result), result.errno);
  return judge('attribute', result);
}

/** Whether the device is whole, where it belongs. */
async function stands({ host }: Acting, { uuid }: Device, place: Place): Promise<boolean> {
  const seen = await host.observe(uuid, { place, use: false });
  return seen.kind === 'present' && samePlace(seen.place, place);
}

/** Removes a device that this agent has just made; the first error stays the one that is told. */
async function rollBack(
  acting: Acting,
  device: Device,
  place: Place,
  first: Extract<Outcome, { kind: 'terminal' }>,
): Promise<Outcome> {
  const result = await acting.gate.through(place.parent, () => acting.host.remove(device.uuid, place));
  tellTakenBack(acting, device, place, result);
  if (result.kind === 'ok') {
    acting.memory.untried(device.uuid);
    return first;
  }
  return {
    ...first,
    message: `${first.message}; taking the device back failed too: ${describeWrite('remove', result)}`,
  };
}

export async function recordChange(
  acting: Acting,
  device: Device,
  { generation, attributes }: StepOf<'record-change'>,
): Promise<Outcome> {
  const { uuid } = device;
  const cause = 'AttributesChanged';
  return record(acting, device, {
    kind: 'drift',
    v: 1,
    uuid,
    generation,
    cause,
    attributes: [...attributes],
  });
}

export async function unwatch(acting: Acting, device: Device, names: readonly string[]): Promise<Outcome> {
  const { applied, echoing = [] } = device.reservation ?? {};
  const kept = echoing.filter((name) => !names.includes(name));
  const attributes = [...(applied ?? [])];
  return record(acting, device, { kind: 'configured', v: 1, ...about(device), attributes, echoing: kept });
}
