/**
 * `npm run hammer -- --rounds 1000`: the hammer for as long as it takes, in a machine of its own. It prints how each
 * case went and what was done; when something failed, the folder with the logs is left and named.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { parseArgs } from 'node:util';
import { natsServer } from '../../tools/nats-server.ts';
import { bootGuest } from './guest.ts';
import type { Verdict } from './scenario.ts';

const RUNNER = join(import.meta.dirname, 'scenario-runner.ts');
const SCENARIO = join(import.meta.dirname, 'hammer.scenario.ts');
const REST_SECONDS_MAX = 600;
const ROUND_SECONDS_MAX = 5;

const { values } = parseArgs({ options: { rounds: { type: 'string', default: '1000' } } });
const rounds = Number(values.rounds);
if (!Number.isInteger(rounds) || rounds < 1)
  throw new Error(`--rounds is a whole number, not ${values.rounds}`);

const seconds = REST_SECONDS_MAX + rounds * ROUND_SECONDS_MAX;
const work = mkdtempSync(join(tmpdir(), 'mdevfleet-hammer-'));
const nats = (await natsServer('newest')).path;
const failures: string[] = [];
const { ended, programs, complaints } = await bootGuest({
  work,
  disk: true,
  shares: [dirname(nats)],
  deadlineMs: (seconds + REST_SECONDS_MAX) * 1_000,
  programs: [
    {
      name: 'hammer',
      argv: ['node', RUNNER, SCENARIO],
      env: { NATS_SERVER: nats, HAMMER_ROUNDS: String(rounds) },
      deadlineSeconds: seconds,
    },
  ],
  onLine: (_program, line) => show(line),
});

const [hammer] = programs;
if (ended !== 'powered-off') failures.push(`the machine has ${ended}`);
if (hammer?.status !== 0)
  failures.push(`the scenario ended with status ${hammer?.status}: ${hammer?.errors}`);
failures.push(...complaints);
if (failures.length === 0) rmSync(work, { recursive: true });
else console.error([...failures, `the logs are in ${work}`].join('\n'));
process.exitCode = failures.length === 0 ? 0 : 1;

function show(line: string): void {
  if (!line.startsWith('{')) return console.log(line);
  const { case: name, failure } = JSON.parse(line) as Verdict;
  console.log(`${failure === null ? 'ok    ' : 'FAILED'} ${name}`);
  if (failure !== null) failures.push(failure);
}
