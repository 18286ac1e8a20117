/**
 * The port to what a host asks before it makes or removes a device, and tells afterwards.
 *
 * Whoever is asked may keep the change from happening, and may take long: so everything is looked at afresh before
 * the write, and no other device waits meanwhile. Whoever is told cannot undo it. A crash in between forgets that
 * anybody was asked; then he is asked again.
 */
import type { Attribute, Uuid } from '../events/names.ts';
import type { Place } from './host.ts';

/** A device that is about to be made, or to be removed; `attributes` are those that it will get. */
export type HookedChange = {
  readonly action: 'start' | 'stop';
  readonly uuid: Uuid;
  readonly place: Place;
  readonly attributes: readonly Attribute[];
};

/** `by`: who felt responsible, and is told; null when nobody did. */
export type Allowed = { readonly kind: 'allowed'; readonly by: string | null };

export type HookAnswer = Allowed | { readonly kind: 'refused'; readonly message: string };

export interface Hooks {
  /** Asks. Never rejects: what cannot be asked refuses. */
  before(change: HookedChange): Promise<HookAnswer>;
  /** Tells how it went. Never rejects, and nothing follows from the answer. */
  after(change: HookedChange, answer: Allowed, state: 'success' | 'failure'): Promise<void>;
}
