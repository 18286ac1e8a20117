/**
 * Devices as a table shows them.
 */
import type { DeviceState } from '../../events/row.ts';
import type { ShownRow } from '../look/devices.ts';
import type { Colour } from './terminal.ts';
import type { Column } from './view.ts';

/** A state's colour, on a terminal. */
export const STATE_COLOURS = {
  ready: 'green',
  waiting: 'yellow',
  conflict: 'red',
  failed: 'red',
  releasing: 'cyan',
  unmanaged: 'dim',
  gone: 'dim',
} as const satisfies Record<DeviceState | 'gone', Colour>;

/** A row, or what there is to show of a device that has none any more. */
export type DeviceLine = Omit<ShownRow, 'parent' | 'type' | 'state'> & {
  readonly parent: string | null;
  readonly type: string | null;
  readonly state: DeviceState | 'gone';
};

export const DEVICE_COLUMNS: readonly Column<DeviceLine>[] = [
  { name: 'HOST', cell: (row) => row.host },
  { name: 'UUID', cell: (row) => row.uuid },
  { name: 'PARENT', cell: (row) => row.parent },
  { name: 'TYPE', cell: (row) => row.type },
  { name: 'SET', wide: true, cell: (row) => row.set },
  { name: 'ATTRIBUTES', wide: true, cell: ({ attributes }) => pairsText(attributes) },
  { name: 'STATE', cell: (row) => ({ text: row.state, colour: STATE_COLOURS[row.state] }) },
  { name: 'REASON', cell: (row) => row.reason },
  { name: 'MESSAGE', cell: (row) => row.message },
];

export function pairsText(pairs: readonly { readonly name: string; readonly value: string }[]): string {
  return pairs.map(({ name, value }) => `${name}=${value}`).join(' ');
}
