/**
 * Notices devices and parents that come and go: by uevents where they can be heard, and by
 * comparing names now and then.
 *
 * sysfs itself tells nobody of its changes. Comparing goes on as a net below the uevents, more
 * slowly, and tells only what was not heard; where nothing is heard it is all there is. What
 * comes and goes between two looks is then missed, and left to the periodic pass over everything.
 */
import type { Uuid } from '../../events/names.ts';
import type { Cancel, Clock } from '../clock.ts';
import type { Change } from '../host.ts';
import { devicesOnBus, isOnBus, parents, registrationOf } from './read.ts';
import { Uevents, type Warn } from './uevents.ts';
import { unreadable } from './unreadable.ts';

/** The names in sysfs at one moment. */
type Names = { readonly devices: Set<Uuid>; readonly parents: Set<string> };

export type WatchParts = {
  readonly clock: Clock;
  readonly limits: WatchLimits;
  /** Where sysfs and procfs are mounted. */
  readonly root: string;
  readonly proc: string;
  /** Name or path of udevadm; null: only names are compared. */
  readonly udevadm: string | null;
  readonly warn: Warn;
  readonly listener: (change: Change) => void;
};

export type WatchLimits = {
  /** Time between two looks at the names while no uevents are heard. */
  readonly pollMs: number;
  /** The same, while they are. */
  readonly pollBesideUeventsMs: number;
};

type Named = Exclude<Change, { kind: 'unknown' }>;

/** Tells of changes until the returned function is called. */
export function watch(parts: WatchParts): () => void {
  const watching = new Watch(parts);
  return () => watching.end();
}

class Watch {
  readonly #parts: WatchParts;
  readonly #uevents: Uevents | null;
  /** The names as far as they were told. */
  #known: Names | null;
  #cancel: Cancel = () => {};

  constructor(parts: WatchParts) {
    const { clock, udevadm, proc, warn } = parts;
    this.#parts = parts;
    this.#known = read(parts.root);
    const listener = (change: Change): void => this.#heard(change);
    const onListening = (): void => this.#schedule();
    this.#uevents =
      udevadm === null ? null : new Uevents({ clock, program: udevadm, proc, warn, listener, onListening });
    this.#schedule();
  }

  end(): void {
    this.#cancel();
    this.#uevents?.end();
  }

  #schedule(): void {
    const { clock, limits } = this.#parts;
    const isHearing = this.#uevents?.isListening === true;
    this.#cancel();
    this.#cancel = clock.after(isHearing ? limits.pollBesideUeventsMs : limits.pollMs, () => this.#look());
  }

  #heard(change: Change): void {
    if (change.kind === 'unknown') this.#known = read(this.#parts.root);
    else this.#learn(change);
    this.#parts.listener(change);
  }

  /** What was heard is not told again by the next look, unless it has changed once more. */
  #learn(change: Named): void {
    if (this.#known === null) return;
    const [names, name] =
      change.kind === 'device' ? [this.#known.devices, change.uuid] : [this.#known.parents, change.parent];
    if (isThere(this.#parts.root, change)) names.add(name);
    else names.delete(name);
  }

  #look(): void {
    const { root, listener } = this.#parts;
    const before = this.#known;
    const now = read(root);
    this.#schedule();
    this.#uevents?.check();
    if (now === null) return;
    this.#known = now;
    // What had not been readable before may have changed in any way.
    if (before === null) return listener({ kind: 'unknown' });
    for (const uuid of before.devices.symmetricDifference(now.devices)) listener({ kind: 'device', uuid });
    for (const parent of before.parents.symmetricDifference(now.parents))
      listener({ kind: 'parent', parent });
  }
}

/** Null when they cannot be read now. */
function read(root: string): Names | null {
  try {
    return { devices: new Set(devicesOnBus(root)), parents: new Set(parents(root)) };
  } catch (error) {
    unreadable(error);
    return null;
  }
}

function isThere(root: string, change: Named): boolean {
  try {
    if (change.kind === 'device') return isOnBus(root, change.uuid);
    return registrationOf(root, change.parent) !== null;
  } catch (error) {
    unreadable(error);
    return false;
  }
}
