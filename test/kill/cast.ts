/**
 * The devices of the scenario, each there for one thing that happens to it, and how it must end for all of them.
 */
import type { PresentData } from '../../events/declaration.ts';
import type { Attribute, Claim, Generation } from '../../events/names.ts';
import type { Row } from '../../events/row.ts';
import { E } from '../../reconciler/errno-numbers.ts';
import type { KernelConfigInput } from '../../reconciler/simulated/kernel-sim-config.ts';

export const HOST = 'host-a';
export const RIVAL = 'host-b';

export const ATTRIBUTED = '00000000-0000-4000-8000-000000000001';
export const DRIFTING = '00000000-0000-4000-8000-000000000002';
export const DUPLICATE = '00000000-0000-4000-8000-000000000003';
export const WITHDRAWN = '00000000-0000-4000-8000-000000000004';
export const REPLACED = '00000000-0000-4000-8000-000000000005';
export const REFUSED = '00000000-0000-4000-8000-000000000006';
export const WAITING = '00000000-0000-4000-8000-000000000007';
export const UNREADABLE = '00000000-0000-4000-8000-000000000008';
export const FOREIGN = '00000000-0000-4000-8000-000000000009';
export const PAUSED = '00000000-0000-4000-8000-00000000000a';
export const FENCED = '00000000-0000-4000-8000-00000000000b';
export const LOST = '00000000-0000-4000-8000-00000000000c';

const ATTRIBUTES: readonly Attribute[] = [
  { name: 'assign_adapter', value: '5' },
  { name: 'assign_domain', value: '6' },
];

/** What somebody else writes to the first of them. */
export const MEDDLING: Attribute = { name: 'assign_adapter', value: '7' };

export const MACHINE: KernelConfigInput = {
  parents: [
    { name: 'mtty', units: 24, types: [{ name: 'mtty-1' }, { name: 'mtty-2', units: 2 }] },
    {
      name: 'matrix',
      types: [{ name: 'ap', attributes: ATTRIBUTES.map(({ name }) => ({ name, accepts: '^[0-9]+$' })) }],
    },
    { name: 'late', registered: false, types: [{ name: 'late-1' }] },
  ],
  probeMs: 3,
  removeMs: 3,
  attributeMs: 3,
  faults: [{ on: 'probe', uuid: REFUSED, errno: E.INVAL }],
};

type Place = { readonly parent: string; readonly type: string };
const SMALL: Place = { parent: 'mtty', type: 'mtty-1' };
const LARGE: Place = { parent: 'mtty', type: 'mtty-2' };
const LATE: Place = { parent: 'late', type: 'late-1' };
const AP: Place = { parent: 'matrix', type: 'ap' };

export const FOREIGN_PLACE = SMALL;
export const RIVAL_CLAIM: Claim = { host: RIVAL, ...SMALL };

/** What is declared at first, in this order. */
export const DECLARED: readonly PresentData[] = [
  { uuid: ATTRIBUTED, host: HOST, ...AP, attributes: [...ATTRIBUTES] },
  { uuid: DRIFTING, host: HOST, ...SMALL },
  { uuid: DUPLICATE, host: HOST, ...SMALL },
  { uuid: WITHDRAWN, host: HOST, ...SMALL },
  { uuid: REPLACED, host: HOST, ...SMALL },
  { uuid: REFUSED, host: HOST, ...SMALL },
  { uuid: WAITING, host: HOST, ...LATE },
  { uuid: UNREADABLE, host: HOST, ...SMALL },
  { uuid: FENCED, host: HOST, ...SMALL },
  { uuid: LOST, host: HOST, ...SMALL },
];

/** Declared while the host is paused. */
export const LATE_COMER: PresentData = { uuid: PAUSED, host: HOST, ...SMALL };

export const REPLACEMENT: PresentData = {
  uuid: REPLACED,
  host: HOST,
  ...LARGE,
  replaces: { host: HOST, ...SMALL },
};

type Shown = Pick<Row, 'uuid' | 'parent' | 'type' | 'state' | 'reason' | 'generation' | 'attributes'>;

function shown(
  uuid: string,
  place: Place,
  sequence: number,
  state: Row['state'] = 'ready',
  reason: Row['reason'] = null,
): Shown {
  const generation: Generation | null = sequence === 0 ? null : { epoch: 1, sequence };
  return { uuid, ...place, state, reason, generation, attributes: place === AP ? [...ATTRIBUTES] : [] };
}

/** What the host reports in the end. The sequences are those of the declarations in the stream. */
export const ROWS_AT_THE_END: readonly Shown[] = [
  shown(ATTRIBUTED, AP, 1),
  shown(DRIFTING, SMALL, 2),
  shown(DUPLICATE, SMALL, 3, 'conflict', 'UuidHeld'),
  shown(REPLACED, LARGE, 12),
  shown(REFUSED, SMALL, 6, 'failed', 'InvalidArgument'),
  shown(WAITING, LATE, 7),
  shown(UNREADABLE, SMALL, 8),
  shown(FOREIGN, FOREIGN_PLACE, 0, 'unmanaged'),
  shown(PAUSED, SMALL, 16),
  shown(LOST, SMALL, 10),
];

/** The devices of the machine in the end, those of others with them. */
export const DEVICES_AT_THE_END = ROWS_AT_THE_END.filter(
  ({ state }) => state === 'ready' || state === 'unmanaged',
).map(({ uuid, parent, type, attributes }) => ({ uuid, parent, type, attributes }));

/** Who holds each UUID in the registry in the end; a claim that failed keeps its hold, the withdrawn one has none. */
export const HOLDERS_AT_THE_END: ReadonlyMap<string, string | null> = new Map([
  ...DECLARED.map(({ uuid }) => [uuid, HOST] as const),
  [PAUSED, HOST],
  [DUPLICATE, RIVAL],
  [FENCED, RIVAL],
  [WITHDRAWN, null],
  [FOREIGN, null],
]);
