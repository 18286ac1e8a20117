/**
 * mdevctl's folder of definitions, `<folder>/<parent>/<uuid>`.
 *
 * A definition's file is replaced as a whole or not at all, also when the machine loses its power:
 * mdevctl cannot list anything any more once one of its files is cut short. Until it is complete,
 * a new file stands beside the folders of the parents, where mdevctl looks for none.
 */

import { mkdir, open, readdir, readFile, rename, rm, stat } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { messageOf } from '../../events/message-of.ts';
import type { Definition } from './definition.ts';
import { merged, type Parsed, parseDefinition, parseDump } from './parse.ts';
import { definitionText } from './print.ts';

/** Where mdevctl itself keeps them. */
export const MDEVCTL_FOLDER = '/etc/mdevctl.d';
/** Most bytes in the file of one definition, or in a dump. */
const FILE_BYTES_MAX = 16 * 1024 * 1024;
/** Stands beside the parents, and is none. */
const SCRIPTS = 'scripts.d';
/** What mdevctl takes for a UUID in the name of a file; only the plain form is one here. */
const UUID = /^[0-9a-f]{8}(-?[0-9a-f]{4}){3}-?[0-9a-f]{12}$/i;

const NOTHING: Parsed = { definitions: [], refused: [], ignored: [] };

/** Reads a folder of definitions, the file of one, or a dump. Throws the system's error when the path cannot be read. */
export async function readDefinitions(path: string): Promise<Parsed> {
  if ((await stat(path)).isDirectory()) return readFolder(path);
  const full = resolve(path);
  if (UUID.test(basename(full))) return readOne(full, path);
  return merged([parseDump({ file: path, text: await readText(path) })]);
}

async function readFolder(folder: string): Promise<Parsed> {
  const parts: Parsed[] = [];
  for (const parent of (await readdir(folder)).sort()) {
    const path = join(folder, parent);
    if (parent === SCRIPTS || !(await stat(path)).isDirectory()) continue;
    for (const name of (await readdir(path)).sort()) parts.push(await readEntry(join(path, name)));
  }
  return merged(parts);
}

/** What cannot be read is refused by itself. */
async function readEntry(path: string): Promise<Parsed> {
  try {
    if (!(await stat(path)).isFile()) return NOTHING;
    return UUID.test(basename(path)) ? await readOne(path) : ignored(path);
  } catch (error) {
    const what = messageOf(error);
    return { ...NOTHING, refused: [{ file: path, line: 1, what }] };
  }
}

function ignored(file: string): Parsed {
  return { ...NOTHING, ignored: [{ file, line: 1, what: 'its name is not a UUID, so it is left out' }] };
}

async function readOne(path: string, file = path): Promise<Parsed> {
  const identity = { parent: basename(dirname(path)), uuid: basename(path) };
  return parseDefinition({ file, text: await readText(path) }, identity);
}

async function readText(path: string): Promise<string> {
  const { size } = await stat(path);
  if (size > FILE_BYTES_MAX) throw new Error(`larger than ${FILE_BYTES_MAX} bytes`);
  return new TextDecoder('utf-8', { fatal: true }).decode(await readFile(path));
}

/** What became of a definition, and which other file still defines its UUID. */
export type Written = {
  readonly path: string;
  readonly status: 'written' | 'unchanged';
  readonly elsewhere: readonly string[];
};

/** Writes the definitions, each as a whole, and nothing that is so already. Throws the system's error. */
export async function writeDefinitions(
  folder: string,
  definitions: readonly Definition[],
): Promise<readonly Written[]> {
  await mkdir(folder, { recursive: true });
  const parents = await readdir(folder);
  const written: Written[] = [];
  for (const one of definitions) {
    const path = join(folder, one.parent, one.uuid);
    const others = parents.filter((parent) => parent !== one.parent).map((p) => join(folder, p, one.uuid));
    const elsewhere = await existing(others);
    const text = definitionText(one);
    if ((await contentOf(path)) === text) written.push({ path, status: 'unchanged', elsewhere });
    else {
      await replace(folder, path, text);
      written.push({ path, status: 'written', elsewhere });
    }
  }
  return written;
}

async function existing(paths: readonly string[]): Promise<readonly string[]> {
  const contents = await Promise.all(paths.map(contentOf));
  return paths.filter((_, index) => contents[index] !== null);
}

async function contentOf(path: string): Promise<string | null> {
  try {
    return await readFile(path, 'utf8');
  } catch {
    return null;
  }
}

async function replace(folder: string, path: string, text: string): Promise<void> {
  const parent = dirname(path);
  const isNew = (await mkdir(parent, { recursive: true })) !== undefined;
  const temporary = join(folder, `.mdevfleet-${process.pid}`);
  try {
    await using file = await open(temporary, 'w', 0o644);
    await file.writeFile(text);
    await file.sync();
    await rename(temporary, path);
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
  await syncFolder(parent);
  if (isNew) await syncFolder(folder);
}

/** The name of a file is durable once its folder is. */
async function syncFolder(path: string): Promise<void> {
  await using folder = await open(path, 'r');
  await folder.sync();
}
