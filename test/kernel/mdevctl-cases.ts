/**
 * What we read, write and print of mdevctl's formats, held against mdevctl itself: random definitions and random devices,
 * the same in every run.
 */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { createCallouts } from '../../reconciler/callouts/callouts.ts';
import { systemClock } from '../../reconciler/clock-system.ts';
import {
  type Definition,
  deviceOf,
  isActive,
  ownedDefinition,
  returnedDefinition,
} from '../../src/mdevctl/definition.ts';
import { MDEVCTL_FOLDER, readDefinitions, writeDefinitions } from '../../src/mdevctl/folder.ts';
import { merged, parseDump } from '../../src/mdevctl/parse.ts';
import { definitionText, dumpText } from '../../src/mdevctl/print.ts';
import { definitions } from '../src/mdevctl/arbitraries.ts';
import type { GuestFleet } from './agents.ts';
import { calls, P0, P1, P2, P3, uuid } from './mdev.ts';
import type { Case } from './scenario.ts';

const SEED = 6;
/** Each has up to twelve definitions. */
const SAMPLES = 6;
/** So many are defined by mdevctl itself, too, which takes a process each. */
const DEFINED_MAX = 8;
const DEVICES_MAX = 6;
const PARENTS = [P0, P1, P2, P3] as const;

/** Debian's package has the folders in which mdevctl looks for scripts, a guest's /etc has not. */
export function makeMdevctlFolders(): void {
  for (const scripts of ['callouts', 'notifiers']) {
    mkdirSync(join(MDEVCTL_FOLDER, 'scripts.d', scripts), { recursive: true });
  }
}

/** Runs mdevctl; answers its exit status and what it said on standard output. */
export function mdevctl(...argv: readonly string[]): {
  readonly status: number | null;
  readonly said: string;
} {
  const { status, stdout, stderr, error } = spawnSync('mdevctl', argv, { encoding: 'utf8' });
  if (error !== undefined) throw error;
  return { status, said: status === 0 ? stdout : stderr };
}

function listed(...argv: readonly string[]): string {
  const { status, said } = mdevctl('list', '--dumpjson', ...argv);
  assert.equal(status, 0, said);
  return said;
}

function forget(all: readonly Definition[]): void {
  for (const { parent } of all) rmSync(join(MDEVCTL_FOLDER, parent), { recursive: true, force: true });
}

/** A file of a definition as somebody may have written it by hand. */
function byHand(parent: string, id: string, text: string): void {
  mkdirSync(join(MDEVCTL_FOLDER, parent), { recursive: true });
  writeFileSync(join(MDEVCTL_FOLDER, parent, id), text);
}

async function ours(): Promise<string> {
  return `${dumpText((await readDefinitions(MDEVCTL_FOLDER)).definitions)}\n`;
}

/** What needs neither an agent nor a device. */
export const mdevctlFormats: Record<string, Case> = {
  'random definitions that we write are read by mdevctl as they are, and by us as mdevctl reads them':
    async () => {
      const all = fc.sample(definitions, { seed: SEED, numRuns: SAMPLES }).flat();
      assert.ok(all.length > SAMPLES);
      await writeDefinitions(MDEVCTL_FOLDER, all);
      const said = listed('--defined');
      assert.equal(said, `${dumpText(all)}\n`);
      assert.equal(await ours(), said);
      const there = merged([parseDump({ file: 'dump', text: said })]);
      assert.deepEqual([there.refused, there.ignored], [[], []]);
      const back = there.definitions.map((one) => returnedDefinition(deviceOf(one, 'host-a')));
      assert.equal(`${dumpText(back)}\n`, said);
      forget(all);
      assert.equal(listed('--defined'), `${dumpText([])}\n`);
    },
  'what mdevctl writes itself is the same to the byte': () => {
    const all = fc.sample(definitions, { seed: SEED + 1, numRuns: SAMPLES }).flat();
    const some = all.filter(({ parent }) => !parent.startsWith('-')).slice(0, DEFINED_MAX);
    for (const one of some) {
      const { parent, uuid: id } = one;
      writeFileSync('/tmp/definition.json', definitionText(one));
      const given = ['--uuid', id, '--parent', parent, '--jsonfile', '/tmp/definition.json'];
      assert.deepEqual(mdevctl('define', ...given), { status: 0, said: '' });
      assert.equal(readFileSync(join(MDEVCTL_FOLDER, parent, id), 'utf8'), definitionText(one));
    }
    forget(some);
  },
  'what mdevctl takes in its stride means the same to us': async () => {
    const texts = [
      '{"mdev_type": "t", "start": "Auto", "attrs": null}',
      '{"start": true, "attrs": [], "mdev_type": "t", "comment": {"by": "hand"}}',
      '{"mdev_type": "t", "start": "auto"}',
    ];
    for (const [index, text] of texts.entries()) byHand('by-hand', uuid(90 + index), text);
    assert.equal(await ours(), listed('--defined'));
    rmSync(join(MDEVCTL_FOLDER, 'by-hand'), { recursive: true });
  },
  'where one file makes mdevctl give up on all, we refuse that file alone': async () => {
    const good = { parent: 'by-hand', uuid: uuid(90), type: 't', start: 'auto', attributes: [] } as const;
    const broken = ['{"mdev_type": "t', '{"mdev_type": 5, "start": "auto"}', '{"mdev_type": "t"}', '[]'];
    byHand(good.parent, good.uuid, definitionText(good));
    for (const text of broken) {
      byHand(good.parent, uuid(91), text);
      assert.notEqual(mdevctl('list', '--defined', '--dumpjson').status, 0, text);
      assert.equal(await ours(), `${dumpText([good])}\n`);
    }
    rmSync(join(MDEVCTL_FOLDER, 'by-hand'), { recursive: true });
  },
};

