/**
 * The demo's story, chapter by chapter: what a fleet does, shown on one of its devices.
 *
 * Whatever is told as having happened was looked at before: in the facts of the stream, in the
 * agents' logs, in the kernels themselves. What does not hold ends the demo.
 */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import type { DeviceFact } from '../../events/fact.ts';
import type { HostId } from '../../events/names.ts';
import type { SimDevice } from '../../reconciler/simulated/kernel-sim-inventory.ts';
import { apply } from '../cli/apply.ts';
import { deleteDevices } from '../cli/delete.ts';
import { get } from '../cli/get.ts';
import { retry } from '../cli/retry.ts';
import type { ShownRow } from '../look/devices.ts';
import { colourOf, tell } from '../past/words.ts';
import { confirm } from './confirm.ts';
import { duplicate, MACHINE, type Plot } from './plot.ts';
import type { Stage } from './stage.ts';
import { type SeenPass, uuidOf } from './watch.ts';

export type Chapter = { readonly title: string; tell(stage: Stage, plot: Plot): Promise<void> };

export const hostsStart: Chapter = {
  title: 'Three hosts start',
  async tell(stage, { hosts }) {
    await Promise.all(hosts.map((host) => stage.startKernel(host, MACHINE)));
    await Promise.all(hosts.map((host) => stage.startAgent(host)));
    const rows = hosts.map((host) => [
      { text: host },
      { text: `process ${stage.kernels.get(host)?.pid}` },
      { text: `process ${stage.agents.get(host)?.pid}` },
    ]);
    stage.screen.table(['HOST', 'SIMULATED KERNEL', 'AGENT'], rows);
  },
};

export const devicesAppear: Chapter = {
  title: 'What is declared appears',
  async tell(stage, { file, devices, hosts }) {
    const { screen, watch } = stage;
    screen.say(
      `A file declares ${devices.length} devices on ${hosts.length} hosts. An agent reserves a UUID in the ` +
        "fleet's registry before it makes the device.",
    );
    screen.command('mdevfleet apply --data DIR -f examples/fleet.yaml');
    const { stdout } = await stage.run(apply, { file: [file] });
    screen.say(stdout.trimEnd().split('\n').at(-1) ?? '');
    await watch.until('all declared devices to be ready', () => {
      const ready = watch.rows().filter(({ state }) => state === 'ready');
      return ready.length === devices.length || undefined;
    });
    await showDevices(stage);
  },
};

export const refusalPasses: Chapter = {
  title: 'A refusal that passes',
  async tell(stage, { hero: { host, uuid } }) {
    const { screen, watch } = stage;
    screen.say(
      `The kernel of ${host} refused to make ${uuid} at first, since the driver was not ready. That is no error: ` +
        'the agent tries again.',
    );
    const isRefusal = (one: SeenPass) =>
      one.uuid === uuid && one.end === 'requeue' && one.why?.includes('EAGAIN');
    const refused = await watch.until('the refused write', () => watch.passes.find(isRefusal));
    screen.voice(host, refused.why ?? '', 'yellow');
    const made = await watch.untilFact(host, 'active', { uuid });
    confirm(await stage.hasDevice(host, uuid), `the kernel of ${host} has ${uuid}`);
    report(stage, host, made.fact);
  },
};

export const uuidIsTaken: Chapter = {
  title: 'A UUID that is taken',
  async tell(stage, plot) {
    const { screen, watch } = stage;
    const { hero, rival } = plot;
    screen.say(`A UUID is unique in the whole fleet. Now another set declares the same one on ${rival}.`);
    const file = join(stage.dir, 'lab.yaml');
    writeFileSync(file, duplicate(plot));
    const before = await allDevices(stage, plot);
    screen.command('mdevfleet apply --data DIR -f DIR/lab.yaml');
    const { stderr } = await stage.run(apply, { file: [file] });
    screen.say(stderr.trimEnd());
    const { fact } = await watch.untilFact(rival, 'conflict', { uuid: hero.uuid });
    report(stage, rival, fact);
    confirm(fact.holder?.claim.host === hero.host, `the conflict names ${hero.host} as the holder`);
    confirm(isDeepStrictEqual(await allDevices(stage, plot), before), 'no kernel has changed');
    screen.say(`${hero.host} keeps its device, and no kernel has changed.`);
  },
};

