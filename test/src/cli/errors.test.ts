/**
 * The list of errors, walked: each ends as it should, and names the operation, the object and the way out. No place in
 * the sources makes an error that is not on the list, unless it is said why.
 */
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { EXIT } from '../../../src/exit.ts';
import { ELSEWHERE, errorSites, madeAt } from './error-sites.ts';
import { errorsDocument, type Told } from './errors-document.ts';
import { ERRORS, type Line } from './errors-list.ts';
import { type ErrorsWorld, makeErrorsWorld } from './errors-world.ts';
import { runInProcess } from './in-process.ts';

const DOCUMENT = join(dirname(dirname(dirname(import.meta.dirname))), 'docs', 'errors.md');

let world: ErrorsWorld;
const told: Told[] = [];
const made = new Set<string>();

beforeAll(async () => {
  // Each agent that cannot start leaves its listeners here, as it may in a process of its own.
  process.setMaxListeners(0);
  world = await makeErrorsWorld();
});
afterAll(() => world.remove());

/** As a shell would: variables, then words, with or without quotes; servers by their names in the list. */
function parse({ command }: Line): {
  readonly args: readonly string[];
  readonly env: Record<string, string>;
} {
  const words = command.match(/(?:[^\s']|'[^']*')+/g) ?? [];
  const plain = words.map((word) => world.servers[word] ?? word.replaceAll("'", ''));
  const first = plain.findIndex((word) => !/^[A-Z_]+=/.test(word));
  const [variables, args] = first < 0 ? [[], plain] : [plain.slice(0, first), plain.slice(first)];
  const env = Object.fromEntries(variables.map((one) => one.split('=', 2)));
  return { args, env };
}

describe('what people can get wrong', () => {
  test.each(ERRORS.map((line) => [line.wrong, line] as const))('%s', async (_, line) => {
    const { args, env } = parse(line);
    const onError = (error: unknown) => {
      for (const at of madeAt(error)) made.add(at);
    };
    for (const [name, value] of Object.entries(env)) vi.stubEnv(name, value);
    const { status, stderr } = await runInProcess(args, { env, onError });
    vi.unstubAllEnvs();
    told.push({ line, stderr });
    expect(status).toBe(EXIT[line.outcome]);
    for (const text of [...line.says, line.wayOut]) expect(stderr).toContain(text);
    expect(stderr).not.toMatch(/\n {4}at |\.ts\b|a fault of mdevfleet: /);
  });

  test('is all that can go wrong', () => {
    const unlisted = errorSites().filter(({ at }) => !made.has(at));
    const excused = (site: (typeof unlisted)[number]) =>
      ELSEWHERE.filter(([file, text]) => site.at.startsWith(`${file}:`) && site.text.includes(text));
    expect(unlisted.filter((site) => excused(site).length === 0)).toEqual([]);
    const excuses = new Set(unlisted.flatMap(excused));
    expect(ELSEWHERE.filter((one) => !excuses.has(one))).toEqual([]);
  });

  test('is in docs/errors.md as it is said', async () => {
    await expect(errorsDocument(told, world.servers)).toMatchFileSnapshot(DOCUMENT);
  });
});
