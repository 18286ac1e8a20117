/**
 * Writes that do not return: a slow probe, a removal that hangs, a driver that answers EINTR each time. Whatever
 * one of them does, everything else goes on, and what became of it is found out.
 */
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { busyWriters } from '../../reconciler/sysfs/writer-marks.ts';
import { LocalAgent, LocalFleet, marksOf, ProgramAgent } from './local-agent.ts';
import {
  calls,
  devicePath,
  FOREVER_MS,
  hold,
  onBus,
  P0,
  P1,
  P2,
  P3,
  read,
  setKnob,
  typeOf,
  underParent,
  until,
  uuid,
} from './mdev.ts';
import type { Scenario } from './scenario.ts';

const TYPE = 'mdevfleet-a';
const AT_P0 = { parent: P0, type: TYPE };
const AT_P1 = { parent: P1, type: TYPE };
const AT_P2 = { parent: P2, type: TYPE };
const AT_P3 = { parent: P3, type: TYPE };

/** Long enough to find out before that a helper spins. */
const LIMITS = { writeDeadlineMs: 6_000, waitTimerMsMax: 500 };
const OPTIONS = { host: 'kernel-stuck', data: '/tmp/stuck', limits: LIMITS };
/** No write of it is ever given up: what ends it must not depend on that. */
const PATIENT = {
  host: 'kernel-patient',
  data: '/tmp/patient',
  limits: { writeDeadlineMs: 600_000, stopDeadlineMs: 2_000, waitTimerMsMax: 500 },
};

const [SLOW, OLD, LEAVING, NEW] = [uuid(41), uuid(42), uuid(43), uuid(44)] as const;
const [HANGING, SPINNING, OTHER, LEFT] = [uuid(45), uuid(46), uuid(47), uuid(48)] as const;
/** Devices of the work that is done with and without a stuck write. */
const WORK = [51, 52, 53, 54].map(uuid);
const WORK_ROUNDS = 4;
const EINTR = 4;
/** How much longer the event loop may be kept while a write is stuck. */
const DELAY_RATIO_MAX = 3;

let running: Promise<LocalAgent> | undefined;

/** One agent for all cases that look into it. */
function agentAtWork(): Promise<LocalAgent> {
  running ??= LocalAgent.start(OPTIONS);
  return running;
}

/** Devices come and go on a parent where nothing is stuck. */
async function work(agent: LocalAgent): Promise<void> {
  for (let round = 0; round < WORK_ROUNDS; round += 1) {
    await Promise.all(WORK.map((id) => agent.declare.present(id, AT_P1)));
    for (const id of WORK) await agent.active(id);
    await Promise.all(WORK.map((id) => agent.declare.absent(id)));
    for (const id of WORK) await agent.gone(id);
  }
}

/** The 99th percentile of the event loop's delay meanwhile; the agent runs in this process. */
async function delayP99(during: () => Promise<void>): Promise<number> {
  const delays = monitorEventLoopDelay({ resolution: 1 });
  delays.enable();
  await during();
  delays.disable();
  return delays.percentile(99);
}

/** Waits until the write for the UUID was given up, which is recorded first, and then that it is still under way. */
function stuck(agent: LocalAgent, id: string): Promise<void> {
  return until(`the write for ${id} to be stuck`, () => {
    const { waiting } = agent.device(id);
    return waiting?.reason === 'WriteStuck' || waiting?.reason === 'Busy';
  });
}

/** The pid of the helper that writes for a UUID. */
function writerOf(options: typeof OPTIONS | typeof PATIENT, id: string): number | undefined {
  return busyWriters(marksOf(options), '/proc').get(id);
}

