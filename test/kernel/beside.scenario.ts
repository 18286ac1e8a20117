/**
 * Other programs beside the agent, on the same parents: Debian's mdevctl, and a shell. What they made is shown, adopted
 * or refused, and never touched; what is ours they see, cannot take, and if they remove it, it comes back.
 */
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { GuestAgent, GuestFleet } from './agents.ts';
import {
  calls,
  create,
  created,
  devicePath,
  ERRNO,
  FOREVER_MS,
  identityOf,
  onBus,
  P0,
  P1,
  P2,
  P3,
  remove,
  setKnob,
  setRegistered,
  typeOf,
  until,
  uuid,
} from './mdev.ts';
import {
  makeMdevctlFolders,
  mdevctl,
  mdevctlCallouts,
  mdevctlDevices,
  mdevctlFormats,
} from './mdevctl-cases.ts';
import type { Scenario } from './scenario.ts';

const HOST = 'kernel-beside';
/** The first case also waits for the agent to be up, on a machine that may be busy with other things. */
const CASE_MS_MAX = 200_000;
const [A, B] = ['mdevfleet-a', 'mdevfleet-b'] as const;
const [BY_MDEVCTL, BY_SHELL, OTHER_TYPE, OTHER_PARENT] = [uuid(31), uuid(32), uuid(33), uuid(34)] as const;
const [OURS, MOVED, ZOMBIE] = [uuid(35), uuid(36), uuid(37)] as const;

let running: Promise<{ fleet: GuestFleet; agent: GuestAgent }> | undefined;

function fleetOfOne(): NonNullable<typeof running> {
  running ??= GuestFleet.start().then((fleet) => {
    return { fleet, agent: new GuestAgent(HOST, '/guest/disk/data', fleet.server.url) };
  });
  return running;
}

function start(id: string, parent: string, type: string): ReturnType<typeof mdevctl> {
  return mdevctl('start', '--uuid', id, '--parent', parent, '--type', type);
}

const DONE = { status: 0, said: '' };

function at(parent: string, type: string) {
  return { host: HOST, parent, type };
}

