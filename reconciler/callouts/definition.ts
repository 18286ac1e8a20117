/**
 * What a script reads of a device: its definition as mdevctl 1.2.0 hands it on, to the byte.
 *
 * A device of an agent is started by nobody else, so it is always `manual`, as it is when it is exported.
 */
import type { HookedChange } from '../hooks.ts';

/** In one line, with its members in mdevctl's order. */
export function definitionJson({ place, attributes }: HookedChange): string {
  const attrs = attributes.map(({ name, value }) => ({ [name]: value }));
  return JSON.stringify({ mdev_type: place.type, start: 'manual', attrs });
}
