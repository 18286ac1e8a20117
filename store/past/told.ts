/**
 * Records with whose they are: what a journal, the observed stream and an export have in common.
 *
 * The records of one journal come in order and once each. Those of several may be mixed: from the stream they come as
 * hosts forwarded them, from journals and exports one journal after the other.
 */
import { sha256 } from '../../events/digest.ts';
import type { HostId, Uuid } from '../../events/names.ts';
import type { StoredRecord } from '../../events/record.ts';
import type { Message, Stream } from '../../events/stream.ts';
import { messagesOf } from '../../events/stream-messages.ts';
import { parseSubject, subjectFilter } from '../../events/subject.ts';
import { decodeStored, Misfit } from '../journal/replay.ts';
import { parseWitness } from '../witness.ts';
import { InOrder } from './in-order.ts';

/** A record, and whose it is. */
export type Told = { readonly host: HostId; readonly journal: string; readonly record: StoredRecord };

/** A record that should have come by now has not, though later ones have. */
export type Missing = { readonly host: HostId; readonly journal: string; readonly seq: number };

/** Which records to read; all unless given. A UUID's alone do not follow each other. */
export type Only = { readonly host?: HostId | undefined; readonly uuid?: Uuid | undefined };

/** Where facts of a fleet are. */
export type ObservedStream = { readonly stream: Stream; readonly prefix: string };

/**
 * The facts in the stream that are whole, in its order, repeats and all, from the message after `after` on; what
 * was changed on its way is left out. `onRead` is told how far it was read. Throws StreamUnavailable.
 */
export async function* factsIn(
  { stream, prefix }: ObservedStream,
  { host, uuid }: Only = {},
  after = 0,
  onRead?: (sequence: number) => void,
): AsyncGenerator<Told> {
  const filter = subjectFilter(prefix, 'observed', { host, uuid });
  for await (const message of messagesOf(stream, filter, after)) {
    const told = toldBy(prefix, message);
    if (told !== undefined) yield told;
    onRead?.(message.sequence);
  }
}

function toldBy(prefix: string, { subject, id, data }: Message): Told | undefined {
  const host = parseSubject(prefix, subject)?.host;
  const witness = parseWitness(id);
  if (!host || witness === undefined || sha256(data) !== witness.hash) return undefined;
  const { journal, seq, hash } = witness;
  return { host, journal, record: { seq, bytes: data, hash } };
}

/**
 * The facts in order and once each, as far as they follow each other; of a journal of which one is missing, `onMissing`
 * is told at the end.
 */
export async function* inOrder(
  facts: AsyncIterable<Told>,
  onMissing: (missing: Missing) => void,
): AsyncGenerator<Told> {
  const orders = new Map<string, { readonly host: HostId; readonly order: InOrder }>();
  for await (const { host, journal, record } of facts) {
    const key = `${host} ${journal}`;
    const { order } = orders.get(key) ?? { order: new InOrder() };
    orders.set(key, { host, order });
    for (const due of order.take(record)) yield { host, journal, record: due };
  }
  for (const [key, { host, order }] of orders) {
    if (order.missing === null) continue;
    onMissing({ host, journal: key.slice(host.length + 1), seq: order.missing });
  }
}

/** The records of one journal, each with whose it is, as the first one says. Throws Misfit when that is none. */
export async function* toldBySelf(
  records: AsyncIterable<StoredRecord> | Iterable<StoredRecord>,
): AsyncGenerator<Told> {
  let whose: Omit<Told, 'record'> | undefined;
  for await (const record of records) {
    whose ??= ownerIn(record);
    yield { ...whose, record };
  }
}

function ownerIn(record: StoredRecord): Omit<Told, 'record'> {
  const { seq } = record;
  const { fact } = decodeStored(record);
  if (fact?.kind === 'genesis') return { host: fact.host, journal: fact.journal };
  throw new Misfit(`record ${seq}, the first, does not say whose journal this is`, { seq });
}
