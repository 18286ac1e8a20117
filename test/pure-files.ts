/**
 * Which files are pure: decisions and vocabulary that do no I/O. biome.json lists them, and the tests of the rules
 * read the list from there, so that it exists once.
 */
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { z } from 'zod';

const config = z.object({ overrides: z.array(z.looseObject({ includes: z.array(z.string()) })) });

export function pureFiles(): readonly string[] {
  const path = join(dirname(import.meta.dirname), 'biome.json');
  const { overrides } = config.parse(JSON.parse(readFileSync(path, 'utf8')));
  return overrides
    .filter((override) => JSON.stringify(override).includes('A pure file'))
    .flatMap(({ includes }) => includes);
}
