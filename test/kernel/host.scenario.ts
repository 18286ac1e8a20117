/**
 * The contract of a host on the real kernel: helpers that write, the guard around a removal, and what is read while
 * devices come and go.
 */
import { mkdtempSync, readdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { systemClock } from '../../reconciler/clock-system.ts';
import type { Host } from '../../reconciler/host.ts';
import { createSysfsHost } from '../../reconciler/sysfs/host-sysfs.ts';
import { hostContract } from '../reconciler/host.contract.ts';
import type { HostWorld } from '../reconciler/host-world.ts';
import {
  attributeCalls,
  create,
  devicePath,
  hold,
  LIMITED,
  P0,
  P1,
  remove,
  resetParents,
  setKnob,
  setRegistered,
  uuid,
} from './mdev.ts';
import type { Case, Scenario } from './scenario.ts';

const A = 'mdevfleet-a';
const B = 'mdevfleet-b';
const C = 'mdevfleet-c';
/** Starting a helper counts, and takes long under emulation. */
const WRITE_DEADLINE_MS = 10_000;

let used = 100;

/** One for all cases, since its helpers take long to start; made when it is first needed. */
class Machine {
  readonly #marksDir = mkdtempSync(join(tmpdir(), 'writers-'));
  readonly host = this.open();

  open(): Host {
    const limits = { writeDeadlineMs: WRITE_DEADLINE_MS, readDeadlineMs: 60_000, pollMs: 50 };
    return createSysfsHost({ clock: systemClock, marksDir: this.#marksDir, limits });
  }
}

function world(machine: Machine): HostWorld {
  const others: Host[] = [];
  let written = 0;
  return {
    host: machine.host,
    writeDeadlineMs: WRITE_DEADLINE_MS,
    place: { parent: P0, type: A },
    capacity: 8,
    otherType: { parent: P0, type: B },
    otherParent: { parent: P1, type: A },
    otherUnits: 2,
    limited: { parent: LIMITED, type: C },
    limitedCapacity: 2,
    attribute: { name: 'vendor/level', value: '7' },
    refused: { name: 'vendor/level', value: 'high' },
    writeOnly: { name: 'vendor/secret', value: 'x' },
    readOnly: { name: 'assigned', value: '1' },
    linked: (id) => {
      const [vfio = ''] = readdirSync(devicePath(P0, id, 'vfio-dev'));
      return { name: `vfio-dev/${vfio}/device/assigned`, value: '1' };
    },
    uuid: () => {
      used += 1;
      return uuid(used);
    },
    another: async () => {
      const next = machine.open();
      others.push(next);
      return next;
    },
    createBehind: (id, { parent, type }) => create(parent, type.replace('mdevfleet-', ''), id),
    removeBehind: (id) => remove(P0, id),
    hold: async (id) => (await hold(P0, id)).release,
    unplug: async (parent) => void (await setRegistered(parent, false)),
    plug: async (parent) => void (await setRegistered(parent, true)),
    slowProbe: async (parent, delayMs) => setKnob(parent, 'probe_delay_ms', delayMs),
    slowRemove: async (parent, delayMs) => setKnob(parent, 'remove_delay_ms', delayMs),
    slowAttribute: async (parent, delayMs) => {
      setKnob(parent, 'attribute_delay_ms', delayMs);
      written = attributeCalls(parent).writes;
    },
    isWritten: () => attributeCalls(P0).writes > written,
    failProbe: async (parent, errno) => setKnob(parent, 'probe_errno', errno),
    failAttribute: async (parent, errno) => setKnob(parent, 'attribute_errno', errno),
    close: async () => {
      await Promise.all(others.map((host) => host.close()));
    },
  };
}

const cases: Record<string, Case> = {};
let machine: Machine | undefined;
hostContract(
  (name, body) => {
    cases[name] = body;
  },
  async () => {
    machine ??= new Machine();
    return world(machine);
  },
);

export const scenario: Scenario = { module: import.meta.url, setUp: resetParents, cases };
