/**
 * `get`: devices, from what hosts last reported and what stands declared; hosts, parents and types, from what
 * hosts said that they offer; pools, from what stands declared.
 */
import type { HostId } from '../../events/names.ts';
import type { DeviceState } from '../../events/row.ts';
import type { Flags } from '../config.ts';
import { Failure, type Outcome } from '../exit.ts';
import { type Only, type ShownRow, shownRows } from '../look/devices.ts';
import { hostParts } from '../look/host-parts.ts';
import { type Definition, isActive, ownedDefinition } from '../mdevctl/definition.ts';
import { dumpText } from '../mdevctl/print.ts';
import { DEVICE_COLUMNS } from './device-columns.ts';
import { FORMS, type Form, formOf } from './form.ts';
import { hostsView, parentsView, poolsView, typesView } from './get-offers.ts';
import { oneHost } from './one-host.ts';
import { type Fleet, withFleet } from './open.ts';
import type { Output } from './output.ts';
import { unknownNames } from './unknown.ts';
import type { Invocation } from './verb.ts';
import { showParts, showView } from './view.ts';

export async function get(invocation: Invocation): Promise<Outcome> {
  const { settings, args, flags, out } = invocation;
  const form = formOf(flags);
  const [kind = 'devices'] = args;
  if (kind === 'devices' || kind === 'conflicts') return getDevices(invocation, form);
  if (form === 'mdevctl') {
    throw new Failure(`showing ${kind}: --output mdevctl is for devices`, {
      outcome: 'usage',
      wayOut: `choose one of ${FORMS.join(', ')}`,
    });
  }
  return withFleet(settings, async (fleet) => {
    if (kind === 'hosts') await showView(await hostsView(fleet, flags), form, out);
    else if (kind === 'parents') await showView(await parentsView(fleet, flags), form, out);
    else if (kind === 'types') await showView(await typesView(fleet, flags), form, out);
    else await showView(await poolsView(fleet, flags), form, out);
    return 'ok' as const;
  });
}

async function getDevices({ settings, args, flags, out }: Invocation, form: Form): Promise<Outcome> {
  const host = flags['host'] as HostId | undefined;
  const state = args[0] === 'conflicts' ? 'conflict' : (flags['state'] as DeviceState | undefined);
  return withFleet(settings, async (fleet) => {
    const parts = shownParts(fleet, { ...onlyOf(flags), state });
    const count =
      form === 'mdevctl'
        ? await showDefinitions((await Array.fromAsync(parts)).flat(), host, state, out)
        : await showParts({ parts, none: 'no devices', columns: DEVICE_COLUMNS }, form, out);
    if (count === 0) for (const text of await unknownNames(fleet, flags)) out.warn(text);
    return 'ok' as const;
  });
}

/** The rows that are asked for, part by part. */
async function* shownParts(fleet: Fleet, only: Only): AsyncGenerator<readonly ShownRow[]> {
  for await (const { standings, reports } of hostParts(fleet, only.host)) {
    yield shownRows(
      reports.flatMap(({ rows }) => rows),
      standings,
      only,
    );
  }
}

async function showDefinitions(
  rows: readonly ShownRow[],
  host: HostId | undefined,
  state: DeviceState | undefined,
  out: Output,
): Promise<number> {
  await out.raw([`${dumpText(definitions(rows, host, state))}\n`]);
  return rows.length;
}

/** What the flags ask for. */
export function onlyOf(flags: Flags): Only {
  const { host, state, type, set, reason } = flags as Record<string, string | undefined>;
  return { host, state: state as DeviceState | undefined, type, set, reason };
}

/** As `mdevctl list --dumpjson` shows a host: the devices that exist there, unless others are asked for. */
function definitions(
  rows: readonly ShownRow[],
  host: HostId | undefined,
  state: DeviceState | undefined,
): readonly Definition[] {
  const shown = state === undefined ? rows.filter(isActive) : rows;
  return oneHost(shown, host).map(ownedDefinition);
}
