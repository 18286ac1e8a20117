/**
 * Runs one scenario inside a guest: `node scenario-runner.ts MODULE`. One line of JSON for each case as soon as it has
 * ended, so that what was found out survives a crash of the machine.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Case, Scenario, Verdict } from './scenario.ts';

/** Of the guest's clock. A case that takes longer has failed; it goes on behind the back of the next one. */
const CASE_MS_MAX = 120_000;

const { scenario } = (await import(process.argv[2] ?? '')) as { readonly scenario: Scenario };
const { caseMsMax = CASE_MS_MAX } = scenario;
for (const [name, run] of Object.entries(scenario.cases)) {
  const failure = (await fails(scenario.setUp)) ?? (await fails(run));
  console.log(JSON.stringify({ case: name, failure } satisfies Verdict));
}
process.exit();

async function fails(run: Case = () => undefined): Promise<string | null> {
  const ended = new AbortController();
  const late = sleep(caseMsMax, undefined, { signal: ended.signal }).then(() => {
    throw new Error(`not done after ${caseMsMax} ms`);
  });
  late.catch(() => undefined);
  try {
    await Promise.race([run(), late]);
    return null;
  } catch (error) {
    return error instanceof Error ? (error.stack ?? error.message) : String(error);
  } finally {
    ended.abort();
  }
}
