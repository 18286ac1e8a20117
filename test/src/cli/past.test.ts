/**
 * The verbs that answer from the past, each from the stream, a journal and an export.
 */
import { mkdirSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Fact } from '../../../events/fact.ts';
import { EXIT } from '../../../src/exit.ts';
import { parseManifests } from '../../../src/manifest.ts';
import { writeExport } from '../../../store/journal/export.ts';
import { chain, type Timed, timeAt } from '../../store/past/chain.ts';
import { runInProcess } from './in-process.ts';
import { type HostJournal, makePast, type PastWorld } from './past-world.ts';
import { mdevfleet } from './run.ts';

const UUID = '5d3c7e0a-2f51-4b1e-9a44-000000000001';
const OTHER = '5d3c7e0a-2f51-4b1e-9a44-000000000002';
const ESCAPE = '\u001b[2J';

function event(n: number, source: string) {
  return { id: `event-${n}`, source, time: timeAt(n) };
}

function claim(host: string) {
  return { host, parent: 'mtty', type: 'mtty-1' };
}

function declared(host: string, n: number, source: string, more: object = {}): Fact {
  return {
    ...{ kind: 'declared', v: 1, uuid: UUID, generation: { epoch: 1, sequence: n }, event: event(n, source) },
    ...{ desired: 'present', claim: claim(host), attributes: [], labels: { team: 'blue' }, set: 'desktops' },
    ...{ replaces: null, outcome: 'claimed', ...more },
  } as Fact;
}

const at = (n: number) => ({ v: 1, uuid: UUID, generation: { epoch: 1, sequence: n } }) as const;

const A: readonly Timed[] = [
  [10, { kind: 'started', v: 1, software: 'test', kernel: '6.1' }],
  [20, declared('host-a', 1, 'alice')],
  [21, { kind: 'claiming', ...at(1), claim: claim('host-a') }],
  [22, { kind: 'reserved', ...at(1), revision: 5 }],
  [23, { kind: 'waiting', ...at(1), reason: 'NoCapacity', message: `no ${ESCAPE}room`, errno: 28 }],
  [24, { kind: 'active', ...at(1), how: 'created' }],
  [
    50,
    {
      ...declared('host-a', 9, 'alice', {
        outcome: 'withdrawn',
        desired: 'absent',
        claim: null,
        labels: {},
        set: null,
      }),
    },
  ],
  [51, { kind: 'teleported', v: 7, uuid: UUID, to: 'elsewhere' } as unknown as Fact],
  [52, { kind: 'releasing', ...at(9), cause: 'Withdrawn' }],
];

const B: readonly Timed[] = [
  [11, { kind: 'started', v: 1, software: 'test', kernel: '6.1' }],
  [30, declared('host-b', 2, 'bob', { set: null })],
  [
    31,
    {
      ...{
        kind: 'conflict',
        ...at(2),
        claim: claim('host-b'),
        reason: 'UuidHeld',
        message: 'held by host-a',
      },
      holder: { claim: claim('host-a'), phase: 'held', since: timeAt(22) },
    },
  ],
  [40, { ...declared('host-b', 3, 'carol'), uuid: OTHER } as Fact],
];

const JOURNALS: readonly HostJournal[] = [
  { host: 'host-a', journal: 'ja', records: chain('host-a', 'ja', A) },
  { host: 'host-b', journal: 'jb', records: chain('host-b', 'jb', B) },
];

let world: PastWorld;
beforeAll(async () => {
  const data = { uuid: UUID, host: 'host-c', parent: 'mtty', type: 'mtty-2' };
  world = await makePast(JOURNALS, [{ desired: 'present', event: event(60, 'dave'), data }]);
});
afterAll(() => world.remove());

/** The flags of each place where the past is. */
function places(): readonly (readonly string[])[] {
  const files = JOURNALS.flatMap(({ host }) => ['--from', world.exportOf(host)]);
  return [['--data', world.data], ['--data', world.data, '--from', 'journal'], files];
}

/** What the program printed at each place, as lines. */
async function everywhere(...args: readonly string[]): Promise<readonly (readonly string[])[]> {
  const answers: (readonly string[])[] = [];
  for (const place of places()) {
    const { status, stdout, stderr } = await runInProcess([...args, ...place]);
    expect({ status, stderr }).toEqual({ status: EXIT.ok, stderr: '' });
    answers.push(stdout.split('\n').slice(0, -1));
  }
  return answers;
}

