/**
 * From a declaration on a real server to devices on two hosts and back: agents are processes, and servers die.
 *
 * The tests of one server version are chapters of one story, each standing on the one before.
 */
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { EXIT } from '../../src/exit.ts';
import { readIdentity } from '../../store/journal/group-commit.ts';
import type { JournalIdentity } from '../../store/journal/journal.ts';
import { verifyJournal } from '../../store/journal/verify.ts';
import type { NatsServerVersion } from '../../tools/nats-server.ts';
import { mdevfleet } from '../src/cli/run.ts';
import { hashesOf, withJournal } from './journal-on-disk.ts';
import { type HostName, TwoHosts } from './two-hosts.ts';
import { withoutRepeats } from './witness.ts';

const APPLIED = '7a000000-0000-4000-8000-000000000001';
const PUBLISHED = '7a000000-0000-4000-8000-000000000002';
const AFTER_JUNK = '7a000000-0000-4000-8000-000000000003';
const MISSED = '7a000000-0000-4000-8000-000000000004';
const CORDONED = '7a000000-0000-4000-8000-000000000006';
const ADOPTED = '7a000000-0000-4000-8000-000000000005';

const MANIFEST = `
apiVersion: mdevfleet.io/v1
kind: DeviceSet
metadata: {name: e2e}
devices:
  - {uuid: ${APPLIED}, host: host-a, parent: mtty, type: mtty-1}
`;

/** An event as anybody may write it by hand. */
function present(host: HostName, uuid: string): string {
  return JSON.stringify({
    specversion: '1.0',
    id: `by-hand-${host}-${uuid}`,
    source: 'somebody',
    type: 'io.mdevfleet.device.present.v1',
    time: '2026-01-02T03:04:05Z',
    subject: `${host}/${uuid}`,
    datacontenttype: 'application/json',
    data: { uuid, host, parent: 'mtty', type: 'mtty-1' },
  });
}

