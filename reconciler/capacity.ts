/**
 * Why there is no room for one more device, for people.
 *
 * The types of a parent draw on one pool, so what takes an instance of one may be a device of another:
 * whoever wants the room back has to know which devices stand on the parent.
 */
import type { Place, Standing, Taken } from './host.ts';

/** One sentence: which type on which parent, how many devices take its room, and which ones. */
export function noInstance(place: Place, taken: Taken | null): string {
  const none = `no instance of ${place.type} is available on ${place.parent}`;
  return taken === null ? none : `${none}: ${takenBy(place, taken)}`;
}

function takenBy({ type }: Place, { count, first }: Taken): string {
  if (count === 0) return 'no device stands on it, so the driver itself has none to give';
  const named = first.map((one) => nameOf(one, type));
  const more = count > first.length ? [`and ${count - first.length} more`] : [];
  return `taken by ${count} device${count === 1 ? '' : 's'}, ${[...named, ...more].join(', ')}`;
}

/** The type is told where it is not the one that was asked for. */
function nameOf({ uuid, type }: Standing, asked: string): string {
  if (type === null) return `${uuid} (coming or going)`;
  return type === asked ? uuid : `${uuid} (${type})`;
}