describe('history', () => {
  test('is what all hosts know of a device, in order: who, why, and both sides of a conflict', async () => {
    const [stream = [], journal = [], file] = await everywhere('history', UUID);
    expect(file).toEqual(journal);
    expect(journal.map((line) => line.split(/ {2,}/).slice(1, 6).join(' '))).toEqual([
      'HOST SEQ GENERATION WHO ERRNO',
      'host-a 3 1/1 alice -',
      'host-a 4 1/1 agent, for alice -',
      'host-a 5 1/1 agent, for alice -',
      'host-a 6 1/1 agent, for alice ENOSPC (28)',
      'host-a 7 1/1 agent, for alice -',
      'host-b 3 1/2 bob -',
      'host-b 4 1/2 agent, for bob -',
      'host-a 8 1/9 alice -',
      'host-a 9 - agent -',
      'host-a 10 1/9 agent, for alice -',
    ]);
    expect(journal[7]).toContain(
      '[asked for: mtty-1 on mtty of host-b; held: mtty-1 on mtty of host-a, since',
    );
    expect(stream.map((line) => line.replaceAll(/ +/g, ' ')).slice(0, -1)).toEqual(
      journal.map((line) => line.replaceAll(/ +/g, ' ')),
    );
    expect(stream.at(-1)).toMatch(
      /host-c +- +-\/1 +dave +- +declared: mtty-2 on mtty; not read by the host yet$/,
    );
  });

  test('for programs is the records themselves, and what was not read', async () => {
    const { stdout } = await runInProcess([
      'history',
      UUID,
      '--data',
      world.data,
      '--json',
      '--host',
      'host-c',
    ]);
    expect(JSON.parse(stdout)).toMatchObject({
      host: 'host-c',
      unread: { declaration: { desired: 'present' } },
    });
  });

  test('of a device that nobody knows', async () => {
    const nobody = UUID.replace('1', '9');
    for (const lines of await everywhere('history', nobody))
      expect(lines).toEqual([`nothing is known of ${nobody}`]);
  });
});

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
    expect(first).toMatch(/ready: mtty-1 on mtty @1\/1 +releasing: .* +alice \(withdrawn, /);
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

describe('log', () => {
  test('tells every record once, as its very bytes', async () => {
    const expected = JOURNALS.flatMap(({ host, journal, records }) =>
      records.map(({ hash, bytes }) => {
        const record = new TextDecoder().decode(bytes);
        return `{"host":"${host}","journal":"${journal}","hash":"${hash}","record":${record}}`;
      }),
    );
    const [stream = [], journal = [], file] = await everywhere('log', '--json');
    expect([...stream].sort()).toEqual([...expected].sort());
    expect([...journal].sort()).toEqual([...expected].sort());
    expect(file).toEqual(journal);
    expect(JSON.parse(journal[2] ?? '')).toMatchObject({ record: { time: timeAt(10) } });
  });

  test('by host, device, kind and time; what is unknown is shown, and escapes nothing', async () => {
    const flags = ['--uuid', UUID, '--since', timeAt(23), '--until', timeAt(51), '--host', 'host-a'];
    for (const lines of await everywhere('log', ...flags)) {
      const [header, ...rest] = lines;
      expect(header).toMatch(/^TIME +HOST +SEQ +KIND +UUID +GENERATION +WHO +ERRNO +WHY$/);
      expect(rest).toHaveLength(4);
      expect(rest[0]).toMatch(/host-a +6 +waiting .* 1\/1 +- +ENOSPC \(28\) +waiting, NoCapacity: no room$/);
      expect(rest[2]).toMatch(/declared .* 1\/9 +alice .* withdrawn$/);
      expect(rest[3]).toMatch(/teleported v7, of a newer program: \{"to":"elsewhere"\}$/);
    }
  });

  test('of one kind; a kind that nobody knows is pointed out', async () => {
    const { status, stdout, stderr } = await runInProcess([
      'log',
      '--data',
      world.data,
      '--kind',
      'conflcit',
    ]);
    expect({ status, lines: stdout.split('\n').length }).toEqual({ status: EXIT.ok, lines: 2 });
    expect(stderr).toContain('did you mean conflict?');
  });

  test('of a journal, by a process that can be spared', async () => {
    const flags = ['--data', world.data, '--from', 'journal', '--host', 'host-b', '--kind', 'conflict'];
    const { status, stdout } = await mdevfleet(['log', ...flags]);
    expect(status).toBe(EXIT.ok);
    expect(stdout).toContain(
      'held by host-a [asked for: mtty-1 on mtty of host-b; held: mtty-1 on mtty of host-a',
    );
    expect((await mdevfleet(['log', ...flags, '--since', 'x'])).status).toBe(EXIT.usage);
  });

  test.each([
    [['--since', 'tuesday'], EXIT.usage, 'RFC 3339'],
    [['--from', 'journal', '--host', 'host-z'], EXIT.usage, 'there is none'],
    [['--from', '/nowhere.ndjson'], EXIT.input, 'mdevfleet export'],
    [['--from', 'stream', '--from', 'journal'], EXIT.usage, 'cannot be read as one'],
    [['--from', import.meta.filename], EXIT.damaged, 'record 1'],
  ])('%j is refused', async (flags, status, says) => {
    const ran = await runInProcess(['log', '--data', world.data, ...flags]);
    expect(ran).toMatchObject({ status, stderr: expect.stringContaining(says) });
  });
});
