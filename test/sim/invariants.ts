/**
 * What must hold once faults have stopped and everything is quiet.
 */
import { decodeEvent, eventKey } from '../../events/codec.ts';
import type { EventMeta } from '../../events/declaration.ts';
import { sha256 } from '../../events/digest.ts';
import { NO_RECORD } from '../../events/record.ts';
import type { Message } from '../../events/stream.ts';
import { NO_UUID, parseSubject } from '../../events/subject.ts';
import type { Device } from '../../store/device.ts';
import { verifyJournal } from '../../store/journal/verify.ts';
import { rowsOf } from '../../store/rows.ts';
import type { Cast } from './fault.ts';
import { PREFIX } from './inventory.ts';
import type { Machine } from './machine.ts';
import { journalOf, recordOf, recordsOf } from './records.ts';
import { lieIn } from './rows-truth.ts';
import type { ServerStream } from './server-stream.ts';

/** See each check. */
export function checkSettled(cast: Cast): void {
  const { world, server, machines } = cast;
  for (const machine of machines) {
    const told = (lie: string | undefined): void => void (lie && world.violation(`${machine.name}: ${lie}`));
    if (!machine.running) told('no agent runs');
    if (machine.isPutBack) told('it was not noticed that the disk was put back');
    told(brokenChain(machine));
    told(unwitnessed(machine, server.observed));
    told(repeated(machine, server.observed));
    told(misspoken(machine, server.observed));
    told(unheard(machine, server.desired, 0));
    told(unheard(machine, server.command, commandsFrom(machine)));
    for (const device of machine.disk.projections().devices.values()) {
      for (const row of rowsOf(device)) told(lieIn(cast, machine, device, row));
      told(halfHeld(cast, machine, device));
    }
    for (const { uuid } of machine.kernel.devices()) told(strayed(cast, machine, uuid));
  }
}

/** Each record follows the one before and carries its hash, and the projections are what the log folds to. */
function brokenChain(machine: Machine): string | undefined {
  let prev = NO_RECORD;
  for (const record of machine.disk.read(0, Number.MAX_SAFE_INTEGER)) {
    const { envelope } = recordOf(record);
    if (envelope.prev !== prev) return `record ${record.seq} does not follow`;
    prev = sha256(record.bytes);
  }
  const verified = verifyJournal(machine.disk);
  return verified.kind === 'damaged' ? `its journal is damaged: ${verified.reason}` : undefined;
}

/** The observed stream, ordered and freed of repeats, is the journal. */
function unwitnessed(machine: Machine, observed: ServerStream): string | undefined {
  const bySeq = new Map<number, string>();
  for (const { seq, hash } of recordsOf(machine.name, observed)) {
    if ((bySeq.get(seq) ?? hash) !== hash) return `two facts are number ${seq}`;
    bySeq.set(seq, hash);
  }
  const records = machine.disk.read(0, Number.MAX_SAFE_INTEGER);
  const missing = records.find(({ seq, hash }) => bySeq.get(seq) !== hash);
  if (missing !== undefined) return `fact ${missing.seq} is not in the observed stream`;
  return bySeq.size > records.length ? 'the observed stream has facts that the journal has not' : undefined;
}

/** A fact stands in the stream twice only where an answer got lost, or the stream went back. */
function repeated(machine: Machine, observed: ServerStream): string | undefined {
  if (observed.rewinds.length > 0) return undefined;
  const facts = recordsOf(machine.name, observed);
  const repeats = facts.length - new Set(facts.map(({ seq }) => seq)).size;
  const excused = machine.wire.unknowns * facts.length;
  return repeats > excused ? `${repeats} facts were forwarded again for no reason` : undefined;
}

/** Nobody but the host's own journal ever speaks for it. */
function misspoken({ name }: Machine, observed: ServerStream): string | undefined {
  const others = observed
    .all()
    .filter(
      ({ subject, id }) =>
        parseSubject(PREFIX, subject)?.host === name && !id?.startsWith(`${journalOf(name)}-`),
    );
  return others.length > 0 ? `${others.length} facts in its name are from ${others[0]?.id}` : undefined;
}