describe.each<NatsServerVersion>(['newest', 'least'])('two hosts on the %s server', (version) => {
  let fleet: TwoHosts;
  beforeAll(async () => {
    fleet = await TwoHosts.open({ version });
    await fleet.startAgent('host-a');
    await fleet.startAgent('host-b');
  });
  afterAll(() => fleet.close());

  const declare = (host: HostName, uuid: string) =>
    fleet.publish(`mdev.desired.${host}.${uuid}`, present(host, uuid));

  test('an event of any NATS client counts as much as one of apply', async () => {
    await fleet.run(['apply', '-f', '-'], MANIFEST);
    await declare('host-a', PUBLISHED);
    const {
      generation: _one,
      uuid: _first,
      set,
      ...applied
    } = await fleet.witness.untilState('host-a', APPLIED, 'ready');
    const {
      generation: _two,
      uuid: _second,
      ...published
    } = await fleet.witness.untilState('host-a', PUBLISHED, 'ready');
    expect(set).toBe('e2e');
    expect(published).toEqual({ ...applied, set: null });
    expect(fleet.devices('host-a')).toEqual([APPLIED, PUBLISHED]);
  });

  test('an event that does not parse is recorded as rejected, and the next one is taken', async () => {
    await fleet.publish(`mdev.desired.host-a.${AFTER_JUNK}`, '{"specversion": "1.0"');
    await declare('host-a', AFTER_JUNK);
    await fleet.witness.untilState('host-a', AFTER_JUNK, 'ready');
    const rejected = await fleet.witness.untilFact('host-a', 'rejected');
    expect(rejected.fact).toMatchObject({ reason: 'not JSON in UTF-8', excerpt: '{"specversion": "1.0"' });
  });

  test('a UUID that another host holds ends in a conflict that names the holder', async () => {
    await declare('host-b', APPLIED);
    const row = await fleet.witness.untilState('host-b', APPLIED, 'conflict');
    expect(row).toMatchObject({
      reason: 'UuidHeld',
      message: expect.stringContaining('held by host host-a'),
    });
    expect(fleet.devices('host-b')).toEqual([]);
    expect(fleet.devices('host-a')).toContain(APPLIED);
  });

  test('once the holder has given it back, retry makes it ready', async () => {
    await fleet.run(['delete', '--host', 'host-a', APPLIED]);
    await fleet.witness.untilFact('host-a', 'gone', { uuid: APPLIED });
    expect(fleet.witness.rows('host-b')).toMatchObject([{ uuid: APPLIED, state: 'conflict' }]);
    await fleet.run(['retry', '--host', 'host-b', APPLIED]);
    await fleet.witness.untilState('host-b', APPLIED, 'ready');
    expect(fleet.devices('host-a')).toEqual([PUBLISHED, AFTER_JUNK]);
    expect(fleet.devices('host-b')).toEqual([APPLIED]);
  });

  test('a device that nobody declared is adopted, and not touched', async () => {
    const made = await fleet.kernel('host-b').create(ADOPTED, { parent: 'mtty', type: 'mtty-1' });
    expect(made).toEqual({ kind: 'ok' });
    await fleet.witness.untilState('host-b', ADOPTED, 'unmanaged');
    await fleet.run(['adopt', ADOPTED, '--wait']);
    const active = await fleet.witness.untilFact('host-b', 'active', { uuid: ADOPTED });
    expect(active.fact).toMatchObject({ how: 'adopted' });
    await fleet.run(['delete', ADOPTED]);
    await fleet.witness.untilFact('host-b', 'gone', { uuid: ADOPTED });
  });

  test('a cordoned parent gets nothing new until it is uncordoned', async () => {
    await fleet.run(['cordon', 'host-b', 'mtty']);
    await fleet.witness.untilFact('host-b', 'cordoned');
    await declare('host-b', CORDONED);
    const kept = await fleet.witness.untilState('host-b', CORDONED, 'waiting', { reason: 'Cordoned' });
    expect(kept.message).toContain('parent mtty was cordoned by ');
    await fleet.run(['uncordon', 'host-b']);
    await fleet.witness.untilState('host-b', CORDONED, 'ready');
    await fleet.run(['delete', CORDONED]);
    await fleet.witness.untilFact('host-b', 'gone', { uuid: CORDONED });
  });

  test('another journal in the name of a host is refused, and told of both', async () => {
    const other = fleet
      .flags('host-b', join(fleet.dir, 'other'))
      .filter((flag) => !flag.startsWith('--simulate'));
    const { status, stderr } = await mdevfleet(['agent', ...other, '--simulate']);
    expect(status).toBe(EXIT.foreign);
    const { journal: first } = await genesisOf('host-b', fleet.dataOf('host-b'));
    const { journal: second } = await genesisOf('host-b', join(fleet.dir, 'other'));
    expect(stderr).toContain(first);
    expect(stderr).toContain(second);
  });

  test('a server that dies takes nothing with it, and agents go on without', async () => {
    const drifts = fleet.witness.facts.length;
    fleet.agent('host-b').pause();
    await declare('host-b', MISSED);
    await fleet.server.kill('SIGKILL');
    fleet.agent('host-b').resume();
    await fleet.kernel('host-a').remove(PUBLISHED);
    expect(fleet.devices('host-a')).toEqual([AFTER_JUNK]);
    await expect.poll(() => fleet.devices('host-a'), { timeout: 30_000 }).toEqual([PUBLISHED, AFTER_JUNK]);
    expect(fleet.devices('host-b')).toEqual([APPLIED]);
    await fleet.server.restart();
    await fleet.witness.untilState('host-b', MISSED, 'ready');
    await fleet.witness.untilFact('host-a', 'drift', { since: drifts, uuid: PUBLISHED });
    await fleet.witness.untilState('host-a', PUBLISHED, 'ready');
  });

  test('agents that are asked to stop leave nothing unforwarded', async () => {
    for (const host of ['host-a', 'host-b'] as const) {
      expect(await fleet.agent(host).stop()).toBe(EXIT.ok);
      await expectWitnessed(host);
    }
  });

  test('an agent that starts while no server is there brings its devices back, and links up later', async () => {
    await fleet.server.kill('SIGKILL');
    fleet.kernel('host-a').reboot();
    const since = fleet.witness.facts.length;
    await fleet.startAgent('host-a');
    await expect.poll(() => fleet.devices('host-a'), { timeout: 30_000 }).toEqual([PUBLISHED, AFTER_JUNK]);
    await fleet.server.restart();
    const drift = await fleet.witness.untilFact('host-a', 'drift', { since, uuid: PUBLISHED });
    expect(drift.fact).toMatchObject({ cause: 'Rebooted' });
    await fleet.witness.untilFact('host-a', 'incarnated', { since });
    await fleet.witness.untilState('host-a', PUBLISHED, 'ready');
    expect(await fleet.agent('host-a').stop()).toBe(EXIT.ok);
    await expectWitnessed('host-a');
  });

  /** The agent has stopped: its journal is whole, and the stream has the same. */
  async function expectWitnessed(host: HostName): Promise<void> {
    await fleet.witness.look();
    const stream = withoutRepeats(fleet.witness.facts, host);
    expect(stream.at(-1)?.fact.kind).toBe('stopped');
    await withJournal(fleet.dataOf(host), host, (storage) => {
      expect(verifyJournal(storage)).toMatchObject({ kind: 'sound' });
      expect(stream.map(({ seq, hash }) => ({ seq, hash }))).toEqual(hashesOf(storage));
    });
  }
});

function genesisOf(host: HostName, data: string): Promise<JournalIdentity> {
  return withJournal(data, host, readIdentity);
}
