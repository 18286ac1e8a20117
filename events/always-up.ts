/**
 * The connection of streams that need none: up soon after somebody asks, and for ever.
 */

/** `onConnection` of a port to streams that cannot be cut off. */
export function alwaysUp(listener: (state: 'up') => void): () => void {
  let listening = true;
  queueMicrotask(() => {
    if (listening) listener('up');
  });
  return () => {
    listening = false;
  };
}
