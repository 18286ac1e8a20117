/**
 * Work that is asked for more often than it is worth doing.
 */

/**
 * One run at a time; asked for while it runs, it runs once more afterwards, however often. What is
 * returned ends with the last of these runs, or with the first that fails.
 */
export function coalesced(work: () => Promise<void>): () => Promise<void> {
  let running: Promise<void> | undefined;
  let again = false;
  const run = async (): Promise<void> => {
    try {
      do {
        again = false;
        await work();
      } while (again);
    } finally {
      running = undefined;
    }
  };
  return () => {
    again = true;
    running ??= run();
    return running;
  };
}
