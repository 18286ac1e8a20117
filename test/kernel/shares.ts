/**
 * The folders of the host that a guest sees. Each is mounted at its own path, so that a path means the same inside and
 * outside; one inside another needs no mount of its own.
 */
import { mkdir, realpath } from 'node:fs/promises';
import { dirname, join, sep } from 'node:path';

export type Share = {
  readonly tag: string;
  /** The path on the host. */
  readonly source: string;
  /** The path in the guest. */
  readonly folder: string;
  readonly options: 'ro,cache=loose' | 'rw,cache=none';
};

export const ROOT = dirname(dirname(import.meta.dirname));
/** What Node made of a module in an earlier guest: taking the types off is slow under emulation. */
const COMPILED = join(ROOT, '.cache', 'kernel', 'compiled');

/** The host's /usr, the checkout with its modules, Node, and `more`; and one to write to, for Node's compile cache. */
export async function sharedFolders(more: readonly string[]): Promise<readonly Share[]> {
  const wanted = ['/usr', ROOT, join(ROOT, 'node_modules'), dirname(process.execPath), ...more];
  const folders = [...new Set(await Promise.all(wanted.map((folder) => realpath(folder))))];
  const outermost = folders.filter((folder) => !folders.some((other) => folder.startsWith(other + sep)));
  await mkdir(COMPILED, { recursive: true });
  return [
    ...outermost.map((folder, index): Share => {
      return { tag: `share${index}`, source: folder, folder, options: 'ro,cache=loose' };
    }),
    { tag: 'compiled', source: COMPILED, folder: '/guest/compiled', options: 'rw,cache=none' },
  ];
}
