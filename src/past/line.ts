/**
 * A record as one line: who, when, why, of which declaration, with which errno.
 *
 * What this program does not know is shown as it is: a line hides no record.
 */
import type { EventMeta } from '../../events/declaration.ts';
import type { Fact } from '../../events/fact.ts';
import { type Generation, generation as generationShape } from '../../events/names.ts';
import { type DecodedRecord, decodeRecord } from '../../events/record.ts';
import { errnoName } from '../../reconciler/errno.ts';
import type { Told } from '../../store/past/told.ts';
import { tell } from './words.ts';

/** Most characters that are shown of a record that this program does not know. */
const UNKNOWN_CHARS_MAX = 400;

export type Line = {
  readonly time: string;
  readonly host: string;
  readonly seq: number;
  readonly kind: string;
  readonly uuid: string | null;
  readonly generation: Generation | null;
  /** Who asked for it; null for what the agent did of itself. */
  readonly who: string | null;
  readonly why: string;
  readonly errno: number | null;
  /** null for a kind or version that this program does not know, and for what is no record. */
  readonly fact: Fact | null;
};

export function lineOf({ host, record }: Told): Line {
  const decoded = decode(record.bytes);
  if (decoded === null) return unreadable(host, record.seq, record.bytes);
  const { envelope, fact } = decoded;
  const generation = generationShape.safeParse(envelope['generation']);
  return {
    ...{ time: envelope.time, host, seq: envelope.seq, kind: envelope.kind, uuid: envelope.uuid ?? null },
    generation: generation.success ? generation.data : null,
    who: fact === null ? null : whoIn(fact),
    why: fact === null ? unknown(decoded) : tell(fact),
    errno: fact !== null && 'errno' in fact ? fact.errno : null,
    fact,
  };
}

function decode(bytes: Uint8Array): DecodedRecord | null {
  try {
    return decodeRecord(bytes);
  } catch {
    return null;
  }
}

function unreadable(host: string, seq: number, bytes: Uint8Array): Line {
  const text = new TextDecoder().decode(bytes.subarray(0, UNKNOWN_CHARS_MAX));
  const none = { uuid: null, generation: null, who: null, errno: null, fact: null };
  return { time: '-', host, seq, kind: 'unreadable', why: `no record: ${text}`, ...none };
}

function unknown({ envelope }: DecodedRecord): string {
  const {
    seq: _seq,
    time: _time,
    boot: _boot,
    prev: _prev,
    rows: _rows,
    kind,
    v,
    uuid: _uuid,
    ...rest
  } = envelope;
  return `${kind} v${v}, of a newer program: ${JSON.stringify(rest).slice(0, UNKNOWN_CHARS_MAX)}`;
}

function whoIn(fact: Fact): string | null {
  switch (fact.kind) {
    case 'declared':
    case 'commanded':
    case 'told':
    case 'steered':
    case 'cordoned':
      return whoText(fact.event);
    case 'registry':
      return fact.by;
    default:
      return null;
  }
}

/** Who published an event: as he called himself, and whether more than that is known. */
export function whoText({ source, signer }: Pick<EventMeta, 'source' | 'signer'>): string {
  return signer === undefined ? `${source} (claimed)` : `${source} (signed by ${signer})`;
}

/** `epoch/sequence`, as `replay --at` takes it. */
export function generationText(generation: Generation | null): string {
  return generation === null ? '-' : `${generation.epoch}/${generation.sequence}`;
}

/** `EAGAIN (11)` */
export function errnoText(errno: number | null): string {
  return errno === null ? '-' : `${errnoName(errno)} (${errno})`;
}
