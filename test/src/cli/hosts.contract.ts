/**
 * `forget-host` and `rebind`, on any fleet: who may speak for a host that is gone, replaced, or back.
 */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { decodeEvent, encodeDeclaration } from '../../../events/codec.ts';
import type { HostId, Uuid } from '../../../events/names.ts';
import { encodeRecord, NO_RECORD } from '../../../events/record.ts';
import { formatSubject, parseSubject } from '../../../events/subject.ts';
import { EXIT } from '../../../src/exit.ts';
import { raiseIncarnation } from '../../../store/registry/incarnation.ts';
import { take } from '../../../store/registry/reserve.ts';
import { readHold } from '../../../store/registry/standing.ts';
import type { TestFleet } from './fleet.contract.ts';
import { mdevfleet, mdevfleetJson } from './run.ts';

const TIME = '2026-01-01T00:00:00.000Z';
const WHY = ['--reason', 'burnt down'];
const AT_ONCE = ['--wait', '0'];
const LONG = ['--wait', '20000'];

function uuidOf(index: number): Uuid {
  return `7e4d8f1b-2f51-4b1e-9a44-${String(index).padStart(12, '0')}`;
}

export function testHostVerbs(name: string, open: () => Promise<TestFleet>): void {
  describe(`the verbs of hosts: ${name}`, () => {
    let fleet: TestFleet;
    const at = () => [...fleet.flags];

    beforeAll(async () => {
      fleet = await open();
    });
    afterAll(() => fleet.close());

    function speaker(host: HostId, machine = host) {
      return { host, journal: `journal on ${machine}`, machine: { machineId: machine, product: null } };
    }

    /** The host has something declared, holds it, and has reported. */
    async function joins(host: HostId, uuid: Uuid): Promise<void> {
      await raiseIncarnation(fleet.registry, speaker(host), 0);
      const claim = { host, parent: 'mtty', type: 'mtty-2' };
      const wish = { claim, generation: { epoch: 1, sequence: 1 }, incarnation: 1, replaces: null };
      await take(fleet.registry, uuid, wish);
      const event = { id: `declare ${uuid}`, source: 'test', time: TIME };
      const declaration = { desired: 'present', event, data: { uuid, ...claim } } as const;
      await fleet.streams.desired.append(encodeDeclaration('mdev', declaration));
      await reports(host, 2);
    }

    async function reports(host: HostId, seq: number): Promise<void> {
      const head = { seq, time: TIME, boot: 'boot', prev: NO_RECORD };
      const { bytes, hash } = encodeRecord(head, { kind: 'started', v: 1, software: 's', kernel: 'k' });
      const subject = formatSubject('mdev', { kind: 'observed', host, uuid: null });
      await fleet.streams.observed.append({ subject, id: `${host} ${hash}`, data: bytes });
    }

    async function lastCommand(host: HostId) {
      const subject = formatSubject('mdev', { kind: 'command', host, uuid: null });
      const message = await fleet.streams.command.last(subject);
      const decoded = message && decodeEvent(parseSubject('mdev', subject), message.data);
      return decoded?.kind === 'command' ? decoded.command : undefined;
    }

    const shown = async (host: HostId) => mdevfleetJson(['get', 'devices', ...at(), '--host', host]);
    const phase = async (uuid: Uuid) => (await readHold(fleet.registry, uuid))?.hold.phase;

    test('a host is forgotten with --force and a reason, and not while it answers', async () => {
      const [host, uuid] = ['host-f', uuidOf(1)] as const;
      await joins(host, uuid);
      const unforced = await mdevfleet(['forget-host', ...at(), host, ...WHY]);
      expect(unforced.status).toBe(EXIT.refused);
      expect(unforced.stderr).toContain('It holds 1 UUIDs');
      expect((await mdevfleet(['forget-host', ...at(), host, '--force'])).status).toBe(EXIT.usage);
      expect(await lastCommand(host)).toBeUndefined();

      const asked = mdevfleet(['forget-host', ...at(), host, '--force', ...WHY, ...LONG]);
      await expect.poll(async () => (await lastCommand(host))?.command, { timeout: 20_000 }).toBe('call');
      await reports(host, 3);
      const alive = await asked;
      expect(alive.status).toBe(EXIT.refused);
      expect(alive.stderr).toContain('has answered');
      expect(await phase(uuid)).toBe('held');
      expect(await shown(host)).toHaveLength(1);
    });

    test('then its holds are released, its declarations withdrawn, it is not shown, and may not speak', async () => {
      const [host, uuid] = ['host-f', uuidOf(1)] as const;
      const forget = ['forget-host', ...at(), host, '--force', ...WHY, ...AT_ONCE];
      expect(await mdevfleetJson(forget)).toEqual({ host, released: [uuid], withdrawn: 1 });
      expect(await lastCommand(host)).toMatchObject({ command: 'forget', data: { why: 'burnt down' } });
      expect(await phase(uuid)).toBe('fenced');
      expect(await shown(host)).toEqual([]);
      expect(await raiseIncarnation(fleet.registry, speaker(host), 1)).toMatchObject({ kind: 'other' });
      expect(await mdevfleetJson(forget)).toEqual({ host, released: [], withdrawn: 0 });
    });

    test('its declarations are left with --keep, and nobody is told that they are not reported on', async () => {
      const [host, uuid] = ['host-k', uuidOf(2)] as const;
      await joins(host, uuid);
      const forget = ['forget-host', ...at(), host, '--force', '--keep', ...WHY, ...AT_ONCE];
      expect(await mdevfleetJson(forget)).toMatchObject({ withdrawn: 0 });
      expect(await shown(host)).toEqual([]);
      const rebound = await mdevfleet(['rebind', ...at(), host, '--reason', 'it is back', ...AT_ONCE]);
      expect(rebound.status).toBe(EXIT.ok);
      expect(await shown(host)).toHaveLength(1);
      expect(await raiseIncarnation(fleet.registry, speaker(host), 1)).toMatchObject({ kind: 'raised' });
      expect(await phase(uuid)).toBe('fenced');
    });

    test('another machine may speak for a host once it is rebound, and then nobody else', async () => {
      const host = 'host-r';
      await joins(host, uuidOf(3));
      const replaced = speaker(host, 'another machine');
      expect(await raiseIncarnation(fleet.registry, replaced, 0)).toMatchObject({ kind: 'other' });
      const status = (await mdevfleetJson(['rebind', ...at(), host, ...WHY, ...AT_ONCE])) as object;
      expect(status).toEqual({ host, status: 'open' });
      expect(await lastCommand(host)).toMatchObject({ command: 'rebind' });
      expect(await raiseIncarnation(fleet.registry, replaced, 0)).toMatchObject({ kind: 'raised' });
      expect(await raiseIncarnation(fleet.registry, speaker(host), 1)).toMatchObject({ kind: 'other' });
      expect(await phase(uuidOf(3))).toBe('held');
    });

    test('of a host for which nobody ever spoke there is nothing to rebind', async () => {
      const { stdout } = await mdevfleet(['rebind', ...at(), 'host-n', ...WHY, ...AT_ONCE]);
      expect(stdout).toContain('nobody ever spoke for host host-n');
    });
  });
}
