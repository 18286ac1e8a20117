/**
 * Notices devices and parents that come and go, by comparing names now and then.
 *
 * sysfs tells nobody of its changes. What comes and goes between two looks is missed; the
 * periodic pass over everything is there for that.
 */
import type { Uuid } from '../../events/names.ts';
import type { Cancel, Clock } from '../clock.ts';
import type { Change } from '../host.ts';

/** The names in sysfs at one moment. */
export type Names = { readonly devices: readonly Uuid[]; readonly parents: readonly string[] };

export type WatchParts = {
  readonly clock: Clock;
  readonly intervalMs: number;
  /** Reads the names; null when they cannot be read now. */
  readonly read: () => Names | null;
  readonly listener: (change: Change) => void;
};

/** Compares at each interval, until the returned function is called. */
export function watchNames({ clock, intervalMs, read, listener }: WatchParts): () => void {
  let known = read();
  const look = (): void => {
    const now = read();
    cancel = clock.after(intervalMs, look);
    if (now === null) return;
    const before = known;
    known = now;
    // What had not been readable before may have changed in any way.
    if (before === null) return listener({ kind: 'unknown' });
    for (const uuid of differences(before.devices, now.devices)) listener({ kind: 'device', uuid });
    for (const parent of differences(before.parents, now.parents)) listener({ kind: 'parent', parent });
  };
  let cancel: Cancel = clock.after(intervalMs, look);
  return () => cancel();
}

function differences(before: readonly string[], after: readonly string[]): readonly string[] {
  return [...new Set(before).symmetricDifference(new Set(after))];
}
