/**
 * What was thrown, for people.
 */

/** The message of an error; anything else that was thrown as it is. */
export function messageOf(cause: unknown): string {
  return cause instanceof Error ? cause.message : String(cause);
}
