/**
 * What a host knows of one UUID, folded from its journal.
 *
 * `desired` is what operators declared and this host accepted; `reservation` is what this
 * host holds; `terminal` ends a generation; `refused` is a second claim that was turned away
 * while the first stays. `version` is the sequence of the last fact about the UUID: an
 * append that was decided on an older version is refused.
 */
import type { Holder } from '../events/fact.ts';
import type { Attribute, Claim, Generation, HostId, Uuid } from '../events/names.ts';
import type { TerminalReason, WaitingReason } from '../events/reasons.ts';

/** The declaration that this host goes by. */
export type Desired =
  | {
      readonly kind: 'present';
      readonly generation: Generation;
      readonly claim: Claim;
      readonly attributes: readonly Attribute[];
      readonly set: string | null;
      readonly replaces: Claim | null;
    }
  | { readonly kind: 'absent'; readonly generation: Generation };

/**
 * The durable record that a claim holds the UUID.
 * `claiming`: the registry was or is about to be asked. `reserved`: held, no device that is known to be whole.
 * `active`: held, and the device was whole. `releasing`: on its way out, still held.
 * `fenced`: taken away by force; never created or changed again.
 */
export type Phase = 'claiming' | 'reserved' | 'active' | 'releasing' | 'fenced';

export type Reservation = {
  readonly phase: Phase;
  readonly claim: Claim;
  readonly generation: Generation;
  /** Revision of the hold in the registry; null while claiming. */
  readonly revision: number | null;
  /** The list last written to the device; null when none was since it was made. */
  readonly applied: readonly Attribute[] | null;
  /** Names in `applied` that read back what was written: when one reads otherwise, somebody has changed it. */
  readonly echoing: readonly string[];
  /** Names in `applied` that somebody has changed, and that have not been written again since. */
  readonly changed: readonly string[];
  /** Which device it was that was whole, as its host tells it from others since the boot; null where it cannot. */
  readonly identity: string | null;
  /** True once the device was whole under this reservation. */
  readonly existed: boolean;
};

/** The end of a generation: nothing happens for it until a new one, or `retry`. */
export type Terminal = {
  readonly generation: Generation;
  readonly kind: 'conflict' | 'failed';
  readonly claim: Claim;
  readonly reason: TerminalReason;
  readonly message: string;
  readonly holder: Holder | null;
};

export type Waiting = { readonly reason: WaitingReason; readonly message: string };

export type Device = {
  readonly uuid: Uuid;
  readonly version: number;
  readonly desired: Desired | null;
  readonly reservation: Reservation | null;
  readonly terminal: Terminal | null;
  readonly refused: Terminal | null;
  readonly waiting: Waiting | null;
  readonly unmanaged: { readonly parent: string; readonly type: string } | null;
  /** How this host last lost the UUID to somebody else; null since it took it again. */
  readonly fence: Fence | null;
  readonly host: HostId;
};

/** `revision` is that of the tombstone, or of whoever holds the UUID instead; null where nobody wrote it down. */
export type Fence = { readonly revision: number | null; readonly message: string };

/** A UUID of which nothing is known. */
export function unknownDevice(host: HostId, uuid: Uuid): Device {
  return {
    uuid,
    version: 0,
    desired: null,
    reservation: null,
    terminal: null,
    refused: null,
    waiting: null,
    unmanaged: null,
    fence: null,
    host,
  };
}
