/**
 * The host port of a simulated machine, as a process sees it that can be killed.
 */
import type { Host } from '../../reconciler/host.ts';
import { createSimulatedHost } from '../../reconciler/simulated/host-sim.ts';
import type { SimulatedKernel } from '../../reconciler/simulated/kernel-sim.ts';
import { type Life, mortalCall, mortalClock } from './mortal.ts';
import type { World } from './world.ts';

/** A uevent is heard up to so much later. */
const UEVENT_MS_MAX = 2;

type Owner = { readonly world: World; readonly name: string; readonly kernel: SimulatedKernel };

/** The port, with every write in the history. */
export function mortalHost({ world, name, kernel }: Owner, life: Life): Host {
  const host = createSimulatedHost({ kernel, clock: mortalClock(world, life) });
  const act = <T>(what: string, call: () => Promise<T>): Promise<T> =>
    mortalCall(life, async () => {
      const answer = await call();
      world.note(name, `${what}: ${JSON.stringify(answer)}`);
      return answer;
    });
  return {
    observe: (uuid, look) => mortalCall(life, () => host.observe(uuid, look)),
    survey: () => mortalCall(life, () => host.survey()),
    stock: () => mortalCall(life, () => host.stock()),
    create: (uuid, place) => act(`create ${uuid}`, () => host.create(uuid, place)),
    remove: (uuid, place) => act(`remove ${uuid}`, () => host.remove(uuid, place)),
    setAttribute: (uuid, place, one) =>
      act(`set ${uuid} ${one.name}`, () => host.setAttribute(uuid, place, one)),
    onChange: (listener) =>
      host.onChange((change) => {
        if (life.alive) world.after(world.random() * UEVENT_MS_MAX, () => life.alive && listener(change));
      }),
    close: () => host.close(),
  };
}