export const deviceDisappears: Chapter = {
  title: 'A device that disappears',
  async tell(stage, { hero: { host, uuid } }) {
    const { screen, watch } = stage;
    screen.say(`Somebody removes the device from the kernel of ${host}, behind the agent's back.`);
    const since = watch.facts.length;
    const removed = await stage.act(host, { do: 'remove', uuid });
    confirm(removed.kind === 'ok', `the kernel of ${host} removed ${uuid}`);
    const drift = await watch.untilFact(host, 'drift', { since, uuid });
    report(stage, host, drift.fact);
    const made = await watch.untilFact(host, 'active', { since, uuid });
    confirm(await stage.hasDevice(host, uuid), `the kernel of ${host} has ${uuid} again`);
    report(stage, host, made.fact);
    const tookMs = Date.parse(made.time) - Date.parse(drift.time);
    screen.say(`It was back ${tookMs} ms after the agent noticed.`);
  },
};

export const agentIsKilled: Chapter = {
  title: 'An agent that is killed',
  async tell(stage, { hero: { host }, devices }) {
    const { screen, watch } = stage;
    const uuids = devices.filter((one) => one.host === host).map(({ uuid }) => uuid);
    const before = await stage.devices(host);
    screen.command(`kill -9 ${stage.agents.get(host)?.pid}`);
    await stage.endAgent(host, 'SIGKILL');
    screen.command(`mdevfleet agent --host ${host} --data DIR --simulate=DIR/kernels/${host}.sock`);
    const since = { facts: watch.facts.length, passes: watch.passes.length };
    await stage.startAgent(host);
    const passes = await watch.until(`the new agent of ${host} to look at its devices`, () => {
      const own = watch.passes.slice(since.passes).filter((one) => one.host === host);
      return uuids.every((uuid) => own.some((one) => one.uuid === uuid)) ? own : undefined;
    });
    const idle = passes.every(({ end, steps }) => end === 'settled' && steps === 0);
    confirm(idle, 'the new agent had nothing to do');
    confirm(isDeepStrictEqual(await stage.devices(host), before), `the kernel of ${host} has not changed`);
    const { seq } = await watch.untilFact(host, 'started', { since: since.facts });
    confirmContinued(stage, host, seq);
    screen.say(
      `Nothing is lost: fact ${seq} of its journal follows fact ${seq - 1}. Nothing is touched: the new agent ` +
        `looks at its ${uuids.length} devices, finds them as declared, and leaves them alone.`,
    );
  },
};

/** All facts of the host have arrived, without a gap, and after the start none is about a device. */
function confirmContinued({ watch }: Stage, host: HostId, start: number): void {
  const facts = watch.facts.filter((one) => one.host === host);
  const inOrder = facts.every(({ seq }, index) => seq === index + 1);
  confirm(inOrder, `the journal of ${host} goes on where it ended`);
  const touched = facts.slice(start).some(({ fact }) => uuidOf(fact) !== undefined);
  confirm(!touched, 'the new agent recorded nothing about devices');
}

export const uuidIsGivenBack: Chapter = {
  title: 'A UUID that is given back',
  async tell(stage, { hero: { host, uuid }, rival }) {
    const { screen, watch } = stage;
    const since = watch.facts.length;
    screen.command(`mdevfleet delete --data DIR --host ${host} ${uuid}`);
    await stage.run(deleteDevices, { host }, uuid);
    const gone = await watch.untilFact(host, 'gone', { since, uuid });
    confirm(!(await stage.hasDevice(host, uuid)), `${uuid} is gone from the kernel of ${host}`);
    report(stage, host, gone.fact);
    screen.say('The UUID is free, so the host that was refused may try again.');
    screen.command(`mdevfleet retry --data DIR ${uuid}`);
    await stage.run(retry, {}, uuid);
    const made = await watch.untilFact(rival, 'active', { since, uuid });
    confirm(await stage.hasDevice(rival, uuid), `the kernel of ${rival} has ${uuid}`);
    report(stage, rival, made.fact);
    await showDevices(stage);
  },
};

function report({ screen }: Stage, host: HostId, fact: DeviceFact): void {
  screen.voice(host, tell(fact), colourOf(fact));
}

/** The devices of all kernels, by host. */
function allDevices(stage: Stage, { hosts }: Plot): Promise<readonly (readonly SimDevice[])[]> {
  return Promise.all(hosts.map((host) => stage.devices(host)));
}

/** The columns of `get devices` that fit beside each other; no row has a reason where this is called. */
async function showDevices(stage: Stage): Promise<void> {
  stage.screen.command('mdevfleet get devices --data DIR');
  const { stdout } = await stage.run(get, { json: true }, 'devices');
  const rows: readonly ShownRow[] = JSON.parse(stdout);
  const cells = rows.map(({ host, uuid, parent, type, state }) => [
    { text: host },
    { text: uuid },
    { text: parent },
    { text: type },
    { text: state, colour: state === 'ready' ? ('green' as const) : ('red' as const) },
  ]);
  stage.screen.table(['HOST', 'UUID', 'PARENT', 'TYPE', 'STATE'], cells);
}
