/**
 * `adopt`: declares devices that nobody declared, as they stand, so that agents take them over untouched.
 */
import type { HostId } from '../../events/names.ts';
import type { Row } from '../../events/row.ts';
import type { Flags } from '../config.ts';
import { adoption } from '../declare/adoption.ts';
import type { Declared, Listed } from '../declare/manifest.ts';
import { Failure, type Outcome } from '../exit.ts';
import { readRows, readStandings } from '../fleet.ts';
import { notForgotten } from '../look/forgotten.ts';
import { applyDeclared } from './apply.ts';
import { setName, showManifest } from './manifest-view.ts';
import { type Fleet, withFleet } from './open.ts';
import type { Output } from './output.ts';
import { uuidsOf } from './targets.ts';
import { unknownNames } from './unknown.ts';
import type { Invocation } from './verb.ts';

/** The set of what is adopted, unless --set says otherwise. */
const SET = 'adopted';
const UNKNOWN =
  'what attributes these devices have is not known, so none are declared, and agents leave them as they are';

export async function adopt({ settings, args, flags, out }: Invocation): Promise<Outcome> {
  const set = setName(flags['set'] ?? SET);
  const uuids = uuidsOf(args);
  return withFleet(settings, async (fleet) => {
    const rows = await choose(fleet, uuids, flags, out);
    if (rows.length === 0) {
      for (const text of await unknownNames(fleet, flags)) out.warn(text);
    } else if (rows.some(({ attributes }) => attributes.length === 0)) out.warn(UNKNOWN);
    if (flags['manifest'] !== true) return applyDeclared(fleet, declaring(set, rows), { flags, out });
    await showManifest(set, rows.map(deviceOf), { flags, out });
    return 'ok';
  });
}

/** What to adopt. Throws a Failure that lists every UUID which cannot be. */
async function choose(
  { streams, prefix }: Fleet,
  uuids: readonly string[],
  flags: Flags,
  out: Output,
): Promise<readonly Row[]> {
  const { host, parent, type } = flags as { readonly [name: string]: HostId | undefined };
  // What is declared is read first, and of all hosts: another one may have declared the UUID.
  const standings = await readStandings(streams.desired, prefix);
  const rows = (await readRows(streams.observed, prefix)).filter(await notForgotten(streams.command, prefix));
  const { rows: chosen, left, refused } = adoption(rows, standings, { uuids, host, parent, type });
  for (const text of left) out.warn(`${text}; it is left as it is`);
  if (refused.length === 0) return chosen;
  throw new Failure(`adopting:${refused.map((text) => `\n  ${text}`).join('')}`, {
    outcome: 'refused',
    wayOut: '`mdevfleet get devices --state unmanaged` shows what can be adopted; nothing was published',
  });
}

function declaring(set: string, rows: readonly Row[]): Declared {
  const place = { file: 'what hosts reported', document: 1, line: 1 };
  const devices = rows.map((row) => ({ set, device: deviceOf(row), place }));
  return { sets: new Set([set]), devices, pools: [] };
}

function deviceOf({ uuid, host, parent, type, attributes }: Row): Listed['device'] {
  return { uuid, host, parent, type, ...(attributes.length === 0 ? {} : { attributes }) };
}
