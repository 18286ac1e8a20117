/**
 * What a host has to offer: recorded when it is not what it was, so that the fleet can plan with it.
 *
 * What is left on a parent changes with each device, and devices are known from their rows; so the capacity
 * is recorded: how many devices of a type fit on the parent alone. Types share a parent's pool, so that is
 * seen exactly only while no device of another type stands there, and none comes or goes. What was seen before
 * is believed until then, unless more is seen. A settled host so records nothing.
 */
import { isDeepStrictEqual } from 'node:util';
import type { Labels } from '../events/declaration.ts';
import { type FactOf, type OfferingParent, offeredType, offeringParent } from '../events/fact.ts';
import { decodeRecord } from '../events/record.ts';
import { type Cordon, cordonOn } from '../store/cordons.ts';
import type { Journal } from '../store/journal/journal.ts';
import type { Host, Offer, Offering } from './host.ts';

/** Most bytes of an inventory as JSON: servers take messages of a mebibyte unless told otherwise. */
export const INVENTORY_BYTES_MAX = 512 * 1024;
/** Most characters of what a driver calls a type. */
const TITLE_CHARS_MAX = 256;

/** What a host is told, or knows, of itself. */
export type Self = { readonly kernel: string; readonly labels: Labels };

/** Takes stock, and records what is new. What cannot be read changes nothing. */
export async function recordInventory(journal: Journal, host: Host, self: Self): Promise<void> {
  const stock = await host.stock();
  if (stock.kind === 'unreadable') return;
  const before = lastInventory(journal);
  const fact = inventory(stock.parents, self, before, journal.positions().cordons);
  if (isDeepStrictEqual(fact, before)) return;
  await journal.append({ facts: [fact] });
}

/** The inventory that was recorded last; null if none was. */
export function lastInventory(journal: Journal): FactOf<'inventory'> | null {
  const seq = journal.positions().inventory;
  const [record] = seq === null ? [] : journal.read(seq - 1, 1);
  const fact = record === undefined ? null : decodeRecord(record.bytes).fact;
  return fact?.kind === 'inventory' ? fact : null;
}

/** The fact for what was seen now, in the light of what was recorded before. */
export function inventory(
  seen: readonly Offering[],
  { kernel, labels }: Self,
  before: FactOf<'inventory'> | null,
  cordons: readonly Cordon[] = [],
): FactOf<'inventory'> {
  const known = new Map(before?.parents.map((parent) => [parent.name, parent]));
  const titles = new Map(before?.types.map((type) => [type.id, type]));
  const sorted = [...seen].sort((a, b) => (a.name < b.name ? -1 : 1));
  const all = sorted.map((one) => parentOf(one, known.get(one.name), cordons)).filter(isRecordable);
  const parents = withinLimit(all);
  const offered = new Map(sorted.flatMap(({ offers }) => offers.map((offer) => [offer.id, offer])));
  const used = new Set(parents.flatMap(({ types }) => types.map(({ id }) => id)));
  const types = [...used].sort().map((id) => {
    const [now, was] = [offered.get(id), titles.get(id)];
    const title = (key: 'name' | 'api') => now?.[key]?.slice(0, TITLE_CHARS_MAX) ?? was?.[key] ?? null;
    return { id, name: title('name'), api: title('api') };
  });
  return { kind: 'inventory', v: 1, kernel, labels, types, parents, omitted: all.length - parents.length };
}

function parentOf(
  { name, driver, offers, standing }: Offering,
  before: OfferingParent | undefined,
  cordons: readonly Cordon[],
): OfferingParent {
  const known = new Map(before?.types.map(({ id, capacity }) => [id, capacity]));
  const usable = offers.filter(({ id }) => offeredType.shape.id.safeParse(id).success);
  const types = usable.map((offer) => ({ id: offer.id, capacity: capacity(offer, standing, known) }));
  const cordon = cordonOn(cordons, name);
  const kept = cordon === null ? {} : { cordoned: cordon.by.source };
  return { name, driver, ...kept, types: types.sort((a, b) => (a.id < b.id ? -1 : 1)) };
}

function capacity(
  { id, available }: Offer,
  standing: Offering['standing'],
  known: ReadonlyMap<string, number | null>,
): number | null {
  const before = known.get(id) ?? null;
  const isMoving = (standing[''] ?? 0) > 0;
  if (available === null || isMoving) return before;
  const seen = available + (standing[id] ?? 0);
  const alone = Object.keys(standing).every((type) => type === id);
  return alone || before === null ? seen : Math.max(before, seen);
}

/** A driver may give its types and parents names that no declaration can have; those are left out. */
function isRecordable(parent: OfferingParent): boolean {
  return offeringParent.safeParse(parent).success;
}

function withinLimit(parents: readonly OfferingParent[]): OfferingParent[] {
  let bytes = 0;
  const end = parents.findIndex((parent) => {
    bytes += Buffer.byteLength(JSON.stringify(parent)) + 1;
    return bytes > INVENTORY_BYTES_MAX;
  });
  return parents.slice(0, end === -1 ? parents.length : end);
}
