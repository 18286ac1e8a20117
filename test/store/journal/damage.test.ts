/**
 * Some damages of the many that `npm run damage` does: what changes what a reader gets is reported, and nobody dies.
 */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { makeSound, type Sound, tryDamage } from './damage.ts';

const SEEDS = Array.from({ length: 24 }, (_, at) => at + 1);

let sound: Sound;

beforeAll(async () => {
  sound = await makeSound();
});
afterAll(() => sound.close());

test.each(SEEDS)('damage %i is reported, or nothing of the journal was in it', async (seed) => {
  expect(await tryDamage(sound, seed)).toMatchObject({ wrong: null });
});