/** Commands are taken from where the stream ended when it was met. */
function commandsFrom(machine: Machine): number {
  let from = 0;
  for (const record of machine.disk.read(0, Number.MAX_SAFE_INTEGER)) {
    const { fact } = recordOf(record);
    if (fact?.kind === 'epoch' && fact.stream === 'command') from = fact.cursor.sequence;
  }
  return from;
}

/** Whatever the stream still has for the host has reached it. */
function unheard(machine: Machine, stream: ServerStream, after: number): string | undefined {
  const digests = unreadOf(machine);
  for (const message of stream.all()) {
    if (message.sequence <= after) continue;
    if (!isHeard(machine, message, digests)) {
      return `message ${message.sequence} of stream ${stream.name}, on ${message.subject}, never reached it`;
    }
  }
  return undefined;
}

function isHeard(machine: Machine, { subject, data }: Message, unread: ReadonlySet<string>): boolean {
  const parsed = parseSubject(PREFIX, subject);
  if (parsed?.host !== machine.name) return true;
  const decoded = decodeEvent(parsed, data);
  switch (decoded.kind) {
    case 'declaration':
      return isRecorded(machine, decoded.declaration);
    case 'command':
      return isRecorded(machine, decoded.command);
    case 'rejected':
    case 'unsupported':
      return unread.has(sha256(data));
    default:
      return decoded satisfies never;
  }
}

type Heard = { readonly data: object; readonly event: EventMeta };

/** Operators of the simulation speak of one device, or of the host. */
function isRecorded(machine: Machine, { data, event }: Heard): boolean {
  const uuid = 'uuid' in data ? String(data.uuid) : NO_UUID;
  return machine.disk.eventSeq(uuid, eventKey(event)) !== undefined;
}

/** Digests of what the machine recorded as not to be read. */
function unreadOf(machine: Machine): ReadonlySet<string> {
  const digests = new Set<string>();
  for (const record of machine.disk.read(0, Number.MAX_SAFE_INTEGER)) {
    const { fact } = recordOf(record);
    if (fact?.kind === 'rejected' || fact?.kind === 'unsupported') digests.add(fact.digest);
  }
  return digests;
}

/**
 * A hold in a journal is a hold in the registry, and the other way round; one that is still asked for may be either:
 * a device that is not ours keeps it from being asked for again, or given back. Where the registry has lost nothing
 * but that a UUID was given back, nobody can tell.
 */
function halfHeld({ server }: Cast, machine: Machine, { uuid, reservation }: Device): string | undefined {
  const hold = server.registry.holdOf(uuid)?.hold;
  const here = hold?.claim.host === machine.name && hold.phase !== 'fenced';
  if (reservation?.phase === 'claiming') return undefined;
  const held = reservation !== null && reservation.phase !== 'fenced';
  if (!here && reservation?.phase === 'releasing') return undefined;
  if (held === here || (!held && server.registry.disputed.has(uuid))) return undefined;
  const claims = `journal: ${JSON.stringify(reservation)}, registry: ${JSON.stringify(hold ?? null)}`;
  return `${uuid} is held on one side only; ${claims}`;
}

/**
 * A device is held, or somebody else's. What a host lost with its disk before it was forwarded, and by force meanwhile, is
 * nobody's: it is shown as that, or as what is in the way of what was declared.
 */
function strayed({ server }: Cast, machine: Machine, uuid: string): string | undefined {
  const isLost = machine.unproved.has(uuid) && server.registry.disputed.has(uuid);
  const device = machine.disk.projections().devices.get(uuid);
  const isShown = device?.unmanaged || device?.terminal?.reason === 'ForeignDevice';
  if (machine.foreign.has(uuid) || (isLost && isShown)) return undefined;
  return device?.reservation ? undefined : `nobody holds ${uuid}, but it exists`;
}
