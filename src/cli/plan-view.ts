/**
 * Shows a plan: what would happen to which device and why, what can be foreseen, and the room that is left.
 */
import { isOpen, type Plan, type Planned, type RoomChange } from '../declare/plan.ts';
import type { Output } from './output.ts';
import type { Cell, Colour } from './terminal.ts';

const COLOURS = {
  declare: 'green',
  update: 'yellow',
  replace: 'red',
  move: 'red',
  withdraw: 'red',
  unchanged: 'dim',
} as const satisfies Record<Planned['action'], Colour>;

/** What publishes nothing is counted only. */
export function showPlan({ changes, rooms }: Plan, out: Output): void {
  const open = changes.filter(isOpen);
  if (open.length > 0) {
    out.table(['ACTION', 'UUID', 'HOST', 'PARENT', 'TYPE', 'SET', 'WHY'], open.map(cells));
    showRooms(rooms, out);
  }
  for (const { host, uuid, notes } of changes) for (const note of notes) out.warn(`${host}/${uuid}: ${note}`);
  const disruptive = open.filter((one) => one.disruptive).length;
  const marked = disruptive === 0 ? '' : `, ${disruptive} of them disruptive (!)`;
  out.line(`${open.length} to change${marked}, ${changes.length - open.length} unchanged`);
}

function cells({ action, disruptive, uuid, host, claim, set, why }: Planned): Cell[] {
  return [
    { text: `${action}${disruptive ? ' !' : ''}`, colour: COLOURS[action] },
    { text: uuid },
    { text: host },
    { text: claim?.parent ?? '-' },
    { text: claim?.type ?? '-' },
    { text: set ?? '-' },
    { text: why },
  ];
}

function showRooms(rooms: readonly RoomChange[], out: Output): void {
  if (rooms.length === 0) return;
  const rows = rooms.map(({ host, parent, type, capacity, before, after }): Cell[] => [
    { text: host },
    { text: parent },
    { text: type },
    { text: String(capacity) },
    { text: String(before) },
    after < 0 ? { text: String(after), colour: 'red' } : { text: String(after) },
  ]);
  out.line('');
  out.table(['HOST', 'PARENT', 'TYPE', 'CAPACITY', 'FREE BEFORE', 'FREE AFTER'], rows);
  out.line('');
}

export function planJson({ changes, rooms }: Plan): object {
  return {
    changes: changes.map(({ action, host, uuid, claim, set, ends, takes, why, notes, disruptive }) => {
      const { parent = null, type = null } = claim ?? {};
      return { action, uuid, host, parent, type, set, ends, takes, why, notes, disruptive };
    }),
    rooms,
  };
}
