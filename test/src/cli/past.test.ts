/**
 * `history` and `log`, each from the stream, journals and exports.
 */
import { statSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { nkeys } from 'nats';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { EXIT } from '../../../src/exit.ts';
import { timeAt } from '../../store/past/chain.ts';
import { runInProcess } from './in-process.ts';
import { everywhere as askEverywhere, JOURNALS, makeFleet, UUID } from './past-fleet.ts';
import type { PastWorld } from './past-world.ts';
import { mdevfleet } from './run.ts';

let world: PastWorld;
beforeAll(async () => {
  world = await makeFleet();
});
afterAll(() => world.remove());

const everywhere = (...args: readonly string[]) => askEverywhere(world, args);

describe('history', () => {
  test('is what all hosts know of a device, in order: who, why, and both sides of a conflict', async () => {
    const [stream = [], journal = [], file] = await everywhere('history', UUID);
    expect(file).toEqual(journal);
    expect(journal.map((line) => line.split(/ {2,}/).slice(1, 6).join(' '))).toEqual([
      'HOST SEQ GENERATION WHO ERRNO',
      'host-a 3 1/1 alice (claimed) -',
      'host-a 4 1/1 agent, for alice (claimed) -',
      'host-a 5 1/1 agent, for alice (claimed) -',
      'host-a 6 1/1 agent, for alice (claimed) ENOSPC (28)',
      'host-a 7 1/1 agent, for alice (claimed) -',
      'host-b 3 1/2 bob (claimed) -',
      'host-b 4 1/2 agent, for bob (claimed) -',
      'host-a 8 1/9 alice (claimed) -',
      'host-a 9 - agent -',
      'host-a 10 1/9 agent, for alice (claimed) -',
    ]);
    expect(journal[7]).toContain(
      '[asked for: mtty-1 on mtty of host-b; held: mtty-1 on mtty of host-a, since',
    );
    expect(stream.map((line) => line.replaceAll(/ +/g, ' ')).slice(0, -1)).toEqual(
      journal.map((line) => line.replaceAll(/ +/g, ' ')),
    );
    expect(stream.at(-1)).toMatch(
      /host-c +- +-\/1 +dave \(claimed\) +- +declared: mtty-2 on mtty; not read by the host yet$/,
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

  test('tells who signed, with the key by which the server knows him', async () => {
    const user = nkeys.createUser();
    const file = join(world.data, 'user.nk');
    writeFileSync(file, user.getSeed());
    const at = ['--data', world.data, '--host', 'host-c'];
    expect((await runInProcess(['delete', UUID, ...at, '--nkey', file])).status).toBe(EXIT.ok);
    const { stdout } = await runInProcess(['history', UUID, ...at]);
    expect(stdout).toContain(`(signed by ${user.getPublicKey()})`);
  });

  test('of a device that nobody knows', async () => {
    const nobody = UUID.replace('1', '9');
    for (const lines of await everywhere('history', nobody))
      expect(lines).toEqual([`nothing is known of ${nobody}`]);
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
      expect(rest[2]).toMatch(/declared .* 1\/9 +alice \(claimed\) .* withdrawn$/);
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

  test('of a journal, by a process that can be spared', async () => {
    const flags = ['--data', world.data, '--from', 'journal', '--host', 'host-b', '--kind', 'conflict'];
    const { status, stdout } = await mdevfleet(['log', ...flags]);
    expect(status).toBe(EXIT.ok);
    expect(stdout).toContain(
      'held by host-a [asked for: mtty-1 on mtty of host-b; held: mtty-1 on mtty of host-a',
    );
    const file = join(world.data, 'hosts', 'host-b', 'data.mdb');
    truncateSync(file, statSync(file).size / 2);
    const cut = await mdevfleet(['log', ...flags]);
    expect(cut).toMatchObject({ status: EXIT.damaged, stderr: expect.stringContaining('mdevfleet verify') });
  });
});
