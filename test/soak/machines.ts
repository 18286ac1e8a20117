/**
 * The machines of a soak: a simulated kernel for each host, in this process, so that it outlives its agent; and a watch
 * on all of them, which sees every device come and notices one that is on two hosts.
 */
import { join } from 'node:path';
import type { HostId, Uuid } from '../../events/names.ts';
import { systemClock, systemRandom } from '../../reconciler/clock-system.ts';
import {
  type SimulatedKernelServer,
  serveSimulatedKernel,
} from '../../reconciler/simulated/host-sim-server.ts';
import { kernelConfig } from '../../reconciler/simulated/kernel-sim-config.ts';
import { PLACE } from '../scale/host-at-work.ts';

const UNITS = 100_000;
const CONFIG = kernelConfig.parse({
  parents: [{ name: PLACE.parent, units: UNITS, types: [{ name: PLACE.type }] }],
  probeMs: [0, 5],
  removeMs: [0, 5],
});

export class Machines {
  /** What was seen that must never be. */
  readonly violations: string[] = [];
  readonly #kernels: ReadonlyMap<HostId, SimulatedKernelServer>;
  /** Where a device was last seen. */
  readonly #seen = new Map<Uuid, HostId>();

  private constructor(kernels: ReadonlyMap<HostId, SimulatedKernelServer>) {
    this.#kernels = kernels;
    for (const [host, { kernel }] of kernels) {
      kernel.onUevent((change) => {
        if (change.kind === 'device') this.#check(host, change.uuid);
      });
    }
  }

  static async start(folder: string, hosts: readonly HostId[]): Promise<Machines> {
    const time = { clock: systemClock, random: systemRandom };
    const serving = hosts.map(async (host) => {
      const socket = join(folder, `${host}.sock`);
      return [host, await serveSimulatedKernel({ socket, config: CONFIG, ...time })] as const;
    });
    return new Machines(new Map(await Promise.all(serving)));
  }

  has(host: HostId, uuid: Uuid): boolean {
    return this.#kernels.get(host)?.kernel.device(uuid)?.phase === 'complete';
  }

  /** Removes a device behind its agent's back, if it is there. */
  async remove(host: HostId, uuid: Uuid): Promise<void> {
    if (this.has(host, uuid)) await this.#kernels.get(host)?.kernel.remove(uuid);
  }

  async close(): Promise<void> {
    await Promise.all(this.#kernels.values().map((server) => server.close()));
  }

  #check(host: HostId, uuid: Uuid): void {
    const before = this.#seen.get(uuid);
    if (!this.#holds(host, uuid)) return;
    if (before !== undefined && before !== host && this.#holds(before, uuid)) {
      this.violations.push(`${uuid} is on ${before} and on ${host}`);
    }
    this.#seen.set(uuid, host);
  }

  #holds(host: HostId, uuid: Uuid): boolean {
    return this.#kernels.get(host)?.kernel.device(uuid) !== undefined;
  }
}
