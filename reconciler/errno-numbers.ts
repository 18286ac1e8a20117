/**
 * The kernel's error numbers, as in errno.h, and how to find one in what Node throws.
 *
 * Numbers, never names: Node has no name for some of them (87, 517), and `code` is made of names. Nothing is imported
 * here, since the helper processes that write to sysfs load this and must be ready at once.
 */

export const E = {
  PERM: 1,
  NOENT: 2,
  SRCH: 3,
  INTR: 4,
  IO: 5,
  AGAIN: 11,
  ACCES: 13,
  BUSY: 16,
  EXIST: 17,
  NODEV: 19,
  NOTDIR: 20,
  INVAL: 22,
  NOSPC: 28,
  ROFS: 30,
  PIPE: 32,
  LOOP: 40,
  USERS: 87,
  STALE: 116,
  PROBE_DEFER: 517,
} as const;

/** The positive errno of a failed system call; null for any other error. */
export function errnoOf(error: unknown): number | null {
  const errno = error instanceof Error && 'errno' in error ? error.errno : undefined;
  return typeof errno === 'number' ? -errno : null;
}

/** True for a system call that failed with one of these. */
export function isErrno(error: unknown, ...errnos: readonly number[]): boolean {
  const errno = errnoOf(error);
  return errno !== null && errnos.includes(errno);
}
