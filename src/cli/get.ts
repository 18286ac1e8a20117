/**
 * `get devices`: the fleet's devices, from what hosts last reported and what stands declared.
 */
import type { HostId } from '../../events/names.ts';
import type { DeviceState } from '../../events/row.ts';
import { type ShownRow, shownRows } from '../devices.ts';
import type { Outcome } from '../exit.ts';
import { readRows, readStandings } from '../fleet.ts';
import { withFleet } from './open.ts';
import type { Cell, Colour } from './terminal.ts';
import type { Invocation } from './verb.ts';

/** A state's colour, on a terminal. */
export const STATE_COLOURS = {
  ready: 'green',
  waiting: 'yellow',
  conflict: 'red',
  failed: 'red',
  releasing: 'cyan',
  unmanaged: 'dim',
} as const satisfies Record<DeviceState, Colour>;

export async function get({ settings, flags, out }: Invocation): Promise<Outcome> {
  const host = flags['host'] as HostId | undefined;
  const state = flags['state'] as DeviceState | undefined;
  const rows = await withFleet(settings, async ({ streams, prefix }) => {
    // What is declared is read first: a report that comes in between may only make a row newer.
    const standings = await readStandings(streams.desired, prefix, { host });
    return shownRows(await readRows(streams.observed, prefix, host), standings, { host, state });
  });
  if (flags['json'] === true) out.json(rows);
  else if (rows.length === 0) out.line('no devices');
  else out.table(['HOST', 'UUID', 'PARENT', 'TYPE', 'STATE', 'REASON', 'MESSAGE'], rows.map(cells));
  return 'ok';
}

function cells(row: ShownRow): Cell[] {
  return [
    { text: row.host },
    { text: row.uuid },
    { text: row.parent },
    { text: row.type },
    { text: row.state, colour: STATE_COLOURS[row.state] },
    { text: row.reason ?? '-' },
    { text: row.message ?? '-' },
  ];
}
