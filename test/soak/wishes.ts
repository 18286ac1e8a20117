/**
 * What operators declare in a soak, and what must come of it.
 *
 * Of ten UUIDs eight stay on their host and come and go, one is declared on two hosts at once and left alone, and one
 * moves from host to host.
 */
import { encodeDeclaration } from '../../events/codec.ts';
import type { Declaration } from '../../events/declaration.ts';
import type { HostId, Uuid } from '../../events/names.ts';
import type { Outgoing, Stream } from '../../events/stream.ts';
import { DEFAULT_PREFIX } from '../../events/subject.ts';
import { sleep } from '../../reconciler/clock.ts';
import { systemClock, systemRandom } from '../../reconciler/clock-system.ts';
import { newId } from '../../src/ids.ts';
import { uuidOf } from '../bench/names.ts';
import { append } from '../scale/contest.ts';
import { PLACE } from '../scale/host-at-work.ts';
import type { Machines } from './machines.ts';

const AGAIN_AFTER_MS = 200;

type Wish = {
  readonly uuid: Uuid;
  readonly kind: 'stable' | 'contested' | 'mover';
  /** Where it is declared; of a contested one, one of these gets it. */
  hosts: readonly HostId[];
};

/** A wish that has not come true. */
export type Unmet = Readonly<Wish>;

export class Wishes {
  /** Declarations that were stored. */
  published = 0;
  readonly #desired: Stream;
  readonly #hosts: readonly HostId[];
  readonly #wishes: readonly Wish[];

  constructor(desired: Stream, hosts: readonly HostId[], devices: number) {
    this.#desired = desired;
    this.#hosts = hosts;
    this.#wishes = Array.from({ length: devices }, (_, at) => {
      const kind = at % 10 === 8 ? 'contested' : at % 10 === 9 ? 'mover' : 'stable';
      const home = Math.floor(at / 10) + at;
      const declaredOn = [this.#host(home), ...(kind === 'contested' ? [this.#host(home + 1)] : [])];
      return { uuid: uuidOf(at), kind, hosts: declaredOn };
    });
  }

  async declareAll(): Promise<void> {
    const all = this.#wishes.flatMap(({ uuid, hosts }) => hosts.map((host) => present(host, uuid)));
    await append(this.#desired, all);
    this.published += all.length;
  }

  /** Changes one that may change. */
  async change(): Promise<void> {
    const wish = this.#any();
    const [host] = wish.hosts;
    if (wish.kind === 'contested') return;
    if (wish.kind === 'stable') return this.#toggle(wish);
    if (host === undefined) return;
    const to = this.#host(
      this.#hosts.indexOf(host) + 1 + Math.floor(systemRandom() * (this.#hosts.length - 1)),
    );
    await this.#publish(absent(host, wish.uuid));
    await this.#publish(present(to, wish.uuid, host));
    wish.hosts = [to];
  }

  /** Removes the device of some UUID behind its agent's back. */
  async removeOne(machines: Machines): Promise<void> {
    const { uuid } = this.#any();
    for (const host of this.#hosts) await machines.remove(host, uuid);
  }

  /** UUIDs that are not where they are declared, or also elsewhere. */
  unmet(machines: Machines): readonly Unmet[] {
    return this.#wishes.filter(({ uuid, hosts }) => {
      const there = this.#hosts.filter((host) => machines.has(host, uuid));
      const wanted = Math.min(1, hosts.length);
      return there.length !== wanted || there.some((host) => !hosts.includes(host));
    });
  }

  /** A stable one has a home, which is where its number says, also while it is withdrawn. */
  async #toggle(wish: Wish): Promise<void> {
    const at = this.#wishes.indexOf(wish);
    const home = this.#host(Math.floor(at / 10) + at);
    const isThere = wish.hosts.length > 0;
    await this.#publish(isThere ? absent(home, wish.uuid) : present(home, wish.uuid));
    wish.hosts = isThere ? [] : [home];
  }

  /** Until it is stored: the id stays, so that it is stored once. */
  async #publish(message: Outgoing): Promise<void> {
    while ((await this.#desired.append(message)).kind !== 'stored') await sleep(systemClock, AGAIN_AFTER_MS);
    this.published += 1;
  }

  #any(): Wish {
    const wish = this.#wishes[Math.floor(systemRandom() * this.#wishes.length)];
    if (wish === undefined) throw new Error('a soak without devices');
    return wish;
  }

  #host(at: number): HostId {
    return this.#hosts[at % this.#hosts.length] ?? '';
  }
}

function present(host: HostId, uuid: Uuid, from?: HostId): Outgoing {
  const replaces = from === undefined ? {} : { replaces: { host: from, ...PLACE } };
  return declare({ desired: 'present', event: author(), data: { uuid, host, ...PLACE, ...replaces } });
}

function absent(host: HostId, uuid: Uuid): Outgoing {
  return declare({ desired: 'absent', event: author(), data: { uuid, host } });
}

function declare(declaration: Declaration): Outgoing {
  return encodeDeclaration(DEFAULT_PREFIX, declaration);
}

function author() {
  return { id: newId(), source: 'soak', time: systemClock.wall() };
}
