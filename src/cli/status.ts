/**
 * `status`: the fleet on one screen; the exit status says whether all is as declared.
 */
import { deviceState } from '../../events/row.ts';
import type { Outcome } from '../exit.ts';
import { type FleetStatus, fleetStatus } from '../look/fleet-status.ts';
import type { HostNote } from '../look/host-notes.ts';
import { STATE_COLOURS } from './device-columns.ts';
import { formOf } from './form.ts';
import { withFleet } from './open.ts';
import type { Output } from './output.ts';
import type { Cell, Colour } from './terminal.ts';
import type { Invocation } from './verb.ts';
import { showValue } from './view.ts';

/** Most hosts and reasons that are shown; programs get all. */
const LINES_MAX = 12;

const OUTCOMES = {
  settled: 'ok',
  waiting: 'timeout',
  terminal: 'terminal',
} as const satisfies Record<FleetStatus['status'], Outcome>;

const NOTE_COLOURS = {
  absent: 'red',
  mute: 'red',
  silent: 'red',
  stopped: 'yellow',
  paused: 'yellow',
  cordoned: 'yellow',
} as const satisfies Record<HostNote['note'], Colour>;

export async function status({ settings, flags, out }: Invocation): Promise<Outcome> {
  const form = formOf(flags);
  const found = await withFleet(settings, fleetStatus);
  if (form === 'json' || form === 'yaml') await showValue(found, form, out);
  else show(found, out);
  return OUTCOMES[found.status];
}

function show({ status: is, devices, reasons, hosts, registry, streams }: FleetStatus, out: Output): void {
  const states = deviceState.options.filter((state) => devices[state] > 0);
  const messages = Object.entries(streams).map(([name, last]) => `${name} ${last}`);
  out.table(
    ['FLEET', is],
    [
      [{ text: 'devices' }, { text: String(devices.total) }],
      ...states.map((state): Cell[] => [
        { text: ` ${state}`, colour: STATE_COLOURS[state] },
        { text: ` ${devices[state]}` },
      ]),
      [{ text: 'hosts' }, { text: String(hosts.known) }],
      ...agentsRow(hosts),
      [{ text: 'registry' }, registryCell(registry)],
      [{ text: 'messages' }, { text: messages.join(', ') }],
    ],
  );
  const why = reasons.map(({ state, reason, devices: count, hint }): Cell[] => [
    { text: reason },
    { text: state, colour: STATE_COLOURS[state] },
    { text: String(count) },
    { text: hint ?? '-' },
  ]);
  section(out, ['REASON', 'STATE', 'DEVICES', 'WAY OUT'], why, 'mdevfleet status -o json');
  const notes = hosts.notes.map(({ host, note, about }): Cell[] => [
    { text: host },
    { text: note, colour: NOTE_COLOURS[note] },
    { text: about },
  ]);
  section(out, ['HOST', 'IS', 'ABOUT'], notes, 'mdevfleet status -o json');
}

/** No row where nobody can be asked. */
function agentsRow({ known, there }: FleetStatus['hosts']): readonly Cell[][] {
  if (there === null) return [];
  const text = ` ${there}`;
  return [[{ text: ' agents' }, there === known ? { text } : { text, colour: 'yellow' }]];
}

function registryCell({ state, about }: FleetStatus['registry']): Cell {
  const text = about === null ? state : `${state}: ${about}`;
  return state === 'open' ? { text } : { text, colour: 'red' };
}

/** A table under an empty line, as much of it as fits on a screen. */
function section(
  out: Output,
  header: readonly string[],
  rows: readonly (readonly Cell[])[],
  all: string,
): void {
  if (rows.length === 0) return;
  out.line('');
  out.table(header, rows.slice(0, LINES_MAX));
  if (rows.length > LINES_MAX) out.line(`and ${rows.length - LINES_MAX} more: ${all}`);
}
