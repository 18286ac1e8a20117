/** Names that the benches share. */

export const PREFIX = 'mdev';
export const BENCH_HOST = 'bench';

/** The n-th UUID. */
export function uuidOf(at: number): string {
  return `00000000-0000-4000-8000-${at.toString(16).padStart(12, '0')}`;
}
