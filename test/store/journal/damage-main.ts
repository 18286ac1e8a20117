/**
 * `npm run damage -- [count] [first seed]`: so many damages to copies of a journal, and what was made of them.
 */
import { makeSound, type Trial, tryDamage } from './damage.ts';

const [count = 500, first = 1] = process.argv.slice(2).map(Number);
/** Journals verified at a time. */
const AT_ONCE = 2;

const sound = await makeSound();
const trials: Trial[] = [];
let next = first;

async function work(): Promise<void> {
  for (let seed = next++; seed < first + count; seed = next++) {
    const trial = await tryDamage(sound, seed);
    trials.push(trial);
    if (trial.wrong !== null) console.log(`seed ${seed}: ${trial.what}: ${trial.wrong} (${trial.firstBad})`);
  }
}

await Promise.all(Array.from({ length: AT_ONCE }, work));
sound.close();
for (const what of [...new Set(trials.map((one) => one.what))].sort()) {
  const all = trials.filter((one) => one.what === what);
  const reported = all.filter((one) => one.verdict === 'damaged').length;
  const named = all.filter((one) => one.firstBad !== null).length;
  console.log(
    `${what}: ${all.length}, reported ${reported}, with a first bad record ${named}, the rest reads as before`,
  );
}
const wrong = trials.filter((one) => one.wrong !== null).length;
console.log(`${trials.length} damages, ${wrong} judged wrongly`);
process.exitCode = wrong === 0 ? 0 : 1;
