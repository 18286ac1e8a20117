/**
 * Debian's Prometheus, to try rules and dashboards with: the server and promtool out of its package, not installed, since
 * the package starts a daemon. Both stay in .cache/prometheus until that folder is deleted.
 */
import { mkdir, rename } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { unpackPackage } from './debian-package.ts';
import { cached, withScratch } from './kernel/cache.ts';

const CACHE = join(dirname(import.meta.dirname), '.cache', 'prometheus');
const BINARIES = ['prometheus', 'promtool'];

export type Prometheus = { readonly prometheus: string; readonly promtool: string };

/** The paths of the two programs; at once when they are cached. Throws if apt does not have the package. */
export async function prometheusTools(): Promise<Prometheus> {
  const folder = await cached(join(CACHE, 'bin'), (made) =>
    withScratch(CACHE, async (scratch) => {
      await unpackPackage('prometheus', scratch, 'apt-get update');
      await mkdir(made);
      for (const name of BINARIES) await rename(join(scratch, 'usr', 'bin', name), join(made, name));
    }),
  );
  return { prometheus: join(folder, 'prometheus'), promtool: join(folder, 'promtool') };
}

if (import.meta.main) {
  console.log(JSON.stringify(await prometheusTools(), null, 2));
}
