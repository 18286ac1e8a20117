/**
 * The main job on a real kernel: declarations come over a real server, and devices are there, once, and no others.
 */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect } from 'node:net';
import { GuestAgent, GuestFleet, runVerb } from './agents.ts';
import { calls, create, created, devicePath, hold, onBus, read, typeOf, underParent, uuid } from './mdev.ts';
import type { Scenario } from './scenario.ts';

const [P0, P1] = ['mdevfleet-0', 'mdevfleet-1'] as const;
const TYPE = 'mdevfleet-a';
const DATA = '/guest/disk/data';
const [HOST, OTHER] = ['kernel-a', 'kernel-b'] as const;
const [FIRST, SECOND, RAW, FOREIGN, HELD] = [uuid(11), uuid(12), uuid(13), uuid(14), uuid(15)] as const;
const AT_P0 = { host: HOST, parent: P0, type: TYPE };

let running: Promise<{ fleet: GuestFleet; agent: GuestAgent; other: GuestAgent }> | undefined;

/** One server and two agents for all cases. */
function fleetOfTwo(): NonNullable<typeof running> {
  running ??= GuestFleet.start().then((fleet) => ({
    fleet,
    agent: new GuestAgent(HOST, DATA, fleet.server.url),
    other: new GuestAgent(OTHER, DATA, fleet.server.url),
  }));
  return running;
}

/** What any client may send: a CloudEvent on the documented subject, without our code. */
async function publishRaw(port: number, id: string): Promise<void> {
  const socket = connect(port, '127.0.0.1');
  await once(socket, 'data');
  const event = JSON.stringify({
    specversion: '1.0',
    id: 'raw-1',
    source: 'a-shell-script',
    type: 'io.mdevfleet.device.present.v1',
    time: '2026-01-01T00:00:00Z',
    subject: `${HOST}/${id}`,
    data: { uuid: id, ...AT_P0 },
  });
  socket.write(
    `CONNECT {"verbose":false}\r\nPUB mdev.desired.${HOST}.${id} ${event.length}\r\n${event}\r\nPING\r\n`,
  );
  await once(socket, 'data');
  socket.destroy();
}

export const scenario: Scenario = {
  module: import.meta.url,
  cases: {
    'devices declared over NATS exist in sysfs, with their attributes': async () => {
      const { fleet } = await fleetOfTwo();
      await fleet.present(FIRST, AT_P0, [{ name: 'vendor/label', value: 'first' }]);
      await fleet.present(SECOND, AT_P0);
      await fleet.ready(HOST, FIRST);
      await fleet.ready(HOST, SECOND);
      assert.deepEqual([typeOf(P0, FIRST), typeOf(P0, SECOND)], [TYPE, TYPE]);
      assert.equal(read(devicePath(P0, FIRST, 'vendor', 'label')), 'first');
    },
    'an event from any NATS client counts as much': async () => {
      const { fleet } = await fleetOfTwo();
      await publishRaw(fleet.server.port, RAW);
      await fleet.ready(HOST, RAW);
      assert.equal(typeOf(P0, RAW), TYPE);
    },
    'declared twice, nothing more happens': async () => {
      const { fleet } = await fleetOfTwo();
      const before = calls(P0);
      const [row] = await fleet.rows(HOST, SECOND);
      const last = row?.generation?.sequence ?? 0;
      await fleet.present(SECOND, AT_P0);
      await fleet.until(
        'the generation to move',
        HOST,
        SECOND,
        ([now]) => (now?.generation?.sequence ?? 0) > last,
      );
      assert.deepEqual(calls(P0), before);
      assert.ok(onBus(SECOND));
    },
    'a UUID declared on a second parent ends in conflict, without any effect': async () => {
      const { fleet } = await fleetOfTwo();
      await fleet.present(SECOND, { ...AT_P0, parent: P1 });
      const isRefused = (rows: readonly { state: string }[]): boolean =>
        rows.some((row) => row.state === 'conflict');
      const rows = await fleet.until('a conflict', HOST, SECOND, isRefused);
      assert.deepEqual(
        rows.map(({ parent, state, reason }) => ({ parent, state, reason })),
        [
          { parent: P0, state: 'ready', reason: null },
          { parent: P1, state: 'conflict', reason: 'ClaimDiffers' },
        ],
      );
      assert.ok(!underParent(P1, SECOND));
      assert.equal(calls(P1).probes, 0);
    },
    'a UUID declared by a second host ends in conflict that names the holder': async () => {
      const { fleet } = await fleetOfTwo();
      const before = calls(P0);
      await fleet.present(FIRST, { ...AT_P0, host: OTHER });
      const [row] = await fleet.until('a conflict', OTHER, FIRST, ([one]) => one?.state === 'conflict');
      assert.equal(row?.reason, 'UuidHeld');
      assert.match(row?.message ?? '', new RegExp(`held by host ${HOST}`));
      assert.deepEqual(calls(P0), before);
    },
    'a foreign device is reported and never touched': async () => {
      const { fleet } = await fleetOfTwo();
      await created(P1, 'a', FOREIGN);
      await fleet.until('an unmanaged device', HOST, FOREIGN, ([one]) => one?.state === 'unmanaged');
      await fleet.absent(FOREIGN, HOST);
      await fleet.present(uuid(16), AT_P0);
      await fleet.ready(HOST, uuid(16));
      assert.equal(typeOf(P1, FOREIGN), TYPE);
      assert.equal(calls(P1).removes, 0);
    },
    'a device in use is removed when it is free, and not before': async () => {
      const { fleet } = await fleetOfTwo();
      await fleet.present(HELD, AT_P0);
      await fleet.ready(HOST, HELD);
      const held = await hold(P0, HELD);
      const before = calls(P0);
      await fleet.absent(HELD, HOST);
      await fleet.until('InUse', HOST, HELD, ([one]) => one?.reason === 'InUse');
      assert.deepEqual(calls(P0), before);
      assert.ok(onBus(HELD));
      await held.release();
      await fleet.gone(HOST, HELD);
      assert.ok(!underParent(P0, HELD));
    },
    'withdrawn, a device is gone and its UUID released': async () => {
      const { fleet } = await fleetOfTwo();
      await fleet.absent(RAW, HOST);
      await fleet.gone(HOST, RAW);
      assert.ok(!onBus(RAW) && !underParent(P0, RAW));
      assert.equal((await fleet.registry.read(RAW))?.value, null);
      assert.equal(await create(P0, 'a', RAW), 0, 'the kernel has the UUID free');
    },
    'a device removed behind the agent’s back comes back': async () => {
      const { fleet } = await fleetOfTwo();
      const before = await fleet.registry.read(SECOND);
      const { removes } = calls(P0);
      const { remove, until } = await import('./mdev.ts');
      assert.equal(await remove(P0, SECOND), 0);
      await until('the device again', () => calls(P0).removes > removes && typeOf(P0, SECOND) === TYPE);
      assert.deepEqual(await fleet.registry.read(SECOND), before, 'the hold was kept all the time');
    },
    'SIGTERM ends the agents, and their journals verify': async () => {
      const { fleet, agent, other } = await fleetOfTwo();
      assert.deepEqual(await Promise.all([agent.stop(), other.stop()]), [0, 0]);
      await fleet.stop();
      assert.equal(await runVerb('verify', '--host', HOST, '--data', DATA), 0);
    },
  },
};
