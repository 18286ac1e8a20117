/**
 * Several journals told as one story: by time, and each in its own order.
 *
 * Clocks of hosts differ, and jump; what one journal has in an order stays in it.
 */
import { msOf, timeOf } from './moment.ts';
import type { Told } from './told.ts';

type Facts = AsyncIterable<Told> | Iterable<Told>;
type Head = { readonly told: Told; readonly ms: number; readonly rest: AsyncIterator<Told> };

/** All facts of all journals; holds one of each. */
export async function* mergedByTime(journals: readonly Facts[]): AsyncGenerator<Told> {
  const heads: Head[] = [];
  for (const facts of journals) await push(heads, iterate(facts), 0);
  for (;;) {
    const at = earliest(heads);
    const [head] = at === -1 ? [] : heads.splice(at, 1);
    if (head === undefined) return;
    yield head.told;
    await push(heads, head.rest, head.ms);
  }
}

async function* iterate(facts: Facts): AsyncGenerator<Told> {
  yield* facts;
}

/** A record is told no earlier than the one before it. */
async function push(heads: Head[], rest: AsyncIterator<Told>, afterMs: number): Promise<void> {
  const next = await rest.next();
  if (next.done === true) return;
  const told = next.value;
  heads.push({ told, ms: Math.max(afterMs, msOf(timeOf(told.record))), rest });
}

function earliest(heads: readonly Head[]): number {
  let found = -1;
  for (const [at, { ms }] of heads.entries()) {
    if (found === -1 || ms < (heads[found]?.ms ?? 0)) found = at;
  }
  return found;
}
