/**
 * The folders of the host that a guest sees. Each is mounted at its own path, so that a path means the same inside and
 * outside; one inside another needs no mount of its own.
 */
import { realpath } from 'node:fs/promises';
import { dirname, join, sep } from 'node:path';

export type Share = {
  readonly tag: string;
  /** The path on the host. */
  readonly source: string;
  /** The path in the guest. */
  readonly folder: string;
};

export const ROOT = dirname(dirname(import.meta.dirname));

/** The host's /usr, the checkout with its modules, Node, and `more`, all read-only; and one at another path inside. */
export async function sharedFolders(
  more: readonly string[],
  elsewhere: Pick<Share, 'source' | 'folder'>,
): Promise<readonly Share[]> {
  const wanted = ['/usr', ROOT, join(ROOT, 'node_modules'), dirname(process.execPath), ...more];
  const folders = [...new Set(await Promise.all(wanted.map((folder) => realpath(folder))))];
  const outermost = folders.filter((folder) => !folders.some((other) => folder.startsWith(other + sep)));
  return [
    ...outermost.map((folder, index) => ({ tag: `share${index}`, source: folder, folder })),
    { tag: 'elsewhere', ...elsewhere },
  ];
}
