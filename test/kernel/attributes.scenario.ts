/**
 * Attributes as a real driver takes, refuses, keeps and shows them, and parents that have no instance left. What the
 * driver is asked for is counted by the driver itself, so that nothing happens unseen.
 */
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import type { Attribute } from '../../events/names.ts';
import type { Host } from '../../reconciler/host.ts';
import { RECONCILER_LIMITS } from '../../reconciler/limits.ts';
import { overriding } from '../sim/overriding.ts';
import { GuestLoop, openHost } from './guest-loop.ts';
import {
  attributeCalls,
  available,
  calls,
  created,
  devicePath,
  ERRNO,
  FOREVER_MS,
  LIMITED,
  onBus,
  P0,
  read,
  remove,
  resetParents,
  setCapacity,
  setKnob,
  until,
  uuid,
} from './mdev.ts';
import type { Case, Scenario } from './scenario.ts';

const PLACE = { parent: P0, type: 'mdevfleet-a' };
const LIMITED_PLACE = { parent: LIMITED, type: 'mdevfleet-c' };
const ID = uuid(1);
const [FIRST, SECOND, THIRD] = [uuid(11), uuid(12), uuid(13)] as const;
/** A wait ends by what it waits for, or never. */
const NEVER_MS = 3_600_000;
const PATIENT = {
  waitDelayMsMax: Object.fromEntries(
    Object.keys(RECONCILER_LIMITS.waitDelayMsMax).map((wake) => [wake, NEVER_MS]),
  ) as typeof RECONCILER_LIMITS.waitDelayMsMax,
  retryDelayMsMin: NEVER_MS,
  retryDelayMsMax: NEVER_MS,
};

let host: Host | undefined;

/** One for all cases, since its helpers take long to start. */
function shared(): Host {
  host ??= openHost();
  return host;
}

/** A case with a loop of its own, which ends with it. */
function withLoop(body: (loop: GuestLoop) => Promise<void>, limits = {}): Case {
  return async () => {
    const loop = GuestLoop.start(shared(), limits);
    try {
      await body(loop);
    } finally {
      await loop.stop();
    }
  };
}

/** `vendor/level=5 assign=1` */
function list(said: string): readonly Attribute[] {
  return said.split(' ').map((one) => {
    const [name = '', value = ''] = one.split('=');
    return { name, value };
  });
}

async function ready(loop: GuestLoop, attributes: string): Promise<void> {
  await loop.declare(PLACE, ID, list(attributes));
  await loop.until('ready', ID);
}

/** The end of all that a look leads to. */
async function looked(loop: GuestLoop): Promise<void> {
  const before = loop.passes.length;
  loop.look(ID);
  await until('the look', () => loop.passes.length > before);
  await loop.quiet();
}

const attribute = (name: string) => read(devicePath(P0, ID, name));
const byHand = (name: string, value: string) => writeFileSync(devicePath(P0, ID, name), value);
const writes = () => attributeCalls(P0).writes;

