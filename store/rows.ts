/**
 * From what is known of a UUID to the rows that `get devices` shows for it.
 *
 * A device that is withdrawn, gone and released has no row. A refused claim has one of
 * its own, after the row of the claim that holds.
 */
import {
  type Attribute,
  type Claim,
  type Generation,
  sameAttributes,
  sameGeneration,
  samePlace,
} from '../events/names.ts';
import type { DeviceState, Row } from '../events/row.ts';
import type { Device, Terminal } from './device.ts';

/** The rows of one UUID on this host: none, one, or two. */
export function rowsOf(device: Device): readonly Row[] {
  const rows = [primary(device), refused(device)];
  return rows.filter((one) => one !== null);
}

type Condition = Pick<Row, 'state' | 'reason' | 'message'>;

function primary(device: Device): Row | null {
  const { desired, reservation, unmanaged } = device;
  if (desired?.kind === 'present') {
    const { claim, generation, attributes, set } = desired;
    return make(device, claim, generation, attributes, set, presentCondition(device));
  }
  if (reservation !== null) {
    const generation = desired?.generation ?? reservation.generation;
    return make(
      device,
      reservation.claim,
      generation,
      reservation.applied ?? [],
      null,
      waiting(device, 'releasing'),
    );
  }
  if (unmanaged === null) return null;
  const claim = { host: device.host, ...unmanaged };
  const condition = { state: 'unmanaged', reason: null, message: null } as const;
  return make(device, claim, null, [], null, condition);
}

function refused(device: Device): Row | null {
  if (device.refused === null) return null;
  const { claim, generation } = device.refused;
  return make(device, claim, generation, [], null, ending(device.refused));
}

function presentCondition(device: Device): Condition {
  const { desired, reservation, terminal } = device;
  if (desired === null) return waiting(device, 'waiting');
  if (terminal !== null && sameGeneration(terminal.generation, desired.generation)) return ending(terminal);
  const ready = reservation?.phase === 'active' && device.waiting === null;
  return ready && matches(device)
    ? { state: 'ready', reason: null, message: null }
    : waiting(device, 'waiting');
}

/** True when the active reservation is for the declared claim, and the device has the declared attributes. */
function matches(device: Device): boolean {
  const { desired, reservation } = device;
  if (desired?.kind !== 'present' || reservation === null) return false;
  const { claim, applied, changed } = reservation;
  const there = samePlace(claim, desired.claim);
  return there && changed.length === 0 && sameAttributes(applied ?? [], desired.attributes);
}

function waiting(device: Device, state: DeviceState): Condition {
  return { state, reason: device.waiting?.reason ?? null, message: device.waiting?.message ?? null };
}

function ending(terminal: Terminal): Condition {
  return { state: terminal.kind, reason: terminal.reason, message: terminal.message };
}

function make(
  device: Device,
  claim: Claim,
  generation: Generation | null,
  attributes: readonly Attribute[],
  set: string | null,
  condition: Condition,
): Row {
  return {
    uuid: device.uuid,
    host: device.host,
    parent: claim.parent,
    type: claim.type,
    ...condition,
    generation,
    attributes: [...attributes],
    set,
  };
}
