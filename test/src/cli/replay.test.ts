/**
 * `replay`, from the stream, journals and exports: the same answers.
 */
import { mkdirSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { parseManifests } from '../../../src/declare/manifest.ts';
import { EXIT } from '../../../src/exit.ts';
import { writeExport } from '../../../store/journal/export.ts';
import { chain, timeAt } from '../../store/past/chain.ts';
import { runInProcess } from './in-process.ts';
import { A, everywhere as askEverywhere, claim, makeFleet, OTHER, UUID } from './past-fleet.ts';
import type { PastWorld } from './past-world.ts';

let world: PastWorld;
beforeAll(async () => {
  world = await makeFleet();
});
afterAll(() => world.remove());

const everywhere = (...args: readonly string[]) => askEverywhere(world, args);

describe('replay', () => {
  /** What each place answers, which must be the same. */
  async function replayed(...args: readonly string[]): Promise<readonly string[]> {
    const [stream = [], journal, file] = await everywhere('replay', ...args);
    expect(journal).toEqual(stream);
    expect(file).toEqual(stream);
    return stream;
  }

  test('by time: each host then, and how far it is known', async () => {
    const lines = await replayed('--at', timeAt(30));
    expect(lines.slice(1, 3)).toEqual([
      expect.stringMatching(/^host-a +7 .* record 8 at /),
      expect.stringMatching(/^host-b +3 .* record 4 at /),
    ]);
    expect(lines.slice(5)).toEqual([
      expect.stringMatching(/^host-a .*mtty-1 +ready/),
      expect.stringMatching(/^host-b .*mtty-1 +waiting/),
    ]);
  });

  test('for programs: one document', async () => {
    const { hosts, devices } = JSON.parse((await replayed('--json')).join('\n'));
    expect(hosts).toMatchObject([
      { host: 'host-a', seq: 10, next: null, fault: null, paused: null },
      { host: 'host-b', seq: 5 },
    ]);
    expect(devices.map((row: { state: string }) => row.state)).toEqual(['releasing', 'conflict', 'waiting']);
    expect(JSON.parse((await replayed('--json', '--at', timeAt(-9))).join(''))).toMatchObject({
      devices: [],
    });
  });

  test("by a declaration: right after its record, and the others' states at that time", async () => {
    const { hosts } = JSON.parse((await replayed('--json', '--at', '1/2')).join('\n'));
    expect(hosts).toMatchObject([
      { host: 'host-a', seq: 7 },
      { host: 'host-b', seq: 3, next: { seq: 4 } },
    ]);
  });

  test('by number, of one host', async () => {
    const { hosts } = JSON.parse((await replayed('--json', '--at', '4', '--host', 'host-a')).join('\n'));
    expect(hosts).toMatchObject([{ host: 'host-a', seq: 4 }]);
  });

  test('as a manifest that says what was declared, labels and all', async () => {
    const text = (await everywhere('replay', '--manifest', '--at', timeAt(45), '--host', 'host-a'))[0] ?? [];
    const read = parseManifests([{ name: 'then', text: text.join('\n') }]);
    expect(read).toMatchObject({
      kind: 'valid',
      devices: [{ set: 'desktops', device: { uuid: UUID, ...claim('host-a'), labels: { team: 'blue' } } }],
    });
    const { stdout, stderr } = await runInProcess(['replay', '--manifest', '--data', world.data]);
    expect(stderr).toContain('without-a-set');
    expect(parseManifests([{ name: 'now', text: stdout }])).toMatchObject({
      kind: 'valid',
      devices: [
        { set: 'desktops', device: { uuid: OTHER } },
        { set: 'without-a-set', device: { uuid: UUID } },
      ],
    });
  });

  test('of two moments: what changed, and by whom', async () => {
    const changes = JSON.parse((await replayed('--diff', timeAt(29), timeAt(50), '--json')).join('\n'));
    expect(changes).toMatchObject([
      {
        host: 'host-a',
        uuid: UUID,
        before: [{ state: 'ready' }],
        by: [{ source: 'alice', what: 'withdrawn' }],
      },
      { host: 'host-b', uuid: UUID, before: [], after: [{ state: 'conflict' }], by: [{ source: 'bob' }] },
      { host: 'host-b', uuid: OTHER, before: [], by: [{ source: 'carol' }] },
    ]);
    const [, first] = await replayed('--diff', timeAt(29), timeAt(50));
    expect(first).toMatch(/ready: mtty-1 on mtty @1\/1 +releasing: .* +withdrawn by alice \(claimed\) at /);
  });

  test('of a journal that does not follow shows what does', async () => {
    const broken = join(world.data, 'broken.ndjson');
    const records = chain('host-a', 'ja', A).filter(({ seq }) => seq !== 5);
    await writeExport(broken, records);
    const { status, stdout, stderr } = await runInProcess(['replay', '--from', broken]);
    expect({ status, stderr }).toMatchObject({
      status: EXIT.damaged,
      stderr: expect.stringContaining('host-a: record 5 is missing'),
    });
    expect(stdout).toMatch(/host-a +4 .*record 5 is missing/);
  });

  test.each([
    [['--at', 'tuesday'], EXIT.usage, '2026-01-31T14:05:00Z'],
    [['--at', '4'], EXIT.refused, '--host'],
    [['--at', '1/77'], EXIT.input, 'no host has recorded it'],
    [['--diff', '4'], EXIT.usage, 'two moments'],
    [['--diff', timeAt(30), timeAt(20)], EXIT.usage, 'earlier moment first'],
    [['--check', '--manifest'], EXIT.usage, 'one of them'],
    [['--check'], EXIT.usage, '--from journal'],
    [['4'], EXIT.usage, '--at'],
  ])('%j is refused', async (flags, status, says) => {
    const ran = await runInProcess(['replay', '--data', world.data, ...flags]);
    expect(ran).toMatchObject({ status, stderr: expect.stringContaining(says) });
  });
});

describe('replay --check', () => {
  const check = (sysfs: string) =>
    runInProcess([
      'replay',
      '--check',
      '--data',
      world.data,
      '--from',
      'journal',
      '--host',
      'host-a',
      '--sysfs',
      sysfs,
    ]);

  /** A sysfs with these devices, as far as a look goes. */
  function sysfsWith(name: string, devices: Readonly<Record<string, string>>): string {
    const root = join(world.data, name);
    const bus = join(root, 'bus', 'mdev', 'devices');
    mkdirSync(bus, { recursive: true });
    mkdirSync(join(root, 'class'));
    for (const [uuid, type] of Object.entries(devices)) {
      const folder = join(root, 'devices', 'mtty', uuid);
      mkdirSync(folder, { recursive: true });
      mkdirSync(join(root, 'types', type), { recursive: true });
      symlinkSync(join(root, 'types', type), join(folder, 'mdev_type'));
      symlinkSync(folder, join(bus, uuid));
    }
    return root;
  }

  test('finds a machine that is as the journal says, and one that is not', async () => {
    const same = await check(sysfsWith('same', {}));
    expect(same).toMatchObject({ status: EXIT.ok, stdout: expect.stringContaining('as 10 records say') });
    const other = await check(sysfsWith('other', { [OTHER]: 'mtty-2' }));
    expect(other).toMatchObject({ status: EXIT.changes, stdout: expect.stringContaining('mtty-2 on mtty') });
    expect(await check(join(world.data, 'nowhere'))).toMatchObject({ status: EXIT.host });
  });
});
