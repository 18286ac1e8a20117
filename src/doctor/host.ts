/**
 * All that is looked at on a machine that is, or is to be, a host of the fleet.
 */
import { messageOf } from '../../events/message-of.ts';
import { MACHINE_ID_FILES } from '../machine.ts';
import { deviceChecks } from './devices.ts';
import type { Check } from './examine.ts';
import { type Found, fault, note, ok } from './finding.ts';
import { kernelChecks } from './kernel.ts';
import type { Machine } from './machine.ts';
import { otherChecks } from './others.ts';
import { type StateOptions, stateChecks } from './state.ts';
import { surroundingChecks, type Versions } from './surroundings.ts';

export type HostOptions = StateOptions & {
  /** Where sysfs is mounted; null for a simulated kernel. */
  readonly sysfs: string | null;
  readonly versions: Versions;
  /** The callout scripts, as an agent reads them; null if it asks none. */
  readonly scripts: (() => Promise<readonly string[]>) | null;
};

export function hostChecks(machine: Machine, options: HostOptions): readonly Check[] {
  const { sysfs, versions, scripts } = options;
  const devices =
    sysfs === null
      ? [{ name: 'kernel', look: async () => [simulated()] }]
      : [
          ...kernelChecks(machine, sysfs),
          ...deviceChecks(machine, sysfs),
          { name: 'identity', look: async () => [await identityFound(machine)] },
        ];
  return [
    ...devices,
    ...surroundingChecks(machine, versions),
    ...stateChecks(machine, options),
    ...(scripts === null ? [] : [{ name: 'hooks', look: () => scriptsFound(scripts) }]),
    ...(sysfs === null ? [] : otherChecks(machine)),
  ];
}

function simulated(): Found {
  return note('simulated', 'the settings have --simulate, so nothing was looked at of the real one');
}

/** As an agent reads it when it starts. */
async function identityFound(machine: Machine): Promise<Found> {
  for (const file of MACHINE_ID_FILES) {
    if (((await machine.text(file)) ?? '').trim() !== '') return ok(file);
  }
  return fault(
    `${MACHINE_ID_FILES[0]} is missing or empty`,
    'an agent does not start, since a journal belongs to one machine',
    '`systemd-machine-id-setup`',
  );
}

async function scriptsFound(scripts: () => Promise<readonly string[]>): Promise<readonly Found[]> {
  try {
    const { length } = await scripts();
    return [ok(`${length} callout scripts are asked`)];
  } catch (error) {
    const cure = 'give --hooks a folder that only root can write, with scripts that only root can write';
    return [fault(messageOf(error), 'an agent does not start', cure)];
  }
}
