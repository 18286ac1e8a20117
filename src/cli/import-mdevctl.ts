/**
 * `import mdevctl`: prints the manifest that declares what mdevctl has defined.
 *
 * What cannot be declared is told with file and line, and the rest is printed all the same.
 */

import { buffer } from 'node:stream/consumers';
import { messageOf } from '../../events/message-of.ts';
import { required } from '../config.ts';
import { Failure, type Outcome } from '../exit.ts';
import { deviceOf } from '../mdevctl/definition.ts';
import { MDEVCTL_FOLDER, readDefinitions } from '../mdevctl/folder.ts';
import { merged, type Parsed, parseDump } from '../mdevctl/parse.ts';
import { setName, showManifest } from './manifest-view.ts';
import type { Invocation } from './verb.ts';

/** Most refusals that are listed; of the rest only the number is told. */
const REFUSALS_MAX = 50;

export async function importMdevctl({ settings, args, flags, out }: Invocation): Promise<Outcome> {
  const host = required(settings, 'host');
  const name = setName(flags['set'] ?? 'mdevctl');
  const { definitions, refused, ignored } = await read(args[1] ?? MDEVCTL_FOLDER);
  const wanted = flags['start'] === undefined ? definitions : definitions.filter(isAutomatic);
  const devices = wanted.map((one) => deviceOf(one, host));
  await showManifest(name, devices, { flags, out });
  for (const { file, line, what } of ignored) out.warn(`${file}:${line}: ${what}`);
  const manual = wanted.filter((one) => !isAutomatic(one)).length;
  if (manual > 0) {
    out.warn(
      `${manual} with start: manual; applied, they are created and kept (--start auto leaves them out)`,
    );
  }
  if (refused.length > 0) throw leftOut(refused);
  return 'ok';
}

function isAutomatic({ start }: Parsed['definitions'][number]): boolean {
  return start === 'auto';
}

async function read(path: string): Promise<Parsed> {
  try {
    if (path !== '-') return await readDefinitions(path);
    const text = new TextDecoder('utf-8', { fatal: true }).decode(await buffer(process.stdin));
    return merged([parseDump({ file: 'stdin', text })]);
  } catch (cause) {
    const reason = messageOf(cause);
    throw new Failure(`reading definitions of mdevctl in ${path}: ${reason}`, {
      outcome: 'input',
      wayOut: `give a folder such as ${MDEVCTL_FOLDER}, or what \`mdevctl list -d --dumpjson\` prints; - is stdin`,
      cause,
    });
  }
}

function leftOut(refused: Parsed['refused']): Failure {
  const lines = refused.slice(0, REFUSALS_MAX).map(({ file, line, what }) => `\n  ${file}:${line}: ${what}`);
  if (refused.length > REFUSALS_MAX) lines.push(`\n  and ${refused.length - REFUSALS_MAX} more`);
  return new Failure(`importing from mdevctl: definitions were left out:${lines.join('')}`, {
    outcome: 'input',
    wayOut: 'correct what is listed and import again; what is printed is complete without them',
  });
}
