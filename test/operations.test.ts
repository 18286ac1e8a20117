/**
 * docs/operations.md against the program: each command is one that it takes, each name in it is there, and no reason is missing.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { facts } from '../events/fact.ts';
import { systemClock } from '../reconciler/clock-system.ts';
import { buildProgram } from '../src/cli/program.ts';
import { lookAtFleet } from '../src/doctor/fleet.ts';
import { hostChecks } from '../src/doctor/host.ts';
import { machineBelow } from '../src/doctor/machine-system.ts';
import { EXIT } from '../src/exit.ts';
import { limitSchemas } from '../src/limits.ts';
import { everything } from '../src/look/explained.ts';
import { OPTIONS, variableOf } from '../src/options.ts';
import { SIMULATED_IDENTITY } from '../src/simulated.ts';

const ROOT = join(import.meta.dirname, '..');
const NO_SECRETS = { creds: null, nkey: null, tlsCa: null, tlsCert: null, tlsKey: null };
const NO_SERVER = { kind: 'nats', servers: ['127.0.0.1:1'], prefix: 'mdev', ...NO_SECRETS } as const;

const guide = readFileSync(join(ROOT, 'docs', 'operations.md'), 'utf8');

/** What is between this heading and the next of its rank. */
function section(title: string): string {
  const begin = guide.indexOf(`\n## ${title}\n`);
  const end = guide.indexOf('\n## ', begin + 1);
  return begin < 0 ? '' : guide.slice(begin, end < 0 ? undefined : end);
}

function all(pattern: RegExp, text = guide): readonly string[] {
  return [...new Set([...text.matchAll(pattern)].map(([, found = '']) => found.replaceAll(/\s+/g, ' ')))];
}

/** Commands of ours: in a line of text, or a line each, without what a shell does with them. */
const inText = all(/`(mdevfleet [^`]+)`/g);
const inBlocks = all(/^ {4}(mdevfleet .*)$/gm).map((line) => line.replace(/ [#>] .*$/, ''));
const commands = [...new Set([...inText, ...inBlocks])];

/** Resolves when the program would run it. */
async function taken(command: string): Promise<void> {
  const [, ...words] = (command.match(/(?:[^\s"]|"[^"]*")+/g) ?? []).map((word) => word.replaceAll('"', ''));
  const program = buildProgram('0', async () => {});
  for (const one of [program, ...program.commands]) one.configureOutput({ writeErr: () => {} });
  await program.parseAsync(words, { from: 'user' });
}

describe('the operations guide', () => {
  test('has a section for each reason, and none for another', () => {
    const { reasons } = everything();
    const headings = ['Waiting', 'Terminal', 'Drift'].flatMap((title) => all(/^### (.*)$/gm, section(title)));
    expect([...headings].sort()).toEqual([...new Set(reasons.map(({ reason }) => reason))].sort());
    expect(headings.map((heading) => `docs/operations.md#${heading.toLowerCase()}`).sort()).toEqual(
      [...new Set(reasons.map(({ guide: where }) => where))].sort(),
    );
  });

  test('has the sections that the doctor names', () => {
    const texts = readFileSync(join(ROOT, 'src', 'doctor', 'fleet-found.ts'), 'utf8');
    const named = all(/docs\/operations\.md#([a-z-]+)/g, texts);
    expect(named.length).toBeGreaterThan(1);
    const anchors = all(/^##+ (.*)$/gm).map((heading) => heading.toLowerCase().replaceAll(' ', '-'));
    expect(anchors).toEqual(expect.arrayContaining([...named]));
  });

  test('shows commands, of most verbs', () => {
    const verbs = new Set(commands.map((command) => command.split(' ')[1]));
    expect(verbs.size).toBeGreaterThan(20);
  });

  test.each(commands)('%s', async (command) => {
    await expect(taken(command)).resolves.toBeUndefined();
  });

  test('a command that is none is noticed', async () => {
    await expect(taken('mdevfleet statuss')).rejects.toThrow('unknown command');
    await expect(taken('mdevfleet reopen --force')).rejects.toThrow('unknown option');
    await expect(taken('mdevfleet rebind --reason "new mainboard" HOST PARENT')).rejects.toThrow('too many');
  });

  test('says what the doctor looks at', async () => {
    const table = /\| it looks at[\s\S]*?\n\n/.exec(guide)?.[0] ?? '';
    const told = all(/^\| ([a-z, ]+) \|/gm, table).flatMap((cell) => cell.split(', '));
    const machine = machineBelow({ root: '/', path: '' });
    const versions = { program: '', node: '', lmdb: '' };
    const host = { data: '/', host: null, secrets: {}, sysfs: '/sys', versions, scripts: async () => [] };
    const fleet = lookAtFleet({ ...NO_SERVER, timeoutMs: 1 }, systemClock, {
      host: 'a',
      machine: SIMULATED_IDENTITY,
    });
    const checks = [...hostChecks(machine, host), ...fleet.checks].map(({ name }) => name);
    await fleet.close();
    expect([...told].filter((name) => name !== 'it looks at').sort()).toEqual([...checks].sort());
  });

  test('names flags, variables, limits and kinds of facts that there are', () => {
    const flags = buildProgram('0', async () => {}).commands.flatMap(({ options }) =>
      options.map(({ long }) => long),
    );
    const variables = Object.keys(OPTIONS).map(variableOf);
    expect(flags).toEqual(expect.arrayContaining([...all(/`(--[a-z-]+)/g)]));
    expect([...variables, 'MDEVFLEET_CONFIG']).toEqual(
      expect.arrayContaining([...all(/(MDEVFLEET_[A-Z_]+)/g)]),
    );
    expect(Object.keys(limitSchemas)).toEqual(expect.arrayContaining([...all(/`limits\.(\w+)`/g)]));
    expect(Object.keys(facts)).toEqual(expect.arrayContaining([...all(/--kind (\w+)/g)]));
  });

  test('names settings of a file, and exit statuses, that there are', () => {
    const [config = ''] = [...guide.matchAll(/```yaml\n([\s\S]*?)```/g)].map(([, text]) => text);
    expect(Object.keys(OPTIONS)).toEqual(expect.arrayContaining(Object.keys(parse(config) as object)));
    const statuses = all(/\bstatus (\d+)/g).map(Number);
    expect(statuses.length).toBeGreaterThan(3);
    expect(Object.values(EXIT)).toEqual(expect.arrayContaining(statuses));
  });
});