export const scenario: Scenario = {
  module: import.meta.url,
  caseMsMax: CASE_MS_MAX,
  setUp: makeMdevctlFolders,
  cases: {
    ...mdevctlFormats,
    ...mdevctlCallouts,
    'devices that mdevctl or a shell made are unmanaged, with their parent and type': async () => {
      const { fleet } = await fleetOfOne();
      assert.deepEqual(start(BY_MDEVCTL, P0, A), DONE);
      await created(P1, 'b', BY_SHELL);
      for (const [id, parent, type] of [[BY_MDEVCTL, P0, A] as const, [BY_SHELL, P1, B] as const]) {
        const [row] = await fleet.until('an unmanaged device', HOST, id, (rows) => rows.length > 0);
        assert.deepEqual([row?.state, row?.parent, row?.type], ['unmanaged', parent, type]);
      }
    },
    'declared as they are, they are adopted without being touched': async () => {
      const { fleet } = await fleetOfOne();
      const before = [calls(P0), calls(P1), identityOf(P0, BY_MDEVCTL), identityOf(P1, BY_SHELL)];
      await fleet.present(BY_MDEVCTL, at(P0, A));
      await fleet.present(BY_SHELL, at(P1, B));
      for (const id of [BY_MDEVCTL, BY_SHELL]) {
        await fleet.ready(HOST, id);
        const active = await fleet.recorded(HOST, id, 'active');
        assert.deepEqual([active.map(({ how }) => how)], [['adopted']]);
      }
      const after = [calls(P0), calls(P1), identityOf(P0, BY_MDEVCTL), identityOf(P1, BY_SHELL)];
      assert.deepEqual(after, before);
    },
    ...mdevctlDevices(async () => (await fleetOfOne()).fleet, HOST),
    'declared differently, they are a conflict and nothing is touched': async () => {
      const { fleet } = await fleetOfOne();
      assert.deepEqual(start(OTHER_TYPE, P1, B), DONE);
      assert.deepEqual(start(OTHER_PARENT, P1, A), DONE);
      const before = [calls(P0), calls(P1)];
      await fleet.present(OTHER_TYPE, at(P1, A));
      await fleet.present(OTHER_PARENT, at(P0, A));
      for (const id of [OTHER_TYPE, OTHER_PARENT]) {
        const [row] = await fleet.until('a conflict', HOST, id, ([one]) => one?.state === 'conflict');
        assert.equal(row?.reason, 'ForeignDevice');
        assert.match(row?.message ?? '', new RegExp(`at ${P1}`));
        assert.equal(await fleet.registry.read(id), undefined, 'nothing was reserved');
      }
      assert.deepEqual([calls(P0), calls(P1)], before);
      assert.deepEqual([typeOf(P1, OTHER_TYPE), typeOf(P1, OTHER_PARENT)], [B, A]);
    },
    'mdevctl lists a device of ours, and cannot start it a second time': async () => {
      const { fleet } = await fleetOfOne();
      await fleet.present(OURS, at(P0, A));
      await fleet.ready(HOST, OURS);
      assert.match(mdevctl('list').said, new RegExp(`^${OURS} ${P0} ${A} `, 'm'));
      const before = [calls(P0), calls(P1)];
      for (const parent of [P0, P1]) assert.notEqual(start(OURS, parent, A).status, 0);
      assert.deepEqual([calls(P0), calls(P1)], before);
    },
    'stopped by mdevctl, a device of ours comes back': async () => {
      const { fleet } = await fleetOfOne();
      const before = identityOf(P0, OURS);
      assert.deepEqual(mdevctl('stop', '--uuid', OURS), DONE);
      const [drift] = await fleet.recorded(HOST, OURS, 'drift');
      assert.equal(drift?.cause, 'Removed');
      await until('the device again', () => typeOf(P0, OURS) === A && identityOf(P0, OURS) !== before);
      assert.match(mdevctl('list').said, new RegExp(`^${OURS} ${P0} ${A} `, 'm'));
    },
    'withdrawn while its UUID stands on another parent, that device is never removed': async () => {
      const { fleet } = await fleetOfOne();
      await fleet.present(MOVED, at(P2, A));
      await fleet.ready(HOST, MOVED);
      assert.equal(await setRegistered(P2, false), 0);
      await fleet.until('its parent to be missed', HOST, MOVED, ([one]) => one?.reason === 'ParentAbsent');
      assert.deepEqual(start(MOVED, P3, A), DONE);
      assert.equal(await setRegistered(P2, true), 0);
      await fleet.until('a conflict', HOST, MOVED, ([one]) => one?.reason === 'ForeignDevice');
      const before = [calls(P2), calls(P3), identityOf(P3, MOVED)];
      await fleet.absent(MOVED, HOST);
      await fleet.until('the release to wait', HOST, MOVED, ([one]) => {
        return one?.state === 'releasing' && one.reason === 'ForeignDevice';
      });
      assert.deepEqual([calls(P2), calls(P3), identityOf(P3, MOVED)], before);
      assert.notEqual((await fleet.registry.read(MOVED))?.value, null, 'the UUID exists, so it is held');
    },
    'and its UUID is given back when that device is gone': async () => {
      const { fleet } = await fleetOfOne();
      assert.deepEqual(mdevctl('stop', '--uuid', MOVED), DONE);
      await fleet.gone(HOST, MOVED);
      assert.equal((await fleet.registry.read(MOVED))?.value, null);
    },
    'a zombie that somebody else makes of a UUID of ours is adopted, too': async () => {
      const { fleet } = await fleetOfOne();
      setKnob(P3, 'probe_delay_ms', FOREVER_MS);
      const making = create(P3, 'a', ZOMBIE);
      await until('the device on the bus', () => onBus(ZOMBIE));
      assert.equal(await remove(P3, ZOMBIE), ERRNO.EAGAIN);
      await fleet.present(ZOMBIE, at(P3, A));
      await fleet.until('CreateInProgress', HOST, ZOMBIE, ([one]) => one?.reason === 'CreateInProgress');
      setKnob(P3, 'probe_delay_ms', 0);
      assert.equal(await making, 0);
      await fleet.ready(HOST, ZOMBIE);
      assert.ok(!existsSync(devicePath(P3, ZOMBIE, 'remove')));
    },
    'withdrawn, it is reported as unremovable with its cure, and the cure works': async () => {
      const { fleet } = await fleetOfOne();
      await fleet.absent(ZOMBIE, HOST);
      const [row] = await fleet.until('Unremovable', HOST, ZOMBIE, ([one]) => one?.reason === 'Unremovable');
      assert.match(row?.message ?? '', /unregister its parent/);
      assert.ok(onBus(ZOMBIE));
      assert.equal(await setRegistered(P3, false), 0);
      assert.equal(await setRegistered(P3, true), 0);
      await fleet.gone(HOST, ZOMBIE);
      assert.equal((await fleet.registry.read(ZOMBIE))?.value, null);
      assert.equal(await create(P3, 'a', ZOMBIE), 0, 'the kernel has the UUID free');
    },
    'SIGTERM ends the agent; all that others made stands': async () => {
      const { fleet, agent } = await fleetOfOne();
      assert.equal(await agent.stop(), 0);
      await fleet.stop();
      assert.ok([BY_MDEVCTL, BY_SHELL, OTHER_TYPE, OTHER_PARENT].every(onBus));
    },
  },
};
