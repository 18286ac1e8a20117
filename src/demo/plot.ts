/**
 * Who takes part in the demo: the fleet of examples/fleet.yaml, and the one device to which
 * everything happens.
 */
import { fileURLToPath } from 'node:url';
import { stringify } from 'yaml';
import type { HostId } from '../../events/names.ts';
import type { KernelConfigInput } from '../../reconciler/simulated/kernel-sim-config.ts';
import { readManifests } from '../cli/input.ts';
import { API_VERSION, KIND, type Listed } from '../declare/manifest.ts';
import { SIMULATED_MACHINE } from '../simulated.ts';
import { confirm } from './confirm.ts';

const FLEET_FILE = fileURLToPath(new URL('../../examples/fleet.yaml', import.meta.url));
const HERO = '8f0e4c2b-91d6-4f7c-b3a5-2d6c1e9f7a12';
/** The host on which somebody declares the hero's UUID once more; it has room for it. */
const RIVAL = 'host-c';
/** EPROBE_DEFER: the answer of a driver that is not ready; the write gets EAGAIN. */
const PROBE_DEFER = 517;

export type Plot = {
  readonly file: string;
  readonly devices: readonly Listed['device'][];
  readonly hosts: readonly HostId[];
  readonly hero: Listed['device'];
  readonly rival: HostId;
};

export async function readPlot(): Promise<Plot> {
  const devices = (await readManifests([FLEET_FILE])).devices.map(({ device }) => device);
  const hosts = [...new Set(devices.map(({ host }) => host))].sort();
  const hero = devices.find(({ uuid }) => uuid === HERO);
  confirm(hero !== undefined && hosts.includes(RIVAL), `${FLEET_FILE} has what the demo is about`);
  return { file: FLEET_FILE, devices, hosts, hero, rival: RIVAL };
}

/** The machine below each host: its first probe of the hero's UUID is deferred. */
export const MACHINE: KernelConfigInput = {
  ...SIMULATED_MACHINE,
  faults: [{ on: 'probe', uuid: HERO, errno: PROBE_DEFER, first: 1 }],
};

/** A manifest in which another set declares the hero's UUID on the rival host. */
export function duplicate({ hero, rival }: Plot): string {
  const { uuid, parent, type } = hero;
  return stringify({
    apiVersion: API_VERSION,
    kind: KIND,
    metadata: { name: 'lab' },
    devices: [{ uuid, host: rival, parent, type }],
  });
}
