/**
 * Checks a log while it passes: every record as a replay does, every checkpoint in it, and every record that
 * somebody outside knows already.
 *
 * A checkpoint must be of the record right before it, and signed with the key that it names. Which keys are to be
 * trusted is for whoever asks: each is told with the records that it signed.
 */
import type { FactOf } from '../../events/fact.ts';
import type { HostId } from '../../events/names.ts';
import type { StoredRecord } from '../../events/record.ts';
import { isSignedBy, parseNote } from './checkpoint.ts';
import type { EventMark, Tail } from './journal-storage.ts';
import { Misfit, Replay } from './replay.ts';

/** A key, the first checkpoint that was signed with it, and the last. */
export type Signing = { readonly publicKey: string; readonly first: number; readonly last: number };

export type LogIdentity = { readonly host: HostId; readonly journal: string };

export class LogCheck {
  readonly replay = new Replay();
  readonly #expected: ReadonlyMap<number, string>;
  readonly #signings = new Map<string, Signing>();
  #journal = '';

  /** `expected`: records that are known from elsewhere, e.g. from a checkpoint. */
  constructor(expected: readonly Tail[] = []) {
    this.#expected = new Map(expected.map(({ seq, hash }) => [seq, hash]));
  }

  get identity(): LogIdentity {
    return { host: this.replay.host, journal: this.#journal };
  }

  get signings(): readonly Signing[] {
    return [...this.#signings.values()];
  }

  /** Takes the next record; answers with the event that it records, if any. Throws Misfit. */
  apply(record: StoredRecord): EventMark | undefined {
    const { seq } = record;
    const before = this.replay.tail;
    const mark = this.replay.apply(record);
    const known = this.#expected.get(seq);
    if (known !== undefined && known !== record.hash)
      throw new Misfit(`record ${seq} is not the one that was signed: it or one before it was changed`, {
        seq,
      });
    const fact = this.replay.last?.fact;
    if (fact?.kind === 'genesis') this.#journal = fact.journal;
    if (fact?.kind === 'checkpoint') this.#checkpoint(fact, seq, before);
    return mark;
  }

  /** The log has ended. Throws Misfit when it should go on. */
  end(): void {
    const { seq } = this.replay.tail;
    const missing = Math.max(0, ...this.#expected.keys());
    if (missing > seq)
      throw new Misfit(`it ends at record ${seq}, but record ${missing} was signed: its end was cut off`, {
        seq: seq + 1,
      });
  }

  #checkpoint({ note, publicKey }: FactOf<'checkpoint'>, seq: number, before: Tail): void {
    const read = parseNote(note);
    if (read === undefined || !isSignedBy(read, publicKey))
      throw new Misfit(`the checkpoint in record ${seq} is not signed with the key that it names`, { seq });
    const { head } = read;
    const { host, journal } = this.identity;
    const fits = head.host === host && head.journal === journal;
    if (!fits || head.seq !== before.seq || head.hash !== before.hash)
      throw new Misfit(`the checkpoint in record ${seq} is not of the record before it`, { seq });
    const known = this.#signings.get(publicKey);
    this.#signings.set(publicKey, { publicKey, first: known?.first ?? seq, last: seq });
  }
}
