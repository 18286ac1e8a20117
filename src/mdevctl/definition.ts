/**
 * A device as mdevctl defines it, and what it is as a declaration.
 *
 * Pure. mdevctl knows one host and says beside parent, type and attributes only whether the device
 * is started with its parent. A declared device always exists, so that word travels in a label:
 * nothing that mdevctl can express is lost on the way there and back.
 */
import type { PresentData } from '../../events/declaration.ts';
import type { Attribute, HostId, Uuid } from '../../events/names.ts';
import type { DeviceState } from '../../events/row.ts';

/** Present, with the value `manual`, on a device whose definition was not started automatically. */
const START_LABEL = 'mdevctl.start';

type Start = 'auto' | 'manual';

export type Definition = {
  readonly parent: string;
  readonly uuid: Uuid;
  readonly type: string;
  readonly start: Start;
  readonly attributes: readonly Attribute[];
};

/** What is needed of a device to define it: a declaration has it, and so has a reported row. */
type Device = Pick<PresentData, 'uuid' | 'parent' | 'type'> & {
  readonly attributes?: readonly Attribute[] | undefined;
  readonly labels?: PresentData['labels'] | undefined;
};

/** The device of the definition on that host. */
export function deviceOf({ parent, uuid, type, start, attributes }: Definition, host: HostId): PresentData {
  return {
    ...{ uuid, host, parent, type },
    ...(attributes.length > 0 ? { attributes: [...attributes] } : {}),
    ...(start === 'manual' ? { labels: { [START_LABEL]: start } } : {}),
  };
}

/** Its definition while an agent looks after it: mdevctl must not start it as well. */
export function ownedDefinition({ parent, uuid, type, attributes = [] }: Device): Definition {
  return { parent, uuid, type, start: 'manual', attributes };
}

/** Its definition when mdevctl gets it (back): what exists for good is started automatically. */
export function returnedDefinition(device: Device): Definition {
  const start = device.labels?.[START_LABEL] === 'manual' ? 'manual' : 'auto';
  return { ...ownedDefinition(device), start };
}

/** True for a row of a device that exists, as far as its agent reports it. */
export function isActive({ state }: { readonly state: DeviceState }): boolean {
  return state === 'ready' || state === 'unmanaged';
}
