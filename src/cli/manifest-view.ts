/**
 * Prints the manifest of one set, as `apply` takes it: for verbs that make declarations of what they find.
 */
import { stringify } from 'yaml';
import { TEXT_CHARS_MAX } from '../../events/declaration.ts';
import { API_VERSION, KIND, type Listed } from '../declare/manifest.ts';
import { Failure } from '../exit.ts';
import type { Invocation } from './verb.ts';

/** The name of a set, as given with --set. Throws a Failure if it cannot be one. */
export function setName(given: unknown): string {
  if (typeof given === 'string' && given !== '' && given.length <= TEXT_CHARS_MAX) return given;
  const wayOut = `give 1 to ${TEXT_CHARS_MAX} characters`;
  throw new Failure(`reading the settings: --set: not the name of a set: ${String(given)}`, {
    outcome: 'usage',
    wayOut,
  });
}

/** In YAML, or with --json in JSON. */
export async function showManifest(
  set: string,
  devices: readonly Listed['device'][],
  { flags, out }: Pick<Invocation, 'flags' | 'out'>,
): Promise<void> {
  const manifest = { apiVersion: API_VERSION, kind: KIND, metadata: { name: set }, devices };
  if (flags['json'] === true) out.json(manifest);
  else await out.raw([stringify(manifest, { lineWidth: 0 })]);
}
