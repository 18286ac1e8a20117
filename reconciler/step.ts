/**
 * What a plan can say: one step, a reason to wait, the end, or that all is well.
 *
 * A plan is data. The executor makes no choices of its own, and a plan is only ever made
 * for what was read just now.
 */
import type { FactOf, Holder } from '../events/fact.ts';
import type { Wake } from '../events/guidance.ts';
import type { Attribute, Claim, Generation } from '../events/names.ts';
import type { TerminalReason, WaitingReason } from '../events/reasons.ts';
import type { Place } from './host.ts';

/** Why an active device is not there any more. */
export type DriftCause = Exclude<FactOf<'drift'>['cause'], 'AttributesChanged'>;

export type Step =
  /** Journal the intent; when that is done, compare-and-set in the registry and journal the revision. */
  | {
      readonly do: 'claim';
      readonly claim: Claim;
      readonly generation: Generation;
      readonly replaces: Claim | null;
    }
  | { readonly do: 'create'; readonly place: Place }
  /** Write the attributes in order; roll back a device that this pass created if one fails. */
  | { readonly do: 'configure'; readonly place: Place; readonly attributes: readonly Attribute[] }
  /** Journal that the device is whole. */
  | { readonly do: 'activate'; readonly generation: Generation; readonly identity: string | null }
  /** Journal that an active device is not there any more. */
  | { readonly do: 'record-drift'; readonly generation: Generation; readonly cause: DriftCause }
  /** Journal that somebody changed these attributes of an active device; then they are written again. */
  | {
      readonly do: 'record-change';
      readonly generation: Generation;
      readonly attributes: readonly string[];
    }
  /** Journal that these attributes do not keep what is written to them: they are not watched any more. */
  | { readonly do: 'unwatch'; readonly attributes: readonly string[] }
  /** Journal and register that the hold is on its way out. */
  | { readonly do: 'begin-release'; readonly cause: 'Withdrawn' | 'Replaced' }
  | { readonly do: 'remove'; readonly place: Place }
  /** Observed gone: give the UUID back and journal that. */
  | { readonly do: 'release' }
  /** A fenced host forgets a hold that is not its own any more. */
  | { readonly do: 'forget' };

export type StepOf<D extends Step['do']> = Extract<Step, { do: D }>;

export type Plan =
  | { readonly kind: 'step'; readonly step: Step }
  | {
      readonly kind: 'waiting';
      readonly reason: WaitingReason;
      readonly message: string;
      readonly wake: Wake;
    }
  | {
      readonly kind: 'terminal';
      readonly end: 'conflict' | 'failed';
      readonly reason: TerminalReason;
      readonly message: string;
      readonly holder: Holder | null;
    }
  | { readonly kind: 'settled' };
