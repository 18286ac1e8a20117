/**
 * Devices in use: whoever uses one is named, nothing is written to it meanwhile, and it is removed once it is free.
 */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { LocalAgent } from './local-agent.ts';
import { calls, groupPath, hold, onBus, P0, P1, underParent, until, uuid } from './mdev.ts';
import type { Scenario } from './scenario.ts';

const TYPE = 'mdevfleet-a';
const OPTIONS = { host: 'kernel-use', data: '/tmp/use', limits: { waitTimerMsMax: 500 } };
const [HELD, SHARED, TAKEN] = [uuid(31), uuid(32), uuid(33)] as const;

/** Looks at devices that asked whether they are in use, by UUID; and what is done before such a look is answered. */
const looks = new Map<string, number>();
const beforeAnswer = new Map<string, () => Promise<void>>();

let running: Promise<LocalAgent> | undefined;

/** One agent for all cases. */
function agentInUse(): Promise<LocalAgent> {
  running ??= LocalAgent.start(OPTIONS, (host) => ({
    observe: async (id, look) => {
      const seen = await host.observe(id, look);
      if (!look.use) return seen;
      looks.set(id, (looks.get(id) ?? 0) + 1);
      await beforeAnswer.get(id)?.();
      return seen;
    },
  }));
  return running;
}

async function made(id: string, parent: string): Promise<LocalAgent> {
  const agent = await agentInUse();
  await agent.declare.present(id, { parent, type: TYPE });
  await agent.active(id);
  return agent;
}

/** Waits until the agent has looked at a device so many times more. */
async function looksMore(id: string, times: number): Promise<void> {
  const before = looks.get(id) ?? 0;
  await until(`${times} looks at ${id}`, () => (looks.get(id) ?? 0) >= before + times);
}

export const scenario: Scenario = {
  module: import.meta.url,
  cases: {
    'a held device is InUse by pid and command, is not written to, and is removed once free': async () => {
      const agent = await made(HELD, P0);
      const vm = await hold(P0, HELD);
      const { removes } = calls(P0);
      await agent.declare.absent(HELD);
      const message = await agent.waits(HELD, 'InUse');
      assert.ok(message.includes(`in use by hold (pid ${vm.pid})`), message);
      await looksMore(HELD, 4);
      assert.deepEqual([calls(P0).removes, onBus(HELD)], [removes, true]);
      await vm.release();
      await agent.gone(HELD);
      assert.deepEqual([calls(P0).removes, underParent(P0, HELD)], [removes + 1, false]);
    },
    'InUse is recorded once, whoever comes and goes; who has only the group open counts too': async () => {
      const agent = await made(SHARED, P0);
      const { removes } = calls(P0);
      const shell = spawn('/guest/bin/sh', ['-c', SHARING, 'sh', groupPath(P0, SHARED)]);
      await once(shell.stdout, 'data');
      await agent.declare.absent(SHARED);
      const message = await agent.waits(SHARED, 'InUse');
      assert.ok(message.includes(`(pid ${shell.pid})`), message);
      shell.stdin.write('another\n');
      await once(shell.stdout, 'data');
      await looksMore(SHARED, 4);
      assert.deepEqual([agent.records(SHARED, 'InUse'), calls(P0).removes], [1, removes]);
      shell.stdin.end();
      await agent.gone(SHARED);
    },
    'a device that is taken between the look and the write is InUse, and not written to': async () => {
      const agent = await made(TAKEN, P1);
      let vm: Awaited<ReturnType<typeof hold>> | undefined;
      beforeAnswer.set(TAKEN, async () => {
        const next = agent.device(TAKEN).reservation?.phase === 'releasing' ? 'remove' : 'begin-release';
        if (next === 'remove') vm ??= await hold(P1, TAKEN);
      });
      const { removes } = calls(P1);
      await agent.declare.absent(TAKEN);
      const message = await agent.waits(TAKEN, 'InUse');
      assert.ok(message.startsWith(`remove: in use by hold (pid ${vm?.pid})`), message);
      await looksMore(TAKEN, 2);
      assert.deepEqual([calls(P1).removes, onBus(TAKEN)], [removes, true]);
      await vm?.release();
      await agent.gone(TAKEN);
      assert.equal(calls(P1).removes, removes + 1);
    },
    'the agent ends': async () => {
      const agent = await agentInUse();
      await agent.stop();
    },
  },
};

/** A shell that has the group open; at a word it gets a child that has it open too, until there are no more words. */
const SHARING = 'exec 3<>"$1"; echo open; read word; sleep 600 & echo "$word"; read word; kill $!';
