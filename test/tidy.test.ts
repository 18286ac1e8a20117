/**
 * The rules of the house that a linter cannot say: where time and chance may enter, how long a file or a function
 * may be, what may not be written down, and that documents and lockfile hold together.
 *
 * A rule names what breaks it as `file:line text`. Each also has to notice a planted breach of itself, so that a
 * rule that has gone blind fails too.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, extname, join, posix } from 'node:path';
import { describe, expect, test } from 'vitest';
import { pureFiles } from './pure-files.ts';

const ROOT = dirname(import.meta.dirname);
const FILE_LINES_MAX = 300;
const FUNCTION_LINES_MAX = 70;
const HEADER_LINES_MAX = 12;

const NOT_OURS = new Set(['.git', '.cache', 'node_modules', 'coverage', 'dist']);
const TEXT = /(^|\/)(Dockerfile|\.npmrc|run|mdevfleet)$|\.(ts|mjs|js|json|md|ya?ml|sh|c|h|conf|txt)$/;
/** These spell out what they forbid. */
const SPELLS_OUT = new Set(['test/tidy.test.ts', 'test/lint.test.ts']);
const PRODUCTION = /^(events|store|reconciler|src)\/.*\.ts$/;
/** The adapters through which time, timers and chance enter production code; event ids of the CLI are made of both. */
const CLOCK_ADAPTERS = ['reconciler/clock-system.ts'];
const CHANCE_ADAPTERS = [...CLOCK_ADAPTERS, 'src/ids.ts'];

type SourceFile = { readonly path: string; readonly text: string; readonly lines: readonly string[] };
type Rule = {
  readonly name: string;
  readonly breaches: (files: readonly SourceFile[]) => readonly string[];
  readonly planted: SourceFile;
};

