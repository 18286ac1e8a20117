/**
 * Proves that the linter's rules bite: each one we lean on gets a snippet that breaks it, linted under the
 * repository's own biome.json. A rule that is renamed, switched off or cannot see the mistake fails here.
 */
import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { z } from 'zod';
import { pureFiles } from './pure-files.ts';

const ROOT = dirname(import.meta.dirname);

type Case = { readonly rule: string; readonly file: string; readonly code: string };

const RESTRICTED = 'style/noRestrictedImports';

const directions = [
  ['events', ['store', 'reconciler', 'src', 'test', 'tools']],
  ['store', ['reconciler', 'src', 'test', 'tools']],
  ['reconciler', ['src', 'test', 'tools']],
  ['src', ['test', 'tools']],
] as const;

const upward: readonly Case[] = directions.flatMap(([from, forbidden]) =>
  forbidden.map((to) => ({
    rule: RESTRICTED,
    file: `${from}/up-to-${to}.ts`,
    code: `import type { Thing } from '../${to}/deep/thing.ts';\nexport type T = Thing;\n`,
  })),
);

const IMPURE = ['node:fs', 'node:fs/promises', 'uuid', '@nats-io/kv', '../vitest.config.ts'];

/** One import a line, so that the line of a diagnostic tells which import it is about. */
const impure = IMPURE.map((source, index) => `import * as m${index} from '${source}';`).join('\n');

const others: readonly Case[] = [
  {
    rule: 'suspicious/noImportCycles',
    file: 'events/cycle-a.ts',
    code: `import type { B } from './cycle-b.ts';\nexport type A = { b: B | null };\n`,
  },
  {
    rule: 'suspicious/noImportCycles',
    file: 'events/cycle-b.ts',
    code: `import type { A } from './cycle-a.ts';\nexport type B = { a: A | null };\n`,
  },
  {
    rule: 'nursery/noFloatingPromises',
    file: 'src/floating.ts',
    code: `async function later(): Promise<void> {}\nexport function now(): void {\n  later();\n}\n`,
  },
  {
    rule: 'nursery/noFloatingPromises',
    file: 'src/floating-import.ts',
    code: `import { flush } from '../store/port.ts';\nexport function now(): void {\n  flush();\n}\n`,
  },
  {
    rule: 'nursery/noFloatingPromises',
    file: 'src/floating-port.ts',
    code: `import type { Port } from '../store/port.ts';\nexport function now(port: Port): void {\n  port.append(1);\n}\n`,
  },
  {
    rule: 'nursery/noMisusedPromises',
    file: 'src/misused.ts',
    code: `async function held(): Promise<boolean> {\n  return true;\n}\nexport const yes = () => (held() ? 1 : 2);\n`,
  },
  {
    rule: 'nursery/useExhaustiveSwitchCases',
    file: 'reconciler/switch.ts',
    code: `type S = 'a' | 'b';\nexport function f(s: S): number {\n  switch (s) {\n    case 'a':\n      return 1;\n  }\n  return 0;\n}\n`,
  },
  {
    rule: 'nursery/useExhaustiveSwitchCases',
    file: 'reconciler/switch-kind.ts',
    code: `import type { Step } from '../store/port.ts';\nexport function f(step: Step): number {\n  switch (step.kind) {\n    case 'create':\n      return 1;\n  }\n  return 0;\n}\n`,
  },
  { rule: 'style/noDefaultExport', file: 'src/default.ts', code: 'export default 1;\n' },
  { rule: 'style/noEnum', file: 'src/enum.ts', code: 'export enum E {\n  A,\n}\n' },
  {
    rule: 'style/noNamespace',
    file: 'src/space.ts',
    code: 'export namespace N {\n  export const a = 1;\n}\n',
  },
  {
    rule: 'style/noParameterProperties',
    file: 'src/parameter.ts',
    code: 'export class C {\n  constructor(readonly a: number) {}\n}\n',
  },
  { rule: 'performance/noBarrelFile', file: 'src/barrel.ts', code: "export * from '../store/port.ts';\n" },
  { rule: 'suspicious/noExplicitAny', file: 'src/any.ts', code: 'export const a = (b: any) => String(b);\n' },
  { rule: 'suspicious/noTsIgnore', file: 'src/ignore.ts', code: '// @ts-ignore\nexport const a = 1;\n' },
  {
    rule: 'style/noNonNullAssertion',
    file: 'src/assert.ts',
    code: 'export const a = (b: string | null) => b!.length;\n',
  },
  {
    rule: 'correctness/useImportExtensions',
    file: 'src/extension.ts',
    code: "import { flush } from '../store/port';\nexport const a = flush;\n",
  },
  {
    rule: 'correctness/noUndeclaredDependencies',
    file: 'src/undeclared.ts',
    code: "import lodash from 'lodash';\nexport const a = lodash;\n",
  },
  {
    rule: 'style/useNodejsImportProtocol',
    file: 'src/protocol.ts',
    code: "import { readFileSync } from 'fs';\nexport const a = readFileSync;\n",
  },
  {
    rule: 'style/useErrorCause',
    file: 'src/cause.ts',
    code: "export function f(g: () => void): void {\n  try {\n    g();\n  } catch (error) {\n    throw new Error('g failed');\n  }\n}\n",
  },
  { rule: 'style/useFilenamingConvention', file: 'src/Big_Name.ts', code: 'export const a = 1;\n' },
  {
    rule: 'complexity/noExcessiveLinesPerFunction',
    file: 'src/long.ts',
    code: `export function f(a: number): number {\n${'  a.toFixed();\n'.repeat(71)}  return a;\n}\n`,
  },
  {
    rule: 'suspicious/noFocusedTests',
    file: 'test/focused.test.ts',
    code: "import { test } from 'vitest';\ntest.only('a', () => {});\n",
  },
  {
    rule: 'suspicious/noSkippedTests',
    file: 'test/skipped.test.ts',
    code: "import { test } from 'vitest';\ntest.skip('a', () => {});\n",
  },
];

