/**
 * Reads the manifests that were named on the command line: files, folders of them, and stdin.
 */

import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { messageOf } from '../../events/message-of.ts';
import { type Declared, type ManifestFile, parseManifests, placeText } from '../declare/manifest.ts';
import { Failure } from '../exit.ts';

/** What a file in a folder is called to be read as a manifest. */
const MANIFEST_NAME = /\.(ya?ml|json)$/;

/** What the files declare; a folder stands for the manifests in it, `-` for stdin. Throws a Failure that lists what is wrong. */
export async function readManifests(paths: readonly string[]): Promise<Declared> {
  return declaredIn(await readManifestFiles(paths));
}

/** The files as they are; a folder stands for the manifests in it, `-` for stdin. Throws a Failure. */
export async function readManifestFiles(paths: readonly string[]): Promise<readonly ManifestFile[]> {
  const files = (await Promise.all(paths.map(filesOf))).flat();
  return Promise.all([...new Set(files)].map(readManifest));
}

/** What manifests declare. Throws a Failure that lists what is wrong. */
export function declaredIn(files: readonly ManifestFile[]): Declared {
  const manifests = parseManifests(files);
  if (manifests.kind === 'valid') return manifests;
  const { problems, omitted } = manifests;
  throw wrongManifests(
    problems.map(({ path, reason, ...place }) => {
      return `${placeText(place)}: ${path === '' ? '' : `${path}: `}${reason}`;
    }),
    omitted,
  );
}

/** A Failure that lists what is wrong with manifests. */
export function wrongManifests(problems: readonly string[], omitted = 0): Failure {
  const lines = problems.map((one) => `\n  ${one}`);
  if (omitted > 0) lines.push(`\n  and ${omitted} more`);
  return new Failure(`reading the manifests:${lines.join('')}`, {
    outcome: 'input',
    wayOut: 'correct what is listed; nothing was published',
  });
}

/** The manifests in a folder, by name; anything else as it is. */
async function filesOf(path: string): Promise<readonly string[]> {
  if (path === '-' || !(await isFolder(path))) return [path];
  const names = (await readdir(path)).filter((name) => MANIFEST_NAME.test(name)).sort();
  if (names.length > 0) return names.map((name) => join(path, name));
  throw new Failure(`reading the manifests in ${path}: there are none`, {
    outcome: 'input',
    wayOut: 'give a folder with files that end in .yaml, .yml or .json; folders in it are not looked into',
  });
}

/** What cannot be looked at is told when it is read. */
async function isFolder(path: string): Promise<boolean> {
  try {
    return (await stat(path)).isDirectory();
  } catch {
    return false;
  }
}

async function readManifest(path: string): Promise<ManifestFile> {
  try {
    const bytes = await (path === '-' ? buffer(process.stdin) : readFile(path));
    const text = new TextDecoder('utf-8', { fatal: true }).decode(bytes);
    return { name: path === '-' ? 'stdin' : path, text };
  } catch (cause) {
    const reason = messageOf(cause);
    throw new Failure(`reading the manifest ${path}: ${reason}`, {
      outcome: 'input',
      wayOut: 'give -f the path of a readable file in UTF-8, of a folder, or - for stdin',
      cause,
    });
  }
}
