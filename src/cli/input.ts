/**
 * Reads the manifests that were named on the command line.
 */
import { readFile } from 'node:fs/promises';
import { buffer } from 'node:stream/consumers';
import { Failure } from '../exit.ts';
import { type Listed, type ManifestFile, type Problem, parseManifests, placeText } from '../manifest.ts';

/** The devices in the files; `-` is stdin. Throws a Failure that lists what is wrong. */
export async function readManifests(paths: readonly string[]): Promise<readonly Listed[]> {
  const manifests = parseManifests(await Promise.all(paths.map(readManifest)));
  if (manifests.kind === 'valid') return manifests.devices;
  const { problems, omitted } = manifests;
  const lines = problems.map((one) => `\n  ${problemText(one)}`);
  if (omitted > 0) lines.push(`\n  and ${omitted} more`);
  throw new Failure(`reading the manifests:${lines.join('')}`, {
    outcome: 'input',
    wayOut: 'correct what is listed; nothing was published',
  });
}

async function readManifest(path: string): Promise<ManifestFile> {
  try {
    const bytes = await (path === '-' ? buffer(process.stdin) : readFile(path));
    const text = new TextDecoder('utf-8', { fatal: true }).decode(bytes);
    return { name: path === '-' ? 'stdin' : path, text };
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new Failure(`reading the manifest ${path}: ${reason}`, {
      outcome: 'input',
      wayOut: 'give -f the path of a readable file in UTF-8, or - for stdin',
      cause,
    });
  }
}

function problemText({ path, reason, ...place }: Problem): string {
  return `${placeText(place)}: ${path === '' ? '' : `${path}: `}${reason}`;
}
