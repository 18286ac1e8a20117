/**
 * The same work for many things, some of them at a time.
 */

/** Works on all items, in no order, at most `lanesMax` at a time; ends with the first error. */
export async function inLanes<T>(
  items: Iterable<T>,
  lanesMax: number,
  work: (item: T) => Promise<void>,
): Promise<void> {
  const queue = items[Symbol.iterator]();
  const lane = async (): Promise<void> => {
    for (let next = queue.next(); next.done !== true; next = queue.next()) await work(next.value);
  };
  await Promise.all(Array.from({ length: lanesMax }, lane));
}
