/**
 * What the verbs that work on a fleet must do, wherever its streams are.
 */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
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

    test('cordon and uncordon are commands for parents of a host, or for all of them', async () => {
      const cordoned = await mdevfleetJson(['cordon', ...at(), 'host-a', 'gpu0', 'gpu1']);
      expect(cordoned).toMatchObject([{ parent: 'gpu0', command: 'cordon' }, { parent: 'gpu1' }]);
      expect(await last('command', 'host-a', null)).toMatchObject({ command: { command: 'cordon' } });
      const open = await mdevfleet(['uncordon', ...at(), 'host-a']);
      expect(open.stdout).toContain('all parents of host host-a: devices may be made there again');
      expect(await last('command', 'host-a', null)).toMatchObject({
        command: { command: 'uncordon', data: { host: 'host-a' } },
      });
      expect(await mdevfleet(['cordon', ...at(), 'host-a', 'a b'])).toMatchObject({ status: EXIT.usage });
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