const attributes: Record<string, Case> = {
  'attributes are written in order, repeats too, before the device is ready': withLoop(async (loop) => {
    const before = writes();
    await ready(loop, 'assign=3 vendor/level=9 vendor/label=x assign=1 vendor/secret=y vendor/level=5');
    assert.deepEqual(
      [attribute('assigned'), attribute('vendor/level'), attribute('vendor/label')],
      ['1\n3', '5', 'x'],
    );
    assert.equal(writes() - before, 6);
    assert.deepEqual(loop.kinds(ID), ['declared', 'claiming', 'reserved', 'configured', 'active']);
  }),
  'an attribute that somebody changes is written again, and nothing else': withLoop(async (loop) => {
    await ready(loop, 'vendor/level=5 vendor/label=x vendor/secret=y assign=1 assign=2');
    const before = writes();
    byHand('vendor/level', '7');
    await looked(loop);
    assert.deepEqual([attribute('vendor/level'), writes() - before], ['5', 2]);
    assert.deepEqual(loop.drifts(ID), ['AttributesChanged']);
    assert.equal(loop.state(ID), 'ready');
  }),
  'a settled device is read, and neither written to nor recorded; the same number is the same value':
    withLoop(async (loop) => {
      await ready(loop, 'vendor/level=0x2a vendor/label=x vendor/secret=y assign=1');
      byHand('vendor/secret', 'z');
      const [kinds, before] = [loop.kinds(ID), attributeCalls(P0)];
      await looked(loop);
      await looked(loop);
      assert.deepEqual(loop.kinds(ID), kinds);
      assert.equal(attribute('vendor/level'), '42');
      assert.equal(writes(), before.writes);
      assert.ok(attributeCalls(P0).reads >= before.reads + 4);
    }),
  'an attribute that cannot be read any more keeps nothing from being settled': withLoop(async (loop) => {
    await ready(loop, 'vendor/level=5');
    setKnob(P0, 'attribute_read_errno', ERRNO.EIO);
    byHand('vendor/level', '7');
    await looked(loop);
    assert.deepEqual([loop.state(ID), loop.drifts(ID)], ['ready', []]);
    setKnob(P0, 'attribute_read_errno', 0);
    await looked(loop);
    assert.deepEqual([attribute('vendor/level'), loop.drifts(ID)], ['5', ['AttributesChanged']]);
  }),
  'a read that hangs is given up, and not repeated while it does': async () => {
    await created(P0, 'a', ID);
    await created(P0, 'a', FIRST);
    const hasty = openHost({ limits: { readDeadlineMs: 3_000 } });
    const look = { place: PLACE, use: false, attributes: ['vendor/level'] };
    const told = async (id = ID) => {
      const seen = await hasty.observe(id, look);
      assert.equal(seen.kind, 'present');
      return seen.kind === 'present' ? seen.attributes.length : null;
    };
    // Helpers take long to start under emulation; until one is up nothing can be told.
    const isTold = async (id = ID) => {
      while ((await told(id)) !== 1) await new Promise(setImmediate);
    };
    await isTold();
    setKnob(P0, 'attribute_read_delay_ms', FOREVER_MS);
    const { reads } = attributeCalls(P0);
    assert.deepEqual([await told(), await told(), await told()], [0, 0, 0]);
    assert.equal(attributeCalls(P0).reads, reads + 1);
    setKnob(P0, 'attribute_read_delay_ms', 0);
    await isTold();
    await isTold(FIRST);
    await hasty.close();
  },
  'an attribute that the driver does not have is refused by name; its device was made once, and is gone':
    withLoop(async (loop) => {
      const before = calls(P0);
      await loop.declare(PLACE, ID, list('vendor/level=5 vendor/lever=5'));
      await loop.until('failed AttributeRefused', ID);
      assert.match(loop.message(ID), /no file \S+\/vendor\/lever;/);
      await looked(loop);
      const { probes, removes } = calls(P0);
      assert.deepEqual([onBus(ID), probes - before.probes, removes - before.removes], [false, 1, 1]);
    }),
  'a value that the driver refuses ends it the same way, and a retry tries exactly once more': withLoop(
    async (loop) => {
      const before = calls(P0);
      await loop.declare(PLACE, ID, list('vendor/level=5 vendor/refuse=1'));
      await loop.until('failed AttributeRefused', ID);
      assert.match(loop.message(ID), /vendor\/refuse answered EINVAL \(22\)/);
      assert.deepEqual([onBus(ID), calls(P0).probes - before.probes], [false, 1]);
      await loop.retry(ID);
      await until('the second try', () => calls(P0).removes - before.removes === 2);
      await looked(loop);
      assert.deepEqual([loop.state(ID), onBus(ID)], ['failed AttributeRefused', false]);
      assert.equal(calls(P0).probes - before.probes, 2);
    },
  ),
};

/** A loop whose create finds the room taken that was there when it looked. */
function late(take: () => Promise<void>): GuestLoop {
  const real = shared();
  const create: Host['create'] = async (id, place) => {
    await take();
    return real.create(id, place);
  };
  return GuestLoop.start(overriding(real, { create }), PATIENT);
}

const capacity: Record<string, Case> = {
  'a full parent is not asked for more; who takes it is told, and when one goes the other is made': withLoop(
    async (loop) => {
      await loop.heard(1);
      setCapacity(P0, 3);
      await created(P0, 'a', FIRST);
      await created(P0, 'b', SECOND);
      const { probes } = calls(P0);
      await loop.declare(PLACE, ID);
      await loop.until('waiting NoCapacity', ID);
      const said = `no instance of mdevfleet-a is available on ${P0}: taken by 2 devices, ${FIRST}, ${SECOND} (mdevfleet-b)`;
      assert.ok(loop.message(ID).startsWith(said), loop.message(ID));
      assert.equal(calls(P0).probes, probes);
      assert.equal(await remove(P0, FIRST), 0);
      await loop.until('ready', ID);
      assert.equal(calls(P0).probes, probes + 1);
      assert.deepEqual(loop.kinds(ID).filter((kind) => kind === 'waiting').length, 1);
    },
    PATIENT,
  ),
  'room that is taken between the look and the write is told the same way, from EUSERS': async () => {
    await created(LIMITED, 'c', FIRST);
    const loop = late(() => created(LIMITED, 'c', SECOND));
    await loop.declare(LIMITED_PLACE, ID);
    await loop.until('waiting NoCapacity', ID);
    assert.equal(available(LIMITED, 'c'), 0);
    assert.match(loop.message(ID), new RegExp(`taken by 2 devices, ${FIRST}, ${SECOND}; .*EUSERS \\(87\\)`));
    await loop.stop();
  },
  'and from ENOSPC': async () => {
    setCapacity(P0, 1);
    const loop = late(() => created(P0, 'a', THIRD));
    await loop.declare(PLACE, ID);
    await loop.until('waiting NoCapacity', ID);
    assert.match(loop.message(ID), new RegExp(`taken by 1 device, ${THIRD}; .*ENOSPC \\(28\\)`));
    await loop.stop();
  },
  'and from EPERM, as drivers of before Linux 6.1 say it': withLoop(async (loop) => {
    await created(P0, 'a', FIRST);
    setKnob(P0, 'probe_errno', ERRNO.EPERM);
    await loop.declare(PLACE, ID);
    await loop.until('waiting NoCapacity', ID);
    assert.match(loop.message(ID), new RegExp(`taken by 1 device, ${FIRST}; .*EPERM \\(1\\)`));
  }, PATIENT),
};

export const scenario: Scenario = {
  module: import.meta.url,
  setUp: resetParents,
  cases: { ...attributes, ...capacity },
};