/** What the snippets import, and itself nothing to complain about. */
const CLEAN = {
  'store/port.ts': `export type Port = { append(n: number): Promise<void> };
export type Step = { readonly kind: 'create' } | { readonly kind: 'remove' };
export async function flush(): Promise<void> {
  await Promise.resolve();
}
`,
  'reconciler/clean.ts': `import type { Port, Step } from '../store/port.ts';

export async function run(port: Port, step: Step): Promise<number> {
  await port.append(1);
  switch (step.kind) {
    case 'create':
      return 1;
    case 'remove':
      return 2;
    default:
      return step satisfies never;
  }
}
`,
};

const project = mkdtempSync(join(tmpdir(), 'mdevfleet-lint-'));
afterAll(() => rmSync(project, { recursive: true }));

const diagnostics = z.array(
  z.object({
    category: z.string(),
    location: z.object({ path: z.string(), start: z.object({ line: z.number() }).optional() }),
  }),
);

const found = lint();

function lint() {
  for (const name of ['biome.json', 'package.json', 'tsconfig.json']) {
    cpSync(join(ROOT, name), join(project, name));
  }
  symlinkSync(join(ROOT, 'node_modules'), join(project, 'node_modules'));
  for (const [file, code] of Object.entries(CLEAN)) write(file, code);
  for (const { file, code } of [...upward, ...others]) write(file, code);
  for (const file of pureFiles()) write(file, `${impure}\nexport const all = [m0, m1, m2, m3, m4];\n`);
  const biome = join(ROOT, 'node_modules', '.bin', 'biome');
  const args = ['lint', '--vcs-enabled=false', '--reporter=json', '--max-diagnostics=none'];
  const { stdout, stderr } = spawnSync(biome, args, { cwd: project, encoding: 'utf8' });
  const start = stdout.indexOf('{');
  if (start < 0) throw new Error(`biome printed no report, but: ${stderr}`);
  return z.object({ diagnostics }).parse(JSON.parse(stdout.slice(start))).diagnostics;
}

function write(file: string, code: string): void {
  mkdirSync(dirname(join(project, file)), { recursive: true });
  writeFileSync(join(project, file), code);
}

function rulesOf(file: string): readonly string[] {
  const here = found.filter(({ location }) => location.path === file);
  return here.map(({ category }) => category.replace(/^lint\//, ''));
}

describe('lint', () => {
  test.each([...upward, ...others])('$rule catches $file', ({ rule, file }) => {
    expect(rulesOf(file)).toContain(rule);
  });

  test.each(pureFiles())('%s may import nothing that does I/O', (file) => {
    const restricted = found.filter(
      ({ category, location }) => category === `lint/${RESTRICTED}` && location.path === file,
    );
    const lines = new Set(restricted.map(({ location }) => location.start?.line));
    expect(lines).toEqual(new Set(IMPURE.map((_, index) => index + 1)));
  });

  test('the planner is among the pure files', () => {
    expect(pureFiles()).toContain('reconciler/plan.ts');
  });

  test.each(Object.keys(CLEAN))('%s has nothing to complain about', (file) => {
    expect(rulesOf(file)).toEqual([]);
  });
});
