/**
 * The other program of the hammer: `node intruder.ts ORDERS`, until its standard input ends. It makes and removes
 * devices as fast as one process can, its own and those of somebody else; at its end it removes what it finds of the
 * latter, and says in one line of JSON what it did and what it left.
 *
 * It behaves as well as any tool can: it removes a device only when that is complete, and through a file that was open
 * before it looked, so that no other device of that UUID can have taken its place. It imports next to nothing.
 */
import {
  closeSync,
  constants,
  openSync,
  readlinkSync,
  realpathSync,
  statSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

/** A UUID, and where it belongs. */
export type Spot = { readonly uuid: string; readonly parent: string; readonly type: string };

export type Orders = {
  readonly parents: readonly string[];
  /** Nobody else uses these. */
  readonly own: readonly Spot[];
  /** These are somebody else's. */
  readonly contested: readonly Spot[];
  /** Pause after each burst of deeds; 0 for none. */
  readonly restMs: number;
};

type Deed = 'create own' | 'remove own' | 'create contested' | 'remove contested';

export type Report = {
  /** How often it did what with which errno; 0: it was done. */
  readonly deeds: Readonly<Record<Deed, Readonly<Record<string, number>>>>;
  /** Its own devices that stand, with their identities. */
  readonly standing: Readonly<Record<string, string>>;
  /** What somebody else must have done to its own. */
  readonly disturbed: readonly string[];
};

const BUS = '/sys/bus/mdev/devices';
const PARENTS = '/sys/class/mdev_bus';
/** Deeds between two looks at standard input. */
const BURST = 20;
/** What part of the deeds concerns its own; and of the creates of contested UUIDs, what part is not where they belong. */
const OWN = 0.6;
const ELSEWHERE = 0.25;

class Intruder {
  readonly #orders: Orders;
  readonly #standing = new Map<string, bigint>();
  readonly #disturbed: string[] = [];
  readonly #deeds: Record<Deed, Record<string, number>> = {
    'create own': {},
    'remove own': {},
    'create contested': {},
    'remove contested': {},
  };

  constructor(orders: Orders) {
    this.#orders = orders;
  }

  act(): void {
    const { own, contested, parents } = this.#orders;
    const theirs = pick(contested);
    if (Math.random() < OWN) this.#toggle(pick(own));
    else if (Math.random() < 0.5) this.#did('remove contested', removal(theirs.uuid));
    else if (Math.random() < ELSEWHERE)
      this.#did('create contested', creation({ ...theirs, parent: pick(parents) }));
    else this.#did('create contested', creation(theirs));
  }

  /** Leaves nothing of what is not its own. */
  finish(): Report {
    for (const { uuid } of this.#orders.contested) this.#did('remove contested', removal(uuid));
    const standing = [...this.#standing].map(([uuid, identity]) => [uuid, String(identity)]);
    return { deeds: this.#deeds, standing: Object.fromEntries(standing), disturbed: this.#disturbed };
  }

  /** Makes it or removes it. Its own are nobody else's business: anything but success is somebody's doing. */
  #toggle(spot: Spot): void {
    const { uuid } = spot;
    const made = this.#standing.get(uuid);
    if (made === undefined) {
      this.#mustSucceed(uuid, 'create own', creation(spot));
      this.#standing.set(uuid, identityOf(uuid));
      return;
    }
    if (identityOf(uuid) !== made) this.#disturbed.push(`${uuid} is not the device that was made`);
    this.#mustSucceed(uuid, 'remove own', removal(uuid));
    this.#standing.delete(uuid);
  }

  #mustSucceed(uuid: string, deed: Deed, errno: number): void {
    this.#did(deed, errno);
    if (errno !== 0) this.#disturbed.push(`${deed} ${uuid}: errno ${errno}`);
  }

  #did(deed: Deed, errno: number): void {
    const tally = this.#deeds[deed];
    tally[errno] = (tally[errno] ?? 0) + 1;
  }
}

function creation({ uuid, parent, type }: Spot): number {
  return attempt(() => writeFileSync(join(PARENTS, parent, 'mdev_supported_types', type, 'create'), uuid));
}

/** ENOENT also when there is a device that is not complete. */
function removal(uuid: string): number {
  return attempt(() => {
    const folder = realpathSync(join(BUS, uuid));
    const file = openSync(join(folder, 'remove'), constants.O_WRONLY);
    try {
      readlinkSync(join(folder, 'mdev_type'));
      writeSync(file, '1');
    } finally {
      closeSync(file);
    }
  });
}

function identityOf(uuid: string): bigint {
  return statSync(join(BUS, uuid), { bigint: true, throwIfNoEntry: false })?.ino ?? 0n;
}

function attempt(act: () => void): number {
  try {
    act();
    return 0;
  } catch (error) {
    const { errno } = error as NodeJS.ErrnoException;
    if (errno === undefined) throw error;
    return -errno;
  }
}

function pick<T>(all: readonly T[]): T {
  const one = all[Math.floor(Math.random() * all.length)];
  if (one === undefined) throw new Error('there is nothing to pick from');
  return one;
}

if (import.meta.main) {
  const orders = JSON.parse(process.argv[2] ?? '') as Orders;
  const intruder = new Intruder(orders);
  let ended = false;
  process.stdin.resume().once('end', () => {
    ended = true;
  });
  while (!ended) {
    for (let times = 0; times < BURST; times += 1) intruder.act();
    await sleep(orders.restMs);
  }
  console.log(JSON.stringify(intruder.finish()));
}
