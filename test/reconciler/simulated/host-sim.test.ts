import { describe, expect, test } from 'vitest';
import { systemClock, systemRandom } from '../../../reconciler/clock-system.ts';
import { createSimulatedHost } from '../../../reconciler/simulated/host-sim.ts';
import { SimulatedKernel } from '../../../reconciler/simulated/kernel-sim.ts';
import { kernelConfig } from '../../../reconciler/simulated/kernel-sim-config.ts';
import { hostContract } from '../host.contract.ts';
import type { HostWorld } from '../host-world.ts';
import { CONTRACT_CONFIG, CONTRACT_DEADLINE_MS, simulatedWorld } from './host-sim-world.ts';

const A = '00000000-0000-4000-8000-00000000000a';

function start(faults: unknown[] = []) {
  const config = kernelConfig.parse({ ...CONTRACT_CONFIG, faults });
  return new SimulatedKernel({ config, clock: systemClock, random: systemRandom });
}

function open(): Promise<HostWorld> {
  const kernel = start();
  return simulatedWorld({
    kernel,
    open: async () =>
      createSimulatedHost({ kernel, clock: systemClock, writeDeadlineMs: CONTRACT_DEADLINE_MS }),
    close: async () => kernel.halt(),
  });
}

describe('the contract of a host, on a simulated kernel in the same process', () => {
  hostContract((name, body) => test(name, () => expect(body()).resolves.toBeUndefined()), open);
});

describe('a simulated host', () => {
  test('cannot be read where a fault says so', async () => {
    const kernel = start([{ on: 'observe', uuid: A, errno: 5, first: 1 }]);
    const host = createSimulatedHost({ kernel, clock: systemClock });
    const look = { place: null, use: false };
    expect(await host.observe(A, look)).toEqual({
      kind: 'unreadable',
      errno: 5,
      message: `reading ${A} answered EIO`,
    });
    expect(await host.observe(A, look)).toEqual({ kind: 'absent', room: null });
  });

  test('refuses a second write for a UUID whose write is under way: that is a bug of its caller', async () => {
    const kernel = start();
    const host = createSimulatedHost({ kernel, clock: systemClock });
    const place = { parent: 'p0', type: 'small' };
    const first = host.create(A, place);
    await expect(host.create(A, place)).rejects.toThrow('two writes at once');
    expect(await first).toEqual({ kind: 'ok' });
  });
});