const CALLOUTS = join(MDEVCTL_FOLDER, 'scripts.d', 'callouts');
const HEARD = '/tmp/callouts.heard';
/** It needs nothing but the shell: what it is given ends without a line feed. */
const RECORD = `#!/bin/sh\nread -r json\nprintf '%s\\n' "$@" "$json" >>${HEARD}\n`;
const SCRIPT_MS_MAX = 60_000;

function heard(): string {
  const text = readFileSync(HEARD, 'utf8');
  rmSync(HEARD);
  return text;
}

/** As an agent does it that makes the device and removes it. */
async function askAndTell({ parent, uuid: id, type, attributes }: Definition): Promise<void> {
  const warn = (fields: object): void => assert.fail(JSON.stringify(fields));
  const hooks = createCallouts({ dir: CALLOUTS, timeoutMs: SCRIPT_MS_MAX, clock: systemClock, warn });
  for (const action of ['start', 'stop'] as const) {
    const place = { parent, type };
    const change = { action, uuid: id, place, attributes: action === 'start' ? attributes : [] };
    const answer = await hooks.before(change);
    if (answer.kind === 'refused') assert.fail(answer.message);
    await hooks.after(change, answer, 'success');
  }
}

/** What needs a parent, and no agent. */
export const mdevctlCallouts: Record<string, Case> = {
  'a callout script is given by us what mdevctl gives it': async () => {
    const attributes = [
      { name: 'vendor/level', value: '3' },
      { name: 'vendor/label', value: 'x "y"' },
    ];
    const one = { parent: P0, uuid: uuid(95), type: 'mdevfleet-a', start: 'manual', attributes } as const;
    byHand(one.parent, one.uuid, definitionText(one));
    writeFileSync(join(CALLOUTS, 'record'), RECORD, { mode: 0o755 });
    for (const verb of ['start', 'stop']) {
      assert.deepEqual(mdevctl(verb, '--uuid', one.uuid), { status: 0, said: '' });
    }
    const theirs = heard();
    await askAndTell(one);
    assert.equal(heard(), theirs);
    rmSync(join(CALLOUTS, 'record'));
    forget([one]);
  },
};

const device = fc.record({
  parent: fc.constantFrom(...PARENTS),
  type: fc.constantFrom('mdevfleet-a', 'mdevfleet-b'),
  attributes: fc.array(
    fc.constantFrom({ name: 'vendor/level', value: '3' }, { name: 'vendor/label', value: 'x y' }),
    { maxLength: 2 },
  ),
  isOurs: fc.boolean(),
});

type Device = { readonly uuid: string; readonly parent: string; readonly type: string };

function startAll(devices: readonly Device[]): void {
  for (const { uuid: id, parent, type } of devices) {
    assert.equal(mdevctl('start', '--uuid', id, '--parent', parent, '--type', type).status, 0);
  }
}

function stopAll(devices: readonly Device[]): void {
  for (const one of devices) assert.equal(mdevctl('stop', '--uuid', one.uuid).status, 0);
}

async function until(
  fleet: GuestFleet,
  host: string,
  devices: readonly Device[],
  state: string,
): Promise<void> {
  for (const one of devices) {
    await fleet.until(state, host, one.uuid, (rows) => rows.some((row) => row.state === state));
  }
}

function someDevices() {
  const six = fc.array(device, { minLength: DEVICES_MAX, maxLength: DEVICES_MAX });
  const [devices = []] = fc.sample(six, { seed: SEED, numRuns: 1 });
  return devices.map((one, index) => ({ ...one, uuid: uuid(50 + index) }));
}

async function activeAlike(fleet: GuestFleet, host: string): Promise<void> {
  const { ours: declared = [], others: foreign = [] } = Object.groupBy(someDevices(), ({ isOurs }) =>
    isOurs ? 'ours' : 'others',
  );
  assert.ok(declared.length > 0 && foreign.length > 0);
  for (const { attributes, uuid: id, parent, type } of declared) {
    await fleet.present(id, { host, parent, type }, attributes);
  }
  startAll(foreign);
  await until(fleet, host, declared, 'ready');
  await until(fleet, host, foreign, 'unmanaged');
  await writeDefinitions(MDEVCTL_FOLDER, declared.map(ownedDefinition));
  const active = (await fleet.rows(host)).filter(isActive).map(ownedDefinition);
  assert.equal(`${dumpText(active)}\n`, listed());
  const before = PARENTS.map(calls);
  for (const parent of PARENTS) mdevctl('start-parent-mdevs', parent);
  assert.deepEqual(PARENTS.map(calls), before, 'mdevctl starts nothing that an agent owns');
  forget(declared.map(ownedDefinition));
  stopAll(foreign);
  for (const one of declared) await fleet.absent(one.uuid, host);
  for (const one of [...declared, ...foreign]) await fleet.gone(host, one.uuid);
}

/** The agent of that host runs, no device that is there is in conflict, and nothing is left behind. */
export function mdevctlDevices(fleet: () => Promise<GuestFleet>, host: string): Record<string, Case> {
  return {
    'random devices, ours and others, are active to mdevctl as `get devices --output mdevctl` shows them':
      async () => activeAlike(await fleet(), host),
  };
}