const rules: readonly Rule[] = [
  {
    name: 'clocks are read in their adapter only',
    breaches: outside(CLOCK_ADAPTERS, /\bDate\.now\b|\bnew Date\(\)|\bperformance\.now\b|\bhrtime\b/),
    planted: source('store/clock.ts', 'const at = Date.now();'),
  },
  {
    name: 'timers are set in their adapter only',
    breaches: outside(
      CLOCK_ADAPTERS,
      /\bsetTimeout\b|\bsetInterval\b|\btimers\/promises\b|\bAbortSignal\.timeout\b/,
    ),
    planted: source('store/timer.ts', "import { setTimeout as sleep } from 'node:timers/promises';"),
  },
  {
    name: 'chance enters through its adapter only',
    breaches: outside(
      CHANCE_ADAPTERS,
      /\bMath\.random\b|\brandom(UUID|Bytes|Int)\b|\bgetRandomValues\b|\bfrom 'uuid'/,
    ),
    planted: source('src/agent/agent.ts', "import { v7 } from 'uuid';"),
  },
  {
    name: 'a module keeps no state of its own that changes',
    breaches: (files) => grep(files.filter(isProduction), /^(export )?(let|var) /),
    planted: source('src/state.ts', 'let count = 0;'),
  },
  {
    name: 'pure files import values from pure files only',
    breaches: (files) => files.flatMap(impureImports),
    planted: source('reconciler/plan.ts', "import {\n  open,\n} from '../store/journal/journal-lmdb.ts';"),
  },
  {
    name: 'production files and tools say at their start why they exist',
    breaches: (files) => files.filter(needsHeader).flatMap(headerBreach),
    planted: source('src/bare.ts', 'export const a = 1;'),
  },
  {
    name: `a file over ${FILE_LINES_MAX} lines gives the reason in its header`,
    breaches: (files) => files.flatMap(tooLong),
    planted: source('src/long.ts', '/** Many things. */\n'.repeat(FILE_LINES_MAX + 1)),
  },
  {
    name: `no function or test is over ${FUNCTION_LINES_MAX} lines`,
    breaches: (files) => files.filter(isTypeScript).flatMap(longFunctions),
    planted: source('src/f.ts', `  async run(a: number) {\n${'    a;\n'.repeat(FUNCTION_LINES_MAX + 1)}  }`),
  },
  {
    name: 'nothing is left for later',
    breaches: (files) => grep(files, /\b(TODO|FIXME|XXX|HACK)\b/),
    planted: source('docs/plan.md', 'TODO: the rest'),
  },
  {
    name: 'no test is left out',
    breaches: (files) =>
      grep(files, /\b(test|it|describe|suite)(\.\w+)*\.(only|skip|skipIf|runIf|todo|fails)\b/),
    planted: source('test/some.test.ts', "test.concurrent.skipIf(true)('a', () => {});"),
  },
  {
    name: 'no path of somebody’s machine is written down',
    breaches: (files) => grep(files, /(^|[\s'"`(=:])\/(work|root|home\/\w+|Users\/\w+)\//),
    planted: source('docs/run.md', 'Look into /home/somebody/mdevfleet.'),
  },
  {
    name: 'no registry or mirror is written down',
    breaches: (files) =>
      grep(
        files,
        /npmjs\.(org|com)|npmmirror|debian\.org|ubuntu\.com|\/\/(registry|mirror|snapshot|proxy)\./,
      ),
    planted: source('Dockerfile', 'RUN npm config set registry https://registry.example.org'),
  },
  {
    name: 'links in documents lead somewhere',
    breaches: (files) => files.filter(({ path }) => extname(path) === '.md').flatMap(brokenLinks),
    planted: source('docs/a.md', 'See [that](nowhere.md).'),
  },
  {
    name: 'tests that are to begin first are there',
    breaches: (files) => files.filter(({ path }) => path === 'vitest.config.ts').flatMap(namedInVain),
    planted: source('vitest.config.ts', "const LONG = ['test/nowhere.test.ts'];"),
  },
];

const repository = list('.')
  .filter((path) => TEXT.test(path) && !SPELLS_OUT.has(path))
  .map((path) => source(path, readFileSync(join(ROOT, path), 'utf8')));

describe('tidy', () => {
  test.each(rules)('$name', ({ breaches }) => {
    expect(breaches(repository)).toEqual([]);
  });

  test.each(rules)('is noticed when broken: $name', ({ breaches, planted }) => {
    expect(breaches([planted])).toHaveLength(1);
  });
});

function list(folder: string): readonly string[] {
  return readdirSync(join(ROOT, folder), { withFileTypes: true })
    .filter(({ name }) => !NOT_OURS.has(name))
    .flatMap((entry) => {
      const path = posix.join(folder, entry.name);
      return entry.isDirectory() ? list(path) : [path];
    });
}

function source(path: string, text: string): SourceFile {
  return { path, text, lines: text.trimEnd().split('\n') };
}

function isProduction({ path }: SourceFile): boolean {
  return PRODUCTION.test(path);
}

function isTypeScript({ path }: SourceFile): boolean {
  return extname(path) === '.ts';
}

function grep(files: readonly SourceFile[], pattern: RegExp): readonly string[] {
  return files.flatMap(({ path, lines }) =>
    lines.flatMap((line, index) => (pattern.test(line) ? [`${path}:${index + 1} ${line.trim()}`] : [])),
  );
}

function outside(adapters: readonly string[], pattern: RegExp): Rule['breaches'] {
  return (files) => {
    const where = files.filter((file) => isProduction(file) && !adapters.includes(file.path));
    return grep(where.map(withoutComments), pattern);
  };
}

function withoutComments({ path, lines }: SourceFile): SourceFile {
  const code = lines.map((line) => (/^\s*(\/?\*|\/\/)/.test(line) ? '' : line.replace(/\s\/\/ .*$/, '')));
  return source(path, code.join('\n'));
}

function impureImports({ path, text }: SourceFile): readonly string[] {
  const pure = new Set(pureFiles());
  if (!pure.has(path)) return [];
  const imports = text.matchAll(/^(?:import|export) (?!type )[^;]*?from '(\.[^']+)';/gm);
  return [...imports]
    .map(([, target = '']) => posix.join(posix.dirname(path), target))
    .filter((target) => !pure.has(target))
    .map((target) => `${path} imports ${target}`);
}

function needsHeader(file: SourceFile): boolean {
  return isProduction(file) || /^tools\/.*\.(ts|mjs)$/.test(file.path);
}

/** The comment that a file starts with, after an interpreter line. */
function header({ text }: SourceFile): string {
  return /^(?:#!.*\n)?(\/\*\*[\s\S]*?\*\/)/.exec(text)?.[1] ?? '';
}

function headerBreach(file: SourceFile): readonly string[] {
  const comment = header(file);
  if (comment === '') return [`${file.path} has no header`];
  const length = comment.split('\n').length;
  return length > HEADER_LINES_MAX ? [`${file.path} has a header of ${length} lines`] : [];
}

function tooLong(file: SourceFile): readonly string[] {
  const reason = /longer than \d+ lines/i.test(header(file).replaceAll(/\s+\* /g, ' '));
  const long = isTypeScript(file) && file.lines.length > FILE_LINES_MAX;
  return long && !reason ? [`${file.path}: ${file.lines.length} lines`] : [];
}

/**
 * Relies on the formatter: what a line opens ends at the next line that closes at the same depth. A function that
 * only wraps a suite is as long as its tests.
 */
function longFunctions({ path, lines }: SourceFile): readonly string[] {
  const opening = /^(\s*)((export )?(async )?function\b|test\b.*=> \{$|(static |async )*\w+\(.*\{$)/;
  return lines.flatMap((line, index) => {
    const indent = opening.exec(line)?.[1];
    const wraps = [line, lines[index + 1] ?? ''].some((near) => /^\s*describe\b/.test(near));
    if (indent === undefined || wraps) return [];
    const length = lines.slice(index + 1).findIndex((later) => later.startsWith(`${indent}}`));
    return length > FUNCTION_LINES_MAX ? [`${path}:${index + 1} ${length} lines`] : [];
  });
}

function brokenLinks({ path, text }: SourceFile): readonly string[] {
  const prose = text.replaceAll(/^```[\s\S]*?^```/gm, '').replaceAll(/`[^`\n]*`/g, '');
  return [...prose.matchAll(/\]\(([^)\s]+)\)/g)]
    .map(([, target = '']) => target)
    .filter((target) => !/^[a-z]+:/.test(target) && !leads(path, target))
    .map((target) => `${path}: ${target}`);
}

function namedInVain({ path, text }: SourceFile): readonly string[] {
  return [...text.matchAll(/'(test\/[^'*]+\.test\.ts)'/g)]
    .filter(([, file = '']) => !existsSync(join(ROOT, file)))
    .map(([, file]) => `${path}: ${file}`);
}

function leads(from: string, target: string): boolean {
  const [file = '', anchor] = target.split('#');
  const path = join(ROOT, file === '' ? from : posix.join(posix.dirname(from), file));
  return existsSync(path) && (anchor === undefined || anchors(readFileSync(path, 'utf8')).includes(anchor));
}

/** The anchors that a document's headings get, as GitHub makes them. */
function anchors(markdown: string): readonly string[] {
  return [...markdown.matchAll(/^#+ (.*)$/gm)].map(([, heading = '']) =>
    heading
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N}\s_-]/gu, '')
      .replaceAll(' ', '-'),
  );
}
