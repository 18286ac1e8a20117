/**
 * Has a host sign where its journal ends: now and then, and after so many records, but only if something was
 * recorded since the last time. A host at rest signs nothing.
 */
import type { Cancel, Clock } from '../../reconciler/clock.ts';
import type { Signer } from '../../store/journal/checkpoint.ts';
import type { AppendResult, Journal } from '../../store/journal/journal.ts';

export type NotaryLimits = {
  /** Time from one checkpoint to the next, if anything was recorded. */
  readonly checkpointMs: number;
  /** Records after which one is made before that. */
  readonly checkpointRecordsMax: number;
};

export const NOTARY_LIMITS: NotaryLimits = { checkpointMs: 600_000, checkpointRecordsMax: 10_000 };

export type NotaryOptions = {
  readonly journal: Journal;
  readonly signer: Signer;
  readonly clock: Clock;
  readonly limits: NotaryLimits;
  /** A checkpoint was recorded. */
  readonly onRecorded: () => void;
};

export class Notary {
  readonly #options: NotaryOptions;
  /** Nothing has to be signed up to this record. */
  #signed: number;
  #cancel: Cancel = () => {};
  #open = false;

  constructor(options: NotaryOptions) {
    this.#options = options;
    this.#signed = options.journal.tail().seq;
  }

  start(): void {
    this.#open = true;
    this.#schedule();
  }

  stop(): void {
    this.#open = false;
    this.#cancel();
  }

  /** Something was recorded. */
  kick(): void {
    const { journal, limits } = this.#options;
    if (this.#open && journal.tail().seq - this.#signed >= limits.checkpointRecordsMax) void this.#sign();
  }

  /** Signs the end of the journal. When something else is recorded meanwhile, or the disk is full, the next time will do. */
  async #sign(): Promise<void> {
    const { journal, onRecorded } = this.#options;
    const before = this.#signed;
    this.#signed = journal.tail().seq;
    const result = await this.#record();
    if (result.kind !== 'durable') {
      this.#signed = before;
      return;
    }
    this.#signed = result.records.at(-1)?.seq ?? this.#signed;
    onRecorded();
  }

  #record(): Promise<AppendResult> {
    const { journal, signer, clock } = this.#options;
    const { host, journal: id } = journal.identity;
    const { seq, hash } = journal.tail();
    const note = signer.sign({ host, journal: id, seq, hash, time: clock.wall() });
    const { publicKey } = signer;
    return journal.append({ facts: [{ kind: 'checkpoint', v: 1, publicKey, note }], follows: seq });
  }

  #schedule(): void {
    this.#cancel = this.#options.clock.after(this.#options.limits.checkpointMs, () => {
      if (!this.#open) return;
      if (this.#options.journal.tail().seq > this.#signed) void this.#sign();
      this.#schedule();
    });
  }
}
