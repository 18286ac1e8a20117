/**
 * Scenarios as vitest sees them: one boot for all of them, and a test for each case by its own name, which ends as soon
 * as the case has ended in the guest.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { natsServer } from '../../tools/nats-server.ts';
import type { GuestProgram } from './boot-script.ts';
import { bootGuest, type GuestOptions, type GuestReport } from './guest.ts';
import type { Scenario, Verdict } from './scenario.ts';

type SuiteOptions = Omit<GuestOptions, 'programs' | 'work' | 'onLine' | 'shares'> & {
  /** Lets `startNats` run the newest server inside the guest. */
  readonly natsServer?: boolean;
  /** Runs on the host before the boot, with the folder that the guest will find at /guest/shared. */
  readonly prepare?: (work: string) => Promise<void>;
};

const RUNNER = join(import.meta.dirname, 'scenario-runner.ts');

/** Declares the tests of a boot in which all these scenarios run, one after the other. */
export function guestSuite(title: string, scenarios: readonly Scenario[], options: SuiteOptions = {}): void {
  describe(title, () => {
    const verdicts = new Verdicts();
    let work: string;
    let ended: Promise<GuestReport>;

    beforeAll(async () => {
      work = await mkdtemp(join(tmpdir(), 'mdevfleet-guest-'));
      await options.prepare?.(work);
      const onLine = (program: string, line: string) => verdicts.add(program, line);
      const nats = options.natsServer === true ? (await natsServer('newest')).path : undefined;
      ended = bootGuest({
        ...options,
        work,
        onLine,
        shares: nats === undefined ? [] : [dirname(nats)],
        programs: scenarios.map((scenario) => program(scenario, nats)),
      });
      ended.then(
        (report) => verdicts.close(described(report)),
        (error: unknown) => verdicts.close(String(error)),
      );
    });
    afterAll(() => rm(work, { recursive: true, force: true }));

    for (const scenario of scenarios) {
      describe(nameOf(scenario), () => {
        test.each(Object.keys(scenario.cases))('%s', async (name) => {
          const failure = await verdicts.of(nameOf(scenario), name);
          expect(failure, failure ?? undefined).toBeNull();
        });
      });
    }

    test('the kernel has nothing to complain about, and the machine powers off', async () => {
      const { complaints, ended: how, programs } = await ended;
      expect({ complaints, how }).toEqual({ complaints: [], how: 'powered-off' });
      for (const { name, status, errors } of programs) expect(status, `${name}: ${errors}`).toBe(0);
    });
  });
}

function program(scenario: Scenario, nats: string | undefined): GuestProgram {
  const env = nats === undefined ? {} : { NATS_SERVER: nats };
  return { name: nameOf(scenario), argv: ['node', RUNNER, scenario.module], env };
}

function nameOf({ module }: Scenario): string {
  return basename(fileURLToPath(module), '.scenario.ts');
}

function described({ ended, programs, console: text }: GuestReport): string {
  const errors = programs.map(({ name, errors: said }) => `${name}: ${said}`);
  return [`The guest has ${ended} without a verdict.`, ...errors, text].join('\n');
}

/** Verdicts by scenario and case, to be waited for before they are there. */
class Verdicts {
  readonly #failures = new Map<string, string | null>();
  readonly #waiting = new Map<string, (failure: string | null) => void>();
  #closed: string | undefined;

  add(scenario: string, line: string): void {
    if (!line.startsWith('{')) return;
    const verdict = JSON.parse(line) as Verdict;
    const key = `${scenario} ${verdict.case}`;
    this.#failures.set(key, verdict.failure);
    this.#waiting.get(key)?.(verdict.failure);
  }

  /** No more will come: whoever still waits is told why. */
  close(why: string): void {
    this.#closed = why;
    for (const tell of this.#waiting.values()) tell(why);
  }

  /** The failure of a case, or null if it passed. */
  of(scenario: string, name: string): Promise<string | null> {
    const key = `${scenario} ${name}`;
    const known = this.#failures.get(key);
    if (known !== undefined) return Promise.resolve(known);
    if (this.#closed !== undefined) return Promise.resolve(this.#closed);
    return new Promise((resolve) => this.#waiting.set(key, resolve));
  }
}
