/**
 * Folders and names that survive a power cut.
 *
 * A file is only as durable as its name: after a folder was made or a file renamed, the
 * folders above are synced too.
 */
import { closeSync, fsyncSync, mkdirSync, openSync } from 'node:fs';
import { dirname, resolve } from 'node:path';

/** Makes the folder and those above it, durably. */
export function makeFolder(path: string): void {
  const wanted = resolve(path);
  const first = mkdirSync(wanted, { recursive: true });
  if (first === undefined) return;
  for (let made = wanted; made !== dirname(first); made = dirname(made)) syncFolder(dirname(made));
}

/** Makes the names in the folder durable. */
export function syncFolder(path: string): void {
  const fd = openSync(path, 'r');
  try {
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
}