export const scenario: Scenario = {
  module: import.meta.url,
  cases: {
    'a probe that takes for ever stalls no other device, no commit and not the event loop': async () => {
      const agent = await agentAtWork();
      for (const id of [OLD, LEAVING]) await agent.declare.present(id, AT_P0);
      for (const id of [OLD, LEAVING]) await agent.active(id);
      await work(agent);
      const without = await delayP99(() => work(agent));

      const { probes } = calls(P0);
      setKnob(P0, 'probe_delay_ms', FOREVER_MS);
      await agent.declare.present(SLOW, AT_P0);
      await until('the probe', () => calls(P0).probes > probes);
      const withStuck = await delayP99(() => work(agent));
      await stuck(agent, SLOW);
      await agent.declare.present(OLD, AT_P0, [{ name: 'vendor/label', value: 'new' }]);
      await until('the attribute', () => read(devicePath(P0, OLD, 'vendor', 'label')) === 'new');
      await agent.declare.absent(LEAVING);
      await agent.gone(LEAVING);
      assert.ok(writerOf(OPTIONS, SLOW) !== undefined);
      assert.equal(calls(P0).probes, probes + 1);

      setKnob(P0, 'probe_delay_ms', 0);
      await agent.active(SLOW);
      assert.equal(calls(P0).probes, probes + 1);
      const ratio = withStuck / without;
      console.error(`event loop delay p99: ${withStuck / 1e6} ms stuck, ${without / 1e6} ms not: ${ratio}`);
      assert.ok(ratio <= DELAY_RATIO_MAX, `${ratio} times the delay`);
    },
    'a removal that hangs keeps everybody from the device, and no other device of its parent': async () => {
      const agent = await agentAtWork();
      await agent.declare.present(HANGING, AT_P0);
      await agent.active(HANGING);
      const { removes } = calls(P0);
      setKnob(P0, 'remove_delay_ms', FOREVER_MS);
      await agent.declare.absent(HANGING);
      await until('the removal', () => calls(P0).removes > removes);
      // It could only be taken before the write by way of its group, which the helper keeps open: nothing blocks on a user.
      await assert.rejects(hold(P0, HANGING), /errno 16/);
      await stuck(agent, HANGING);
      await agent.declare.present(NEW, AT_P0);
      await agent.active(NEW);
      assert.deepEqual([onBus(HANGING), underParent(P0, HANGING)], [false, true]);
      assert.equal(agent.device(HANGING).reservation?.phase, 'releasing');
      setKnob(P0, 'remove_delay_ms', 0);
      await agent.gone(HANGING);
      assert.deepEqual([underParent(P0, HANGING), calls(P0).removes], [false, removes + 1]);
    },
    'a driver that answers EINTR each time is told so, keeps no helper, and gets its device later':
      async () => {
        const agent = await agentAtWork();
        setKnob(P2, 'probe_errno', EINTR);
        await agent.declare.present(SPINNING, AT_P2);
        await until('a write', () => writerOf(OPTIONS, SPINNING) !== undefined);
        const pid = writerOf(OPTIONS, SPINNING);
        const message = await agent.waits(SPINNING, 'KernelError');
        assert.match(message, /EINTR/);
        assert.ok(!existsSync(`/proc/${pid}`), 'the helper is gone');
        assert.ok(calls(P2).probes > 2, 'the driver was asked again and again');
        await agent.declare.present(OTHER, AT_P1);
        await agent.active(OTHER);
        setKnob(P2, 'probe_errno', 0);
        await agent.active(SPINNING);
        assert.equal(typeOf(P2, SPINNING), TYPE);
      },
    'the agent in this process ends': async () => {
      const agent = await agentAtWork();
      await agent.stop();
    },
    'SIGTERM ends the agent’s program while its write hangs': async () => {
      const fleet = await LocalFleet.open(PATIENT);
      const { probes } = calls(P3);
      setKnob(P3, 'probe_delay_ms', FOREVER_MS);
      await fleet.declare.present(LEFT, AT_P3);
      const agent = new ProgramAgent(PATIENT);
      await fleet.until('the claim', LEFT, () => true);
      await until('the probe', () => calls(P3).probes > probes);
      const pid = writerOf(PATIENT, LEFT);
      assert.equal(await agent.stop(), 0);
      assert.deepEqual([typeOf(P3, LEFT), calls(P3).probes], [null, probes + 1]);
      assert.ok(pid !== undefined && writerOf(PATIENT, LEFT) === pid, 'the helper still writes');
      await fleet.close();
    },
    'the next agent waits for the write that was left, and finds out what became of it': async () => {
      const { probes } = calls(P3);
      const pid = writerOf(PATIENT, LEFT);
      const agent = await LocalAgent.start(PATIENT);
      const message = await agent.waits(LEFT, 'Busy');
      assert.ok(message.includes(`process ${pid}`), message);
      setKnob(P3, 'probe_delay_ms', 0);
      await agent.active(LEFT);
      assert.deepEqual([typeOf(P3, LEFT), calls(P3).probes], [TYPE, probes]);
      await agent.stop();
    },
  },
};
