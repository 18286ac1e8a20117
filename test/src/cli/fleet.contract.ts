/**
 * What the verbs that work on a fleet must do, wherever its streams are.
 */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { decodeEvent } from '../../../events/codec.ts';
import type { HostId, Uuid } from '../../../events/names.ts';
import { encodeRecord, NO_RECORD } from '../../../events/record.ts';
import type { Row } from '../../../events/row.ts';
import type { Streams } from '../../../events/stream.ts';
import { formatSubject, parseSubject } from '../../../events/subject.ts';
import { EXIT } from '../../../src/exit.ts';
import type { Registry } from '../../../store/registry/registry.ts';
import { mdevfleet, mdevfleetJson } from './run.ts';

/** A fleet of nobody else: the flags that lead to it, its streams and its registry. */
export type TestFleet = {
  readonly flags: readonly string[];
  readonly streams: Streams;
  readonly registry: Registry;
  close(): Promise<void>;
};

type ManifestDevice = { readonly uuid: Uuid; readonly host: HostId } & Readonly<Record<string, unknown>>;

const TIME = '2026-01-01T00:00:00.000Z';

function uuidOf(index: number): Uuid {
  return `5d3c7e0a-2f51-4b1e-9a44-${String(index).padStart(12, '0')}`;
}

function device(index: number, host: HostId, more: object = {}): ManifestDevice {
  return { uuid: uuidOf(index), host, parent: 'mtty', type: 'mtty-2', ...more };
}

