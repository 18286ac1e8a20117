import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { cached } from '../../tools/kernel/cache.ts';

describe('cached', () => {
  let folder: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'mdevfleet-cache-'));
  });
  afterEach(() => rm(folder, { recursive: true }));

  test('two that make the same at once end with one of the two, whole', async () => {
    const path = join(folder, 'thing');
    const both = Promise.withResolvers<void>();
    let begun = 0;
    const make = (text: string) => async (made: string) => {
      begun += 1;
      if (begun === 2) both.resolve();
      await both.promise;
      await writeFile(made, text);
    };
    await Promise.all([cached(path, make('one')), cached(path, make('two'))]);
    expect(['one', 'two']).toContain(await readFile(path, 'utf8'));
    expect(await readdir(folder)).toEqual(['thing']);
  });

  test('what is there is not made again', async () => {
    const path = join(folder, 'thing');
    await cached(path, (made) => writeFile(made, 'first'));
    await cached(path, (made) => writeFile(made, 'second'));
    expect(await readFile(path, 'utf8')).toBe('first');
  });

  test('a failure leaves nothing behind', async () => {
    const half = async (made: string) => {
      await writeFile(made, 'half');
      throw new Error('no more');
    };
    await expect(cached(join(folder, 'thing'), half)).rejects.toThrow('no more');
    expect(await readdir(folder)).toEqual([]);
  });
});
