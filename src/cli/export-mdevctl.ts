/**
 * `export mdevctl`: defines for mdevctl what is declared on a host.
 *
 * Printed, or written to a folder. The agent owns these devices, so mdevctl is told not to start
 * them itself; only `--give-back` hands them over.
 */

import type { PresentData } from '../../events/declaration.ts';
import { messageOf } from '../../events/message-of.ts';
import type { HostId } from '../../events/names.ts';
import { Failure, type Outcome } from '../exit.ts';
import { readStandings } from '../fleet.ts';
import { type Definition, ownedDefinition, returnedDefinition } from '../mdevctl/definition.ts';
import { writeDefinitions } from '../mdevctl/folder.ts';
import { dumpText } from '../mdevctl/print.ts';
import { oneHost } from './one-host.ts';
import { withFleet } from './open.ts';
import type { Output } from './output.ts';
import { unknownNames } from './unknown.ts';
import type { Invocation } from './verb.ts';

export async function exportMdevctl({ settings, args, flags, out }: Invocation): Promise<Outcome> {
  const folder = folderOf(args[1], flags['dir']);
  const define = flags['giveBack'] === true ? returnedDefinition : ownedDefinition;
  const declared = await withFleet(settings, async (fleet) => {
    const found = await present(fleet.streams.desired, fleet.prefix, settings.host);
    if (found.length === 0) for (const text of await unknownNames(fleet, settings)) out.warn(text);
    return found;
  });
  const definitions = oneHost(declared, settings.host).map(define);
  if (folder !== undefined) await write(folder, definitions, out);
  else await out.raw([`${dumpText(definitions)}\n`]);
  return 'ok';
}

/** The folder may be named in either place. */
function folderOf(path: string | undefined, dir: unknown): string | undefined {
  if (typeof dir !== 'string') return path;
  if (path === undefined || path === dir) return dir;
  const wayOut = 'name it once';
  throw new Failure(`reading the arguments: --dir ${dir} and ${path} are two folders`, {
    outcome: 'usage',
    wayOut,
  });
}

async function present(
  desired: Parameters<typeof readStandings>[0],
  prefix: string,
  host: HostId | undefined,
): Promise<readonly PresentData[]> {
  const standings = await readStandings(desired, prefix, { host });
  return [...standings.values()].flatMap(({ declaration }) =>
    declaration?.desired === 'present' ? [declaration.data] : [],
  );
}

async function write(folder: string, definitions: readonly Definition[], out: Output): Promise<void> {
  try {
    for (const { path, status, elsewhere } of await writeDefinitions(folder, definitions)) {
      out.line(`${status} ${path}`);
      for (const other of elsewhere) out.warn(`${other} defines the same UUID; remove it`);
    }
  } catch (cause) {
    const reason = messageOf(cause);
    throw new Failure(`writing definitions to ${folder}: ${reason}`, {
      outcome: 'incomplete',
      wayOut: 'see to it that the folder can be written to, and run the same command again',
      cause,
    });
  }
}
