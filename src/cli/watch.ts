/**
 * `watch`: devices as they are, and then every row that changes, until stopped.
 */
import type { Outcome } from '../exit.ts';
import { type Followed, followDevices } from '../look/follow-devices.ts';
import type { Change } from '../look/watching.ts';
import { DEVICE_COLUMNS, type DeviceLine } from './device-columns.ts';
import { formOf } from './form.ts';
import { onlyOf } from './get.ts';
import { withFleet } from './open.ts';
import { unknownNames } from './unknown.ts';
import { untilStopped } from './until-stopped.ts';
import type { Invocation } from './verb.ts';
import { showParts } from './view.ts';

export async function watch({ settings, flags, out }: Invocation): Promise<Outcome> {
  const form = formOf(flags);
  const stop = untilStopped();
  return withFleet(settings, async (fleet) => {
    for (const text of await unknownNames(fleet, flags)) out.warn(text);
    const onAway = (error: Error): void => out.warn(`${error.message}; watching goes on when it is back`);
    const options = { again: stop.again, isStopped: () => stop.isStopped, onAway };
    const followed = followDevices(fleet, onlyOf(flags), options);
    const changes = wanted(followed, flags['changesOnly'] === true);
    if (form === 'json') await out.raw(jsonLines(changes), { atOnce: 1 });
    else await showParts({ parts: lines(changes), none: 'no devices', columns: DEVICE_COLUMNS }, form, out);
    return 'ok' as const;
  });
}

async function* wanted(
  followed: AsyncIterable<Followed>,
  changesOnly: boolean,
): AsyncGenerator<readonly Change[]> {
  for await (const { isListed, changes } of followed) {
    if (!(isListed && changesOnly) && changes.length > 0) yield changes;
  }
}

/** An object a line, as all that a part has at once. */
async function* jsonLines(parts: AsyncIterable<readonly Change[]>): AsyncGenerator<string> {
  for await (const part of parts) {
    yield part.map((one) => `${JSON.stringify({ change: one.change, ...lineOf(one) })}\n`).join('');
  }
}

async function* lines(parts: AsyncIterable<readonly Change[]>): AsyncGenerator<readonly DeviceLine[]> {
  for await (const part of parts) yield part.map(lineOf);
}

function lineOf(change: Change): DeviceLine {
  if (change.change !== 'gone') return change.row;
  const { host, uuid } = change;
  const nothing = { parent: null, type: null, reason: null, message: null, generation: null, set: null };
  return { uuid, host, ...nothing, state: 'gone', attributes: [] };
}
