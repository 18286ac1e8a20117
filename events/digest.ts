/**
 * The digest used everywhere: the chain of a journal, cursors, rejected input.
 *
 * One-shot `crypto.hash` costs about half of createHash on small input.
 */
import { hash } from 'node:crypto';

/** SHA-256 in lower-case hexadecimal. */
export function sha256(data: Uint8Array): string {
  return hash('sha256', data, 'hex');
}
