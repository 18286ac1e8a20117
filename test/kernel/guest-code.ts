/**
 * The code of this checkout as a guest runs it: joined outside into few files of JavaScript, since under emulation it is
 * finding and parsing hundreds of modules that a process spends its time on. Nothing is left out or replaced but the
 * place of a module: it is told the one outside, and that of a program that it starts is the joined one's.
 */
import { mkdir, readFile, rm } from 'node:fs/promises';
import { SourceMap } from 'node:module';
import { dirname, join, relative, resolve } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { type Plugin, rolldown } from 'rolldown';
import { ROOT } from './shares.ts';

/** Where a guest sees what was joined. */
export const GUEST_CODE = '/guest/code';
/** Packages with a part that is no JavaScript, which they look for beside themselves. */
const NATIVE = ['lmdb', 'msgpackr-extract'];
/** How a module names a program that it starts. */
const PROGRAM =
  /\bjoin\(import\.meta\.dirname, '([\w./-]+)\.ts'\)|\bsiblingOf\(import\.meta\.filename, '([\w./-]+)'\)/g;
const FRAME = /(?:file:\/\/)?\/guest\/code\/(\S+?\.mjs):(\d+):(\d+)/g;

/** True for a word that names a TypeScript file of the checkout. */
export function isCode(word: string): boolean {
  return word.startsWith(`${ROOT}/`) && word.endsWith('.ts');
}

/** Where in a guest a program is that `joinCode` has joined. */
export function joinedPath(path: string): string {
  return join(GUEST_CODE, fileNameOf(path));
}

/**
 * Joins programs, and those that they start, with all they import; what was in the folder is gone.
 * @param root where the guest has the packages with native parts, in node_modules
 */
export async function joinCode(programs: readonly string[], folder: string, root = ROOT): Promise<void> {
  await rm(folder, { recursive: true, force: true });
  await mkdir(folder, { recursive: true });
  if (programs.length === 0) return;
  const input = Object.fromEntries(programs.map((path) => [fileNameOf(path).replace(/\.mjs$/, ''), path]));
  const bundle = await rolldown({ input, cwd: ROOT, platform: 'node', plugins: [places(root)] });
  await bundle.write({
    dir: folder,
    format: 'esm',
    sourcemap: true,
    entryFileNames: '[name].mjs',
    chunkFileNames: 'shared/[name].mjs',
  });
  await bundle.close();
}

function fileNameOf(path: string): string {
  return relative(ROOT, path).replace(/\.ts$/, '.mjs');
}

const places = (root: string): Plugin => ({
  name: 'places',
  resolveId(id) {
    if (!NATIVE.includes(id)) return null;
    const place = relative(ROOT, fileURLToPath(import.meta.resolve(id)));
    return { id: join(root, place), external: 'absolute' };
  },
  transform(code, id) {
    if (!isCode(id)) return null;
    const folder = dirname(id);
    const placed = code.replace(PROGRAM, (_, beside?: string, sibling?: string) => {
      const program = resolve(folder, `${beside ?? sibling}.ts`);
      this.emitFile({ type: 'chunk', id: program, fileName: fileNameOf(program) });
      return JSON.stringify(joinedPath(program));
    });
    const text = placed
      .replaceAll('import.meta.dirname', JSON.stringify(folder))
      .replaceAll('import.meta.filename', JSON.stringify(id))
      .replaceAll('import.meta.url', JSON.stringify(pathToFileURL(id).href));
    // Lines stay lines, so the map of what was there before is good enough.
    return { code: text, map: null };
  },
});

/** A stack out of a guest, with the places that its frames have in the sources. */
export async function atSources(stack: string, folder: string): Promise<string> {
  const maps = new Map<string, SourceMap>();
  for (const [, file = ''] of stack.matchAll(FRAME)) {
    if (!maps.has(file))
      maps.set(file, new SourceMap(JSON.parse(await readFile(join(folder, `${file}.map`), 'utf8'))));
  }
  return stack.replace(FRAME, (frame, file: string, line: string, column: string) => {
    const found = maps.get(file)?.findEntry(Number(line) - 1, Number(column) - 1);
    if (found === undefined || !('originalSource' in found)) return frame;
    const source = resolve(dirname(join(folder, file)), found.originalSource);
    return `${source}:${found.originalLine + 1}:${found.originalColumn + 1}`;
  });
}
