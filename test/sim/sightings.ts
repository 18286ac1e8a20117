/**
 * Where devices of a UUID stood on a machine, and until when.
 */
import type { Claim, Uuid } from '../../events/names.ts';
import type { Clock } from '../../reconciler/clock.ts';
import type { SimulatedKernel } from '../../reconciler/simulated/kernel-sim.ts';
import type { SimPlace } from './inventory.ts';

type Sighting = { readonly place: SimPlace; untilMs: number };

export class Sightings {
  readonly #kernel: SimulatedKernel;
  readonly #clock: Clock;
  readonly #seen = new Map<Uuid, Sighting[]>();

  constructor(kernel: SimulatedKernel, clock: Clock) {
    this.#kernel = kernel;
    this.#clock = clock;
  }

  /** Something happened to the UUID: looks where it is now. */
  note(uuid: Uuid): void {
    const there = this.#kernel.device(uuid);
    const seen = this.#seen.get(uuid) ?? [];
    const last = seen.at(-1);
    if (last?.untilMs === Number.POSITIVE_INFINITY) last.untilMs = this.#clock.monotonicMs();
    const place = there && { parent: there.parent, type: there.type };
    if (place !== undefined) seen.push({ place, untilMs: Number.POSITIVE_INFINITY });
    this.#seen.set(uuid, seen);
  }

  /** True if a device of that UUID stood at another place within the last so many milliseconds. */
  wasElsewhere(uuid: Uuid, { parent, type }: Claim, withinMs: number): boolean {
    const sinceMs = this.#clock.monotonicMs() - withinMs;
    const seen = this.#seen.get(uuid) ?? [];
    return seen.some(
      ({ place, untilMs }) => untilMs >= sinceMs && (place.parent !== parent || place.type !== type),
    );
  }
}
