/**
 * Reads the manifests that were named on the command line.
 */
import { readFileSync } from 'node:fs';
import { Failure } from '../exit.ts';
import { type Listed, type ManifestFile, type Problem, parseManifests, placeText } from '../manifest.ts';

const STDIN = 0;

/** The devices in the files; `-` is stdin. Throws a Failure that lists what is wrong. */
export function readManifests(paths: readonly string[]): readonly Listed[] {
  const manifests = parseManifests(paths.map(readFile));
  if (manifests.kind === 'valid') return manifests.devices;
  const { problems, omitted } = manifests;
  const lines = problems.map((one) => `\n  ${problemText(one)}`);
  if (omitted > 0) lines.push(`\n  and ${omitted} more`);
  throw new Failure(`reading the manifests:${lines.join('')}`, {
    outcome: 'input',
    wayOut: 'correct what is listed; nothing was published',
  });
}

function readFile(path: string): ManifestFile {
  try {
    const bytes = readFileSync(path === '-' ? STDIN : path);
    return {
      name: path === '-' ? 'stdin' : path,
      text: new TextDecoder('utf-8', { fatal: true }).decode(bytes),
    };
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
