/**
 * What the verbs do that work on a fleet's registry, wherever that is.
 */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { decodeEvent } from '../../../events/codec.ts';
import type { HostId, Uuid } from '../../../events/names.ts';
import { encodeRecord, NO_RECORD } from '../../../events/record.ts';
import { formatSubject, parseSubject } from '../../../events/subject.ts';
import { EXIT } from '../../../src/exit.ts';
import { beginRebuilding, readFleet } from '../../../store/registry/fleet.ts';
import { confirmHolds, raiseIncarnation } from '../../../store/registry/incarnation.ts';
import { take } from '../../../store/registry/reserve.ts';
import { readHold } from '../../../store/registry/standing.ts';
import type { TestFleet } from './fleet.contract.ts';
import { mdevfleet, mdevfleetJson } from './run.ts';

const TIME = '2026-01-01T00:00:00.000Z';
const LOSS = { by: 'host-a', what: 'the registry has lost a hold', at: TIME };

function uuidOf(index: number): Uuid {
  return `6e4d8f1b-2f51-4b1e-9a44-${String(index).padStart(12, '0')}`;
}

export function testRegistryVerbs(name: string, open: () => Promise<TestFleet>): void {
  describe(`the verbs of a registry: ${name}`, () => {
    let fleet: TestFleet;
    const at = () => [...fleet.flags];

    beforeAll(async () => {
      fleet = await open();
    });
    afterAll(() => fleet.close());

    async function hold(uuid: Uuid, host: HostId): Promise<string> {
      const claim = { host, parent: 'mtty', type: 'mtty-2' };
      const wish = { claim, generation: { epoch: 1, sequence: 1 }, incarnation: 1, replaces: null };
      expect(await take(fleet.registry, uuid, wish)).toMatchObject({ kind: 'held' });
      return (await readHold(fleet.registry, uuid))?.since ?? '';
    }

    async function phase(uuid: Uuid): Promise<string | undefined> {
      return (await readHold(fleet.registry, uuid))?.hold.phase;
    }

    async function command(host: HostId | null, uuid: Uuid | null) {
      const subject = formatSubject('mdev', { kind: 'command', host, uuid });
      const message = await fleet.streams.command.last(subject);
      return message && decodeEvent(parseSubject('mdev', subject), message.data);
    }

    /** The host is known to the fleet, and speaks in its registry. */
    async function joins(host: HostId) {
      const speaker = { host, journal: `journal-of-${host}`, machine: { machineId: host, product: null } };
      await raiseIncarnation(fleet.registry, speaker, 0);
      const head = { seq: 2, time: TIME, boot: 'boot', prev: NO_RECORD };
      const { bytes, hash } = encodeRecord(head, { kind: 'started', v: 1, software: 's', kernel: 'k' });
      const subject = formatSubject('mdev', { kind: 'observed', host, uuid: null });
      await fleet.streams.observed.append({ subject, id: `${host} ${hash}`, data: bytes });
      return speaker;
    }

    async function state(): Promise<string> {
      const found = await readFleet(fleet.registry);
      return found.kind === 'fleet' ? found.state : 'unknown';
    }

    describe('release', () => {
      test('without --force says what it would mean, and does nothing', async () => {
        const since = await hold(uuidOf(1), 'host-a');
        const { status, stderr } = await mdevfleet(['release', ...at(), uuidOf(1), '--reason', 'r']);
        expect(status).toBe(EXIT.refused);
        expect(stderr).toContain('two machines may work with one device');
        expect(stderr).toContain(`held by host host-a (mtty-2 on mtty) since ${since}`);
        expect(await phase(uuidOf(1))).toBe('held');
        expect(await command('host-a', uuidOf(1))).toBeUndefined();
      });

      test('needs a reason', async () => {
        const { status, stderr } = await mdevfleet(['release', ...at(), '--force', uuidOf(1)]);
        expect(status).toBe(EXIT.usage);
        expect(stderr).toContain('--reason');
        expect(await phase(uuidOf(1))).toBe('held');
      });

      test('with both is published to the holder, then written; and twice is once', async () => {
        await hold(uuidOf(2), 'host-a');
        const args = ['release', ...at(), '--force', '--reason', 'burnt down', uuidOf(2), uuidOf(3)];
        const { status, stdout } = await mdevfleet(args);
        expect(status).toBe(EXIT.ok);
        expect(stdout).toMatch(
          new RegExp(`${uuidOf(2)} is released by force; it was held by host host-a .* since `),
        );
        expect(stdout).toContain(`${uuidOf(3)} is not held by any host`);
        expect(await phase(uuidOf(2))).toBe('fenced');
        expect(await phase(uuidOf(3))).toBeUndefined();
        expect(await command('host-a', uuidOf(2))).toMatchObject({
          command: { command: 'release', data: { why: 'burnt down', host: 'host-a' } },
        });
        const revision = (await fleet.registry.read(uuidOf(2)))?.revision;
        expect(await mdevfleetJson(args)).toMatchObject([
          { uuid: uuidOf(2), host: 'host-a', status: 'already released' },
          { uuid: uuidOf(3), host: null, status: 'not held' },
        ]);
        expect((await fleet.registry.read(uuidOf(2)))?.revision).toBe(revision);
      });

      test('the next claimant gets it', async () => {
        await hold(uuidOf(2), 'host-b');
        expect(await phase(uuidOf(2))).toBe('held');
      });

      test('with --host refuses when another host is the holder', async () => {
        const args = ['release', ...at(), '--force', '--reason', 'r', uuidOf(2), '--host', 'host-a'];
        const { status, stderr } = await mdevfleet(args);
        expect(status).toBe(EXIT.refused);
        expect(stderr).toContain('not held by host host-a, but held by host host-b');
        expect(await phase(uuidOf(2))).toBe('held');
      });
    });

    describe('reopen', () => {
      test('of an open registry does nothing', async () => {
        expect(await mdevfleetJson(['reopen', ...at()])).toMatchObject({ reopened: false });
        expect(await command(null, null)).toBeUndefined();
      });

      test('names the hosts that have not confirmed what they hold, and needs --yes then', async () => {
        const confirmed = await joins('host-a');
        await joins('host-b');
        const rebuilding = await beginRebuilding(fleet.registry, LOSS);
        if (rebuilding.kind !== 'fleet') throw new Error('not rebuilding');
        await confirmHolds(fleet.registry, confirmed, 1, rebuilding.revision);
        const refused = await mdevfleet(['reopen', ...at()]);
        expect(refused.status).toBe(EXIT.refused);
        expect(refused.stderr).toContain('the registry has lost a hold; host-a noticed at');
        expect(refused.stderr).toMatch(/1 of \d+ known hosts have not confirmed/);
        expect(refused.stderr).toContain('\n  host-b\n');
        expect(await state()).toBe('rebuilding');

        expect(await mdevfleetJson(['reopen', ...at(), '--yes', '--source', 'ops'])).toMatchObject({
          reopened: true,
          unconfirmed: ['host-b'],
        });
        expect(await readFleet(fleet.registry)).toMatchObject({ state: 'open', value: { by: 'ops' } });
        expect(await command(null, null)).toMatchObject({
          command: { command: 'reopen', event: { source: 'ops' }, data: { unconfirmed: ['host-b'] } },
        });
      });

      test('needs nothing more when all have', async () => {
        const speakers = [await joins('host-a'), await joins('host-b')];
        const rebuilding = await beginRebuilding(fleet.registry, LOSS);
        if (rebuilding.kind !== 'fleet') throw new Error('not rebuilding');
        for (const one of speakers) {
          const raised = await raiseIncarnation(fleet.registry, one, 0);
          const incarnation = raised.kind === 'raised' ? raised.incarnation : 0;
          await confirmHolds(fleet.registry, one, incarnation, rebuilding.revision);
        }
        const { status, stdout } = await mdevfleet(['reopen', ...at()]);
        expect(status).toBe(EXIT.ok);
        expect(stdout).toContain('the registry is open again');
        expect(await state()).toBe('open');
      });
    });

    test('init makes the state of a fleet that has none, and leaves a rebuilding one alone', async () => {
      const revision = (await fleet.registry.read('fleet'))?.revision ?? 0;
      await fleet.registry.erase('fleet', revision);
      expect((await mdevfleet(['init', ...at()])).status).toBe(EXIT.ok);
      expect(await readFleet(fleet.registry)).toMatchObject({ state: 'open', value: { v: 1 } });
      await beginRebuilding(fleet.registry, LOSS);
      await mdevfleet(['init', ...at()]);
      expect(await state()).toBe('rebuilding');
    });
  });
}
