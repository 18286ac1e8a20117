/**
 * What must hold: always, and once faults have stopped.
 */

import { eventKey } from '../../events/codec.ts';
import type { EventMeta } from '../../events/declaration.ts';
import { sha256 } from '../../events/digest.ts';
import { decodeRecord, NO_RECORD } from '../../events/record.ts';
import type { Row } from '../../events/row.ts';
import type { Message, Streams } from '../../events/stream.ts';
import { parseSubject } from '../../events/subject.ts';
import type { Device } from '../../store/device.ts';
import { decodeHold } from '../../store/registry/hold.ts';
import type { Registry } from '../../store/registry/registry.ts';
import { rowsOf } from '../../store/rows.ts';
import { type Machine, PREFIX } from './machine.ts';
import type { World } from './world.ts';

/** After every event: no UUID exists on two hosts, but where somebody made one by hand. */
export function checkAlways(world: World, machines: readonly Machine[], reported: Set<string>): void {
  const at = new Map<string, string>();
  for (const machine of machines) {
    for (const { uuid } of machine.kernel.devices()) {
      if (machine.foreign.has(uuid)) continue;
      const other = at.get(uuid);
      const twice = `${uuid} exists on ${other} and ${machine.name}`;
      if (other !== undefined && !reported.has(twice)) {
        reported.add(twice);
        world.violation(twice);
      }
      at.set(uuid, machine.name);
    }
  }
}

/** Once everything is quiet: see each check. */
export async function checkSettled(
  world: World,
  machines: readonly Machine[],
  streams: Streams,
  registry: Registry,
): Promise<void> {
  const desired = await Array.fromAsync(streams.desired.lastPerSubject(`${PREFIX}.desired.*.*`));
  const observed = await all(streams);
  for (const machine of machines) {
    checkChain(world, machine);
    checkWitnessed(world, machine, observed);
    checkHeard(world, machine, desired);
    await checkDevices(world, machine, registry);
  }
}

async function all(streams: Streams): Promise<readonly Message[]> {
  const messages: Message[] = [];
  for (;;) {
    const more = await streams.observed.next(
      `${PREFIX}.observed.*.*`,
      messages.at(-1)?.sequence ?? 0,
      10_000,
    );
    if (more.length === 0) return messages;
    messages.push(...more);
  }
}

/** Each record follows the one before, and carries its hash. */
function checkChain(world: World, machine: Machine): void {
  let prev = NO_RECORD;
  for (const record of machine.disk.read(0, Number.MAX_SAFE_INTEGER)) {
    const { envelope } = decodeRecord(record.bytes);
    if (envelope.prev !== prev) world.violation(`${machine.name}: record ${record.seq} does not follow`);
    prev = sha256(record.bytes);
  }
}

/** The observed stream, ordered and freed of repeats, is the journal. */
function checkWitnessed(world: World, machine: Machine, observed: readonly Message[]): void {
  const journal = `journal-of-${machine.name}-`;
  const bySeq = new Map<number, string>();
  for (const { id, data } of observed) {
    if (!id?.startsWith(journal)) continue;
    const { seq } = decodeRecord(data).envelope;
    const digest = sha256(data);
    if (bySeq.has(seq) && bySeq.get(seq) !== digest)
      world.violation(`${machine.name}: two facts are number ${seq}`);
    bySeq.set(seq, digest);
  }
  for (const { seq, hash } of machine.disk.read(0, Number.MAX_SAFE_INTEGER)) {
    if (bySeq.get(seq) !== hash)
      world.violation(`${machine.name}: fact ${seq} is not in the observed stream`);
  }
}

/** The last declaration of each subject has reached its host. */
function checkHeard(world: World, machine: Machine, desired: readonly Message[]): void {
  for (const { subject, sequence, data } of desired) {
    const parsed = parseSubject(PREFIX, subject);
    if (parsed?.host !== machine.name || parsed.uuid === null) continue;
    const event = JSON.parse(new TextDecoder().decode(data)) as EventMeta;
    const heard = machine.disk.eventSeq(parsed.uuid, eventKey(event)) !== undefined;
    if (!heard) world.violation(`${machine.name} never heard of message ${sequence} on ${subject}`);
  }
}

async function checkDevices(world: World, machine: Machine, registry: Registry): Promise<void> {
  const { devices } = machine.disk.projections();
  for (const device of devices.values()) {
    for (const row of rowsOf(device)) checkRow(world, machine, device, row);
    await checkHold(world, machine, device, registry);
  }
  for (const { uuid } of machine.kernel.devices()) {
    const held = devices.get(uuid)?.reservation;
    if (!held && !machine.foreign.has(uuid))
      world.violation(`${machine.name}: nobody holds ${uuid}, but it exists`);
  }
}

/** A hold in a journal is a hold in the registry, and the other way round; one that is still asked for is none. */
async function checkHold(world: World, machine: Machine, device: Device, registry: Registry): Promise<void> {
  const entry = await registry.read(device.uuid);
  const hold = entry?.value ? decodeHold(entry.value) : undefined;
  const here = hold?.claim.host === machine.name;
  const held = device.reservation !== null && device.reservation.phase !== 'claiming';
  if (held !== here) {
    const claims = `journal: ${JSON.stringify(device.reservation)}, registry: ${JSON.stringify(hold ?? null)}`;
    world.violation(`${machine.name}: ${device.uuid} is held on one side only; ${claims}`);
  }
}

/** What a row says is true. */
function checkRow(world: World, machine: Machine, device: Device, row: Row): void {
  const there = machine.kernel.device(device.uuid);
  const same = there?.parent === row.parent && there.type === row.type;
  const lie = (why: string): void =>
    world.violation(`${machine.name}: ${device.uuid} says ${row.state} ${row.reason ?? ''}, but ${why}`);
  switch (row.state) {
    case 'ready':
      if (!same || there?.phase !== 'complete') lie(`the kernel has ${JSON.stringify(there ?? null)}`);
      return;
    case 'unmanaged':
      if (there === undefined) lie('it is not there');
      return;
    case 'waiting':
    case 'releasing':
      if (!isTrue(machine, row)) lie(`that is not so: the kernel has ${JSON.stringify(there ?? null)}`);
      return;
    case 'conflict':
    case 'failed':
      if (row.reason === null) lie('it gives no reason');
      return;
    default:
      row.state satisfies never;
  }
}

/** Whether a reason to wait is a fact, as far as the world can tell. */
function isTrue(machine: Machine, row: Row): boolean {
  const there = machine.kernel.device(row.uuid);
  const room = machine.kernel.room({ parent: row.parent, type: row.type });
  switch (row.reason) {
    case 'NoCapacity':
      return room.kind === 'available' && room.instances === 0;
    case 'Unremovable':
      return there?.phase === 'complete' && !there.removable;
    case 'ForeignDevice':
      return there !== undefined && (there.parent !== row.parent || there.type !== row.type);
    case 'NeedsRecreate':
      return there?.phase === 'complete';
    case 'HolderLeaving':
      return true;
    default:
      return false;
  }
}
