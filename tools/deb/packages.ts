/**
 * The npm packages that the program runs on, as the lockfile has them: copied from the checkout, where they are what was
 * tested.
 */
import { existsSync } from 'node:fs';
import { cp, readdir, readFile, rm } from 'node:fs/promises';
import { basename, join, relative } from 'node:path';
import { z } from 'zod';

const locked = z.object({ dev: z.boolean().default(false), optional: z.boolean().default(false) });
const lockfile = z.object({ packages: z.record(z.string(), locked) });
/** Of a native module's builds, the one that any Node runs on a C library as Debian's. */
const BUILD = /^node\.napi(\.glibc)?\.node$/;

/** Copies them into `folder`, and gives where each is. Throws when one is not installed that this platform needs. */
export async function copyPackages(checkout: string, folder: string): Promise<readonly string[]> {
  const { packages } = lockfile.parse(
    JSON.parse(await readFile(join(checkout, 'package-lock.json'), 'utf8')),
  );
  const wanted = Object.entries(packages).filter(([path, { dev }]) => path !== '' && !dev);
  const missing = wanted.filter(([path, { optional }]) => !optional && !existsSync(join(checkout, path)));
  if (missing.length > 0) throw new Error(`not installed: ${missing.map(([path]) => path).join(', ')}`);
  const there = wanted.map(([path]) => path).filter((path) => existsSync(join(checkout, path)));
  for (const path of there) await copyPackage(join(checkout, path), join(folder, path));
  return there.map((path) => join(folder, path));
}

/** Without the packages in it, which have entries of their own, and without what is hidden. */
async function copyPackage(from: string, to: string): Promise<void> {
  await cp(from, to, {
    recursive: true,
    filter: (path) => !/(^|\/)(node_modules|\.[^/]+)(\/|$)/.test(relative(from, path)),
  });
  for (const name of await readdir(to)) {
    if (name.endsWith('.node') && !BUILD.test(basename(name))) await rm(join(to, name));
  }
}
