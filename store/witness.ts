/**
 * The observed stream as the witness of a journal: what a host forwarded of it, record by record.
 *
 * Each message carries a record's exact bytes, and names in its id the journal, the number and the
 * hash. Messages may be repeated, and other journals of the same host may stand between them.
 */
import { sha256 } from '../events/digest.ts';
import type { HostId } from '../events/names.ts';
import type { StoredRecord } from '../events/record.ts';
import type { Message, Stream } from '../events/stream.ts';
import { messagesOf } from '../events/stream-messages.ts';
import { subjectFilter } from '../events/subject.ts';
import { InOrder } from './past/in-order.ts';

const ID = /^(.+)-([1-9][0-9]*)-([0-9a-f]{64})$/;

/** Which record a message carries, as its id says. */
export type Witness = { readonly journal: string; readonly seq: number; readonly hash: string };

/** Where to look for the facts of a host. */
export type Testimony = { readonly stream: Stream; readonly host: HostId; readonly prefix: string };

/** The message id of a record: a repeat is recognised by it, and the stream witnesses the hash. */
export function formatWitness({ journal, seq, hash }: Witness): string {
  return `${journal}-${seq}-${hash}`;
}

/** The inverse of formatWitness; undefined for an id that is none of ours. */
export function parseWitness(id: string | null): Witness | undefined {
  const [, journal, seq, hash] = ID.exec(id ?? '') ?? [];
  if (journal === undefined || hash === undefined) return undefined;
  return { journal, seq: Number(seq), hash };
}

/** The record that the host forwarded last; undefined if it never did. Throws StreamUnavailable. */
export async function lastWitness(testimony: Testimony): Promise<Witness | undefined> {
  const { stream, host, prefix } = testimony;
  const message = await stream.last(subjectFilter(prefix, 'observed', { host }));
  const witness = parseWitness(message?.id ?? null);
  if (message === undefined || witness !== undefined) return witness;
  return lastAmongOthers(testimony);
}

/** Something else was published behind it, on the subjects of the host. */
async function lastAmongOthers(testimony: Testimony): Promise<Witness | undefined> {
  let last: Witness | undefined;
  for await (const { id } of messages(testimony)) last = parseWitness(id) ?? last;
  return last;
}

/** What the stream has of one journal, in its own order. Throws StreamUnavailable. */
export async function* witnessesOf(testimony: Testimony, journal: string): AsyncGenerator<Witness> {
  for await (const { id } of messages(testimony)) {
    const witness = parseWitness(id);
    if (witness?.journal === journal) yield witness;
  }
}

/**
 * The records of one journal in order, each once, as far as they were forwarded; some may have come before those that
 * they follow. A record whose bytes are not those that its id names is left out, and so is all that follows a gap.
 * Throws StreamUnavailable.
 */
export async function* recordsWitnessed(testimony: Testimony, journal: string): AsyncGenerator<StoredRecord> {
  const order = new InOrder();
  for await (const { id, data } of messages(testimony)) {
    const witness = parseWitness(id);
    if (witness?.journal !== journal || sha256(data) !== witness.hash) continue;
    yield* order.take({ seq: witness.seq, bytes: data, hash: witness.hash });
  }
}

function messages({ stream, host, prefix }: Testimony): AsyncGenerator<Message> {
  return messagesOf(stream, subjectFilter(prefix, 'observed', { host }));
}