export function testFleetVerbs(name: string, open: () => Promise<TestFleet>): void {
  describe(`the verbs of a fleet: ${name}`, () => {
    let fleet: TestFleet;
    let folder: string;
    const at = () => [...fleet.flags];

    beforeAll(async () => {
      folder = await mkdtemp(join(tmpdir(), 'mdevfleet-cli-'));
      fleet = await open();
    });
    afterAll(async () => {
      await fleet.close();
      await rm(folder, { recursive: true });
    });

    /** Writes a manifest of one set; JSON is YAML, too. */
    async function manifest(set: string, ...devices: readonly ManifestDevice[]): Promise<string> {
      const path = join(folder, `${set}.yaml`);
      const document = { apiVersion: 'mdevfleet.io/v1', kind: 'DeviceSet', metadata: { name: set }, devices };
      await writeFile(path, JSON.stringify(document));
      return path;
    }

    async function last(kind: 'desired' | 'command', host: HostId, uuid: Uuid | null) {
      const subject = formatSubject('mdev', { kind, host, uuid });
      const message = await fleet.streams[kind].last(subject);
      return message === undefined ? undefined : decodeEvent(parseSubject('mdev', subject), message.data);
    }

    /** What a host's agent forwards, with these rows. */
    async function report(host: HostId, uuid: Uuid, rows: readonly Row[]): Promise<void> {
      const record = encodeRecord(
        { seq: 1, time: TIME, boot: 'boot', prev: NO_RECORD },
        { kind: 'unmanaged', v: 1, uuid, device: null },
        rows,
      );
      const subject = formatSubject('mdev', { kind: 'observed', host, uuid });
      await fleet.streams.observed.append({
        subject,
        id: `${host} ${uuid} ${record.hash}`,
        data: record.bytes,
      });
    }

    test('apply publishes what differs, and then nothing', async () => {
      const path = await manifest('first', device(1, 'host-a'), device(2, 'host-b', { labels: { a: 'b' } }));
      const once = await mdevfleet(['apply', ...at(), '-f', path, '--source', 'tests']);
      expect(once.stdout).toContain('2 published, 0 unchanged');
      const again = await mdevfleet(['apply', ...at(), '-f', path]);
      expect(again.stdout).toContain('0 published, 2 unchanged');
      expect(await last('desired', 'host-b', uuidOf(2))).toMatchObject({
        kind: 'declaration',
        declaration: {
          event: { source: 'tests' },
          data: { host: 'host-b', labels: { a: 'b' }, set: 'first' },
        },
      });
    });

    test('apply reads stdin, and many devices at once', async () => {
      const devices = Array.from({ length: 2000 }, (_, index) => device(1000 + index, 'host-many'));
      const document = {
        apiVersion: 'mdevfleet.io/v1',
        kind: 'DeviceSet',
        metadata: { name: 'many' },
        devices,
      };
      const { status, stdout } = await mdevfleet(['apply', ...at(), '-f', '-', '--json'], {
        input: JSON.stringify(document),
      });
      expect(status).toBe(EXIT.ok);
      const changes: { status: string }[] = JSON.parse(stdout);
      expect(changes.filter((one) => one.status === 'published')).toHaveLength(2000);
    });

    test('a move needs --replace, and is then a claim with `replaces` and a withdrawal', async () => {
      await mdevfleetJson(['apply', ...at(), '-f', await manifest('moving', device(10, 'host-a'))]);
      const path = await manifest('moving', device(10, 'host-b'));
      const refused = await mdevfleet(['apply', ...at(), '-f', path]);
      expect(refused).toMatchObject({ status: EXIT.refused, stderr: expect.stringContaining('--replace') });
      expect(await last('desired', 'host-b', uuidOf(10))).toBeUndefined();
      expect(await mdevfleetJson(['apply', ...at(), '-f', path, '--replace'])).toMatchObject([
        { action: 'move', status: 'published', host: 'host-b' },
      ]);
      expect(await last('desired', 'host-b', uuidOf(10))).toMatchObject({
        declaration: { data: { replaces: { host: 'host-a', parent: 'mtty', type: 'mtty-2' } } },
      });
      expect(await last('desired', 'host-a', uuidOf(10))).toMatchObject({
        declaration: { desired: 'absent' },
      });
    });

    test("another set's UUID is published with a warning", async () => {
      await mdevfleetJson(['apply', ...at(), '-f', await manifest('theirs', device(20, 'host-a'))]);
      const path = await manifest('ours', device(20, 'host-b'));
      const { status, stderr } = await mdevfleet(['apply', ...at(), '-f', path]);
      expect(status).toBe(EXIT.ok);
      expect(stderr).toContain('warning: ');
      expect(stderr).toContain('set theirs on host host-a');
      const unclear = await mdevfleet(['delete', ...at(), uuidOf(20)]);
      expect(unclear).toMatchObject({ status: EXIT.refused, stderr: expect.stringContaining('--host') });
      expect(unclear.stderr).toContain('host-a, host-b');
      expect(await mdevfleetJson(['delete', ...at(), uuidOf(20), '--host', 'host-b'])).toMatchObject([
        { action: 'withdraw', status: 'published', host: 'host-b' },
      ]);
      expect(await last('desired', 'host-a', uuidOf(20))).toMatchObject({
        declaration: { desired: 'present' },
      });
    });

    test('delete finds the host, and says when nothing is left to do', async () => {
      await mdevfleetJson(['apply', ...at(), '-f', await manifest('deleted', device(30, 'host-a'))]);
      expect(await mdevfleetJson(['delete', ...at(), uuidOf(30)])).toMatchObject([
        { host: 'host-a', status: 'published' },
      ]);
      expect(await mdevfleetJson(['delete', ...at(), uuidOf(30)])).toMatchObject([
        { host: 'host-a', status: 'unchanged' },
      ]);
      const unknown = await mdevfleet(['delete', ...at(), uuidOf(39)]);
      expect(unknown).toMatchObject({
        status: EXIT.refused,
        stderr: expect.stringContaining('declared on no host'),
      });
    });

    test("delete -f withdraws what the manifest's set declared, and nobody else's", async () => {
      await mdevfleetJson(['apply', ...at(), '-f', await manifest('by-file', device(40, 'host-a'))]);
      await mdevfleetJson(['apply', ...at(), '-f', await manifest('not-by-file', device(41, 'host-a'))]);
      const path = await manifest('by-file', device(40, 'host-a'), device(41, 'host-a'));
      const { status, stdout, stderr } = await mdevfleet(['delete', ...at(), '-f', path]);
      expect(status).toBe(EXIT.ok);
      expect(stdout).toContain('1 published');
      expect(stderr).toContain(`host-a/${uuidOf(41)} is left alone: it is declared by set not-by-file`);
    });

    test('retry is a command for the host that the UUID is declared on', async () => {
      await mdevfleetJson(['apply', ...at(), '-f', await manifest('retried', device(50, 'host-a'))]);
      const { status, stdout } = await mdevfleet(['retry', ...at(), uuidOf(50)]);
      expect(status).toBe(EXIT.ok);
      expect(stdout).toContain('asked host host-a');
      expect(await last('command', 'host-a', uuidOf(50))).toMatchObject({
        kind: 'command',
        command: { command: 'retry', data: { uuid: uuidOf(50) } },
      });
    });

    test('pause and resume are commands for whole hosts; a host that nobody knows is pointed out', async () => {
      await mdevfleetJson(['apply', ...at(), '-f', await manifest('paused', device(51, 'host-paused'))]);
      const paused = await mdevfleet(['pause', ...at(), 'host-paused', 'host-pausd']);
      expect(paused).toMatchObject({ status: EXIT.ok, stdout: expect.stringContaining('change nothing') });
      expect(paused.stderr).toContain('did you mean host-paused?');
      expect(paused.stderr).not.toContain('by host host-paused');
      expect(await last('command', 'host-paused', null)).toMatchObject({ command: { command: 'pause' } });
      expect(await mdevfleetJson(['resume', ...at(), 'host-paused'])).toEqual([
        { host: 'host-paused', command: 'resume' },
      ]);
      expect(await last('command', 'host-paused', null)).toMatchObject({
        command: { command: 'resume', data: { host: 'host-paused' } },
      });
      expect(await mdevfleet(['pause', ...at(), 'Host A'])).toMatchObject({ status: EXIT.usage });
    });

    test('get devices shows what hosts reported, and what they did not report on', async () => {
      const path = await manifest('shown', device(60, 'host-shown'), device(61, 'host-shown'));
      await mdevfleetJson(['apply', ...at(), '-f', path]);
      const subject = formatSubject('mdev', { kind: 'desired', host: 'host-shown', uuid: uuidOf(60) });
      const sequence = (await fleet.streams.desired.last(subject))?.sequence ?? 0;
      const row: Row = {
        ...{ uuid: uuidOf(60), host: 'host-shown', parent: 'mtty', type: 'mtty-2', state: 'failed' },
        ...{ reason: 'InvalidArgument', message: 'no \u001b[2Jsuch\nthing', attributes: [], set: 'shown' },
        generation: { epoch: 1, sequence },
      };
      await report('host-shown', uuidOf(60), [row]);
      const shown = ['get', 'devices', ...at(), '--host', 'host-shown'];
      expect(await mdevfleetJson(shown)).toEqual([
        row,
        expect.objectContaining({
          uuid: uuidOf(61),
          state: 'waiting',
          reason: 'NotReported',
          generation: null,
        }),
      ]);
      expect(await mdevfleetJson([...shown, '--state', 'failed'])).toEqual([row]);
      const { stdout } = await mdevfleet([...shown, '--state', 'failed']);
      expect(stdout).toMatch(/^HOST +UUID +PARENT +TYPE +STATE +REASON +MESSAGE\n/);
      expect(stdout).toContain('failed  InvalidArgument  no such thing\n');
    });

    /** What a host's agent forwards of what it offers: two parents with room for four devices each. */
    async function offer(host: HostId, labels: Readonly<Record<string, string>> = {}): Promise<void> {
      const types = [{ id: 'nvidia-222', capacity: 4 }];
      const record = encodeRecord(
        { seq: 1, time: TIME, boot: 'boot', prev: NO_RECORD },
        {
          ...{ kind: 'inventory', v: 1, kernel: '6.12.0', labels, omitted: 0 },
          types: [{ id: 'nvidia-222', name: 'NVIDIA T4-1B', api: 'vfio-pci' }],
          parents: ['gpu0', 'gpu1'].map((name) => ({ name, driver: 'nvidia', types })),
        },
      );
      const subject = formatSubject('mdev', { kind: 'observed', host, uuid: null, topic: 'inventory' });
      await fleet.streams.observed.append({ subject, id: record.hash, data: record.bytes });
    }

    test('get hosts, parents and types show what hosts offer, in each form', async () => {
      await offer('host-offers', { gpu: 'true' });
      const ours = [...at(), '--host', 'host-offers'];
      const hosts = await mdevfleet(['get', 'hosts', ...at()]);
      expect(hosts.stdout).toMatch(/^HOST +KERNEL +LABELS +PARENTS +DEVICES +READY\n/);
      expect(hosts.stdout).toMatch(/^host-offers +6.12.0 +gpu=true +2 +0 +0$/m);
      expect(await mdevfleetJson(['get', 'parents', ...ours])).toMatchObject([
        { parent: 'gpu0', driver: 'nvidia', taken: 0, types: [{ type: 'nvidia-222', capacity: 4, free: 4 }] },
        { parent: 'gpu1' },
      ]);
      const wide = await mdevfleet(['get', 'types', ...ours, '--type', 'NVIDIA T4-1B', '-o', 'wide']);
      expect(wide.stdout).toMatch(/^nvidia-222 +NVIDIA T4-1B +1 +2 +8 +0 +8 +vfio-pci$/m);
      const yaml = await mdevfleet(['get', 'types', ...ours, '-o', 'yaml']);
      expect(yaml.stdout).toMatch(/^- type: nvidia-222\n {2}name: NVIDIA T4-1B\n/);
      expect((await mdevfleet(['get', 'types', ...ours, '--type', 'none'])).stdout).toBe('no types\n');
    });

    test('a pool is planned, applied, and pruned when it shrinks', async () => {
      await offer('host-pool', { pool: 'yes' });
      const pool = async (count: number) => {
        const hosts = { labels: { pool: 'yes' } };
        const pools = [{ name: 'desks', count, type: 'NVIDIA T4-1B', hosts }];
        const path = join(await mkdtemp(join(folder, 'pool-')), 'pool.json');
        const head = { apiVersion: 'mdevfleet.io/v1', kind: 'DeviceSet', metadata: { name: 'pooled' } };
        await writeFile(path, JSON.stringify({ ...head, pools }));
        return ['-f', dirname(path)];
      };
      const three = await pool(3);
      const planned = await mdevfleet(['plan', ...at(), ...three]);
      expect(planned).toMatchObject({ status: EXIT.changes, stderr: '' });
      expect(planned.stdout).toMatch(
        /^declare +[0-9a-f-]{36} +host-pool +gpu0 +nvidia-222 +pooled +is not declared yet$/m,
      );
      expect(planned.stdout).toMatch(/^host-pool +gpu0 +nvidia-222 +4 +4 +2$/m);
      expect(await mdevfleetJson(['apply', ...at(), ...three])).toHaveLength(3);
      expect((await mdevfleet(['diff', ...at(), ...three])).status).toBe(EXIT.ok);
      const two = [...(await pool(2)), '--prune'];
      const refused = await mdevfleet(['apply', ...at(), ...two, '--max-removals', '10%']);
      expect(refused).toMatchObject({
        status: EXIT.refused,
        stderr: expect.stringContaining('--max-removals 1'),
      });
      const dry = await mdevfleet(['apply', ...at(), ...two, '--dry-run']);
      expect(dry.stdout).toContain('1 to change, 1 of them disruptive (!), 2 unchanged');
      const pruned = await mdevfleetJson(['apply', ...at(), ...two]);
      expect(pruned).toMatchObject([{}, {}, { action: 'withdraw', status: 'published' }]);
    });

    test("another set's device is taken only when that is asked for", async () => {
      await mdevfleetJson(['apply', ...at(), '-f', await manifest('owner', device(80, 'host-a'))]);
      const path = await manifest('taker', device(80, 'host-a'));
      expect(await mdevfleet(['apply', ...at(), '-f', path])).toMatchObject({
        status: EXIT.refused,
        stderr: expect.stringContaining('--take-over'),
      });
      const taken = await mdevfleetJson(['apply', ...at(), '-f', path, '--take-over']);
      expect(taken).toMatchObject([{ action: 'update', status: 'published', set: 'taker' }]);
    });

    test('apply --wait ends when devices are as declared, cannot be, or the time is over', async () => {
      const path = await manifest('awaited', device(90, 'host-awaited'));
      const wait = ['apply', ...at(), '-f', path, '--wait'];
      const late = await mdevfleet([...wait, '--timeout', '0s']);
      expect(late).toMatchObject({ status: EXIT.timeout, stdout: expect.stringContaining('NotReported') });
      const subject = formatSubject('mdev', { kind: 'desired', host: 'host-awaited', uuid: uuidOf(90) });
      const sequence = (await fleet.streams.desired.last(subject))?.sequence ?? 0;
      const row: Row = {
        ...{ uuid: uuidOf(90), host: 'host-awaited', parent: 'mtty', type: 'mtty-2', state: 'failed' },
        ...{ reason: 'InvalidArgument', message: 'refused', attributes: [], set: 'awaited' },
        generation: { epoch: 1, sequence },
      };
      await report('host-awaited', uuidOf(90), [row]);
      const failed = await mdevfleet(wait);
      expect(failed).toMatchObject({
        status: EXIT.terminal,
        stdout: expect.stringContaining('InvalidArgument'),
      });
      await report('host-awaited', uuidOf(90), [{ ...row, state: 'ready', reason: null, message: null }]);
      expect(await mdevfleetJson(wait)).toMatchObject([{ status: 'unchanged', state: 'settled' }]);
    });

    test('a message that nobody can read hides nothing, and is declared over', async () => {
      const subject = formatSubject('mdev', { kind: 'desired', host: 'host-a', uuid: uuidOf(70) });
      await fleet.streams.desired.append({ subject, id: 'garbage', data: new TextEncoder().encode('{') });
      await fleet.streams.observed.append({
        subject: formatSubject('mdev', { kind: 'observed', host: 'host-a', uuid: uuidOf(70) }),
        id: 'garbage',
        data: new TextEncoder().encode('{'),
      });
      expect(await mdevfleetJson(['get', 'devices', ...at(), '--host', 'host-shown'])).not.toEqual([]);
      expect(
        await mdevfleetJson(['apply', ...at(), '-f', await manifest('over', device(70, 'host-a'))]),
      ).toMatchObject([{ action: 'declare', status: 'published' }]);
    });
  });
}
