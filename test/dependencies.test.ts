/**
 * What package.json and the lockfile must hold, so that `npm ci --ignore-scripts` installs the same everywhere.
 */
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { z } from 'zod';

const versions = z.record(z.string(), z.string()).default({});
const manifest = z.object({ dependencies: versions, devDependencies: versions });
const locked = z.object({
  resolved: z.string().optional(),
  integrity: z.string().optional(),
  optionalDependencies: versions,
});
const lockfile = z.object({ packages: z.record(z.string(), locked) });

describe('dependencies', () => {
  const { packages } = lockfile.parse(read('package-lock.json'));

  test('are declared at exact versions', () => {
    const declared = manifest.parse(read('package.json'));
    const all = Object.entries({ ...declared.dependencies, ...declared.devDependencies });
    expect(all.length).toBeGreaterThan(0);
    expect(all.filter(([, version]) => !/^(npm:.+@)?\d+\.\d+\.\d+$/.test(version))).toEqual([]);
  });

  test('are locked by content, not by the address of a registry', () => {
    const entries = Object.entries(packages).filter(([path]) => path !== '');
    expect(entries.length).toBeGreaterThan(0);
    expect(entries.filter(([, { resolved, integrity }]) => resolved || !integrity)).toEqual([]);
  });

  test('are locked for every platform, without which npm ci refuses', () => {
    const missing = Object.entries(packages).flatMap(([path, { optionalDependencies }]) =>
      Object.keys(optionalDependencies).filter(
        (name) => !packages[`node_modules/${name}`] && !packages[`${path}/node_modules/${name}`],
      ),
    );
    expect(missing).toEqual([]);
  });
});

function read(path: string): unknown {
  return JSON.parse(readFileSync(join(dirname(import.meta.dirname), path), 'utf8'));
}
