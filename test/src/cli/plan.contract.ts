/**
 * What `plan`, `apply` and `get` must do with what hosts offer, wherever the fleet's streams are.
 */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Fact } from '../../../events/fact.ts';
import type { HostId, Uuid } from '../../../events/names.ts';
import { encodeRecord, NO_RECORD } from '../../../events/record.ts';
import type { Row } from '../../../events/row.ts';
import { formatSubject, type Subject } from '../../../events/subject.ts';
import { EXIT } from '../../../src/exit.ts';
import type { TestFleet } from './fleet.contract.ts';
import { mdevfleet, mdevfleetJson } from './run.ts';

const HEAD = { time: '2026-01-01T00:00:00.000Z', boot: 'boot', prev: NO_RECORD, seq: 1 };
const UUID = '5d3c7e0a-2f51-4b1e-9a44-000000000001';

/** A fleet whose hosts say what a test has them say, and a folder of manifests. */
class PlanWorld {
  readonly fleet: TestFleet;
  readonly #folder: string;

  constructor(fleet: TestFleet, folder: string) {
    this.fleet = fleet;
    this.#folder = folder;
  }

  /** Writes a manifest of one set into a folder of its own; JSON is YAML, too. */
  async manifest(set: string, body: object): Promise<string> {
    const path = join(await mkdtemp(join(this.#folder, `${set}-`)), 'set.yaml');
    const head = { apiVersion: 'mdevfleet.io/v1', kind: 'DeviceSet', metadata: { name: set } };
    await writeFile(path, JSON.stringify({ ...head, ...body }));
    return path;
  }

  async pool(count: number): Promise<readonly string[]> {
    const hosts = { labels: { pool: 'yes' } };
    const pools = [{ name: 'desks', count, type: 'NVIDIA T4-1B', hosts }];
    return ['-f', dirname(await this.manifest('pooled', { pools }))];
  }

  report(host: HostId, uuid: Uuid, row: Row): Promise<void> {
    return this.#forward({ host, uuid }, { kind: 'unmanaged', v: 1, uuid, device: null }, [row]);
  }

  /** Two parents with room for four devices each. */
  offer(host: HostId, labels: Readonly<Record<string, string>> = {}): Promise<void> {
    const types = [{ id: 'nvidia-222', capacity: 4 }];
    return this.#forward(
      { host, uuid: null, topic: 'inventory' },
      {
        ...{ kind: 'inventory', v: 1, kernel: '6.12.0', labels, omitted: 0 },
        types: [{ id: 'nvidia-222', name: 'NVIDIA T4-1B', api: 'vfio-pci' }],
        parents: ['gpu0', 'gpu1'].map((name) => ({ name, driver: 'nvidia', types })),
      },
    );
  }

  /** What a host's agent forwards. */
  async #forward(about: Omit<Subject, 'kind'>, fact: Fact, rows?: readonly Row[]): Promise<void> {
    const record = encodeRecord(HEAD, fact, rows);
    const subject = formatSubject('mdev', { kind: 'observed', ...about });
    await this.fleet.streams.observed.append({
      ...{ subject, id: `${subject} ${record.hash}`, data: record.bytes },
    });
  }
}

type World = { readonly at: PlanWorld };

/** `offers`: only what reads what hosts offer; the rest does not depend on where the streams are. */
export function testPlanVerbs(
  name: string,
  open: () => Promise<TestFleet>,
  scope: 'all' | 'offers' = 'all',
): void {
  describe(`plans and what hosts offer: ${name}`, () => {
    const world: { at?: PlanWorld } = {};
    let folder: string;

    beforeAll(async () => {
      folder = await mkdtemp(join(tmpdir(), 'mdevfleet-plan-'));
      world.at = new PlanWorld(await open(), folder);
    });
    afterAll(async () => {
      await world.at?.fleet.close();
      await rm(folder, { recursive: true });
    });

    testOffers(world as World);
    if (scope === 'all') {
      testOwnership(world as World);
      testWait(world as World);
    }
  });
}

function testOffers(world: World): void {
  test('get hosts, parents and types show what hosts offer, in each form', async () => {
    const { at } = world;
    await at.offer('host-offers', { gpu: 'true' });
    const ours = [...at.fleet.flags, '--host', 'host-offers'];
    const hosts = await mdevfleet(['get', 'hosts', ...at.fleet.flags]);
    expect(hosts.stdout).toMatch(/^HOST +AGENT +KERNEL +LABELS +PARENTS +DEVICES +READY\n/);
    expect(hosts.stdout).toMatch(/^host-offers +(absent|-) +6.12.0 +gpu=true +2 +0 +0$/m);
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

  test('a pool is planned, applied, and then there is nothing to do', async () => {
    const { at } = world;
    await at.offer('host-pool', { pool: 'yes' });
    const three = await at.pool(3);
    const planned = await mdevfleet(['plan', ...at.fleet.flags, ...three]);
    expect(planned).toMatchObject({ status: EXIT.changes, stderr: '' });
    expect(planned.stdout).toMatch(
      /^declare +[0-9a-f-]{36} +host-pool +gpu0 +nvidia-222 +pooled +is not declared yet$/m,
    );
    expect(planned.stdout).toMatch(/^host-pool +gpu0 +nvidia-222 +4 +4 +2$/m);
    expect(await mdevfleetJson(['apply', ...at.fleet.flags, ...three])).toHaveLength(3);
    expect((await mdevfleet(['diff', ...at.fleet.flags, ...three])).status).toBe(EXIT.ok);
    expect(await mdevfleetJson(['get', 'pools', ...at.fleet.flags, '--set', 'pooled'])).toEqual([
      {
        ...{ set: 'pooled', pool: 'desks', types: ['nvidia-222'] },
        ...{ devices: 3, ready: 0, hosts: ['host-pool'] },
      },
    ]);
  });
}

function testOwnership(world: World): void {
  test('a pool that shrinks is pruned, within what may be removed', async () => {
    const { at } = world;
    const two = [...(await at.pool(2)), '--prune'];
    const refused = await mdevfleet(['apply', ...at.fleet.flags, ...two, '--max-removals', '10%']);
    expect(refused).toMatchObject({
      status: EXIT.refused,
      stderr: expect.stringContaining('--max-removals 1'),
    });
    const dry = await mdevfleet(['apply', ...at.fleet.flags, ...two, '--dry-run']);
    expect(dry.stdout).toContain('1 to change, 1 of them disruptive (!), 2 unchanged');
    const pruned = await mdevfleetJson(['apply', ...at.fleet.flags, ...two]);
    expect(pruned).toMatchObject([{}, {}, { action: 'withdraw', status: 'published' }]);
  });

  test("another set's device is taken only when that is asked for", async () => {
    const { at } = world;
    await mdevfleetJson(['apply', ...at.fleet.flags, '-f', await at.manifest('owner', declaring('host-a'))]);
    const path = await at.manifest('taker', declaring('host-a'));
    expect(await mdevfleet(['apply', ...at.fleet.flags, '-f', path])).toMatchObject({
      status: EXIT.refused,
      stderr: expect.stringContaining('--take-over'),
    });
    const taken = await mdevfleetJson(['apply', ...at.fleet.flags, '-f', path, '--take-over']);
    expect(taken).toMatchObject([{ action: 'update', status: 'published', set: 'taker' }]);
  });
}

function testWait(world: World): void {
  test('apply --wait ends when devices are as declared, cannot be, or the time is over', async () => {
    const { at } = world;
    const path = await at.manifest('awaited', declaring('host-awaited'));
    const wait = ['apply', ...at.fleet.flags, '-f', path, '--wait'];
    const late = await mdevfleet([...wait, '--timeout', '0s']);
    expect(late).toMatchObject({ status: EXIT.timeout, stdout: expect.stringContaining('NotReported') });
    const subject = formatSubject('mdev', { kind: 'desired', host: 'host-awaited', uuid: UUID });
    const sequence = (await at.fleet.streams.desired.last(subject))?.sequence ?? 0;
    const row: Row = {
      ...{ uuid: UUID, host: 'host-awaited', parent: 'mtty', type: 'mtty-2', state: 'failed' },
      ...{ reason: 'InvalidArgument', message: 'refused', attributes: [], set: 'awaited' },
      generation: { epoch: 1, sequence },
    };
    await at.report('host-awaited', UUID, row);
    const failed = await mdevfleet(wait);
    expect(failed).toMatchObject({
      status: EXIT.terminal,
      stdout: expect.stringContaining('InvalidArgument'),
    });
    await at.report('host-awaited', UUID, { ...row, state: 'ready', reason: null, message: null });
    expect(await mdevfleetJson(wait)).toMatchObject([{ status: 'unchanged', state: 'settled' }]);
  });
}

/** The body of a manifest with one device. */
function declaring(host: HostId): object {
  return { devices: [{ uuid: UUID, host, parent: 'mtty', type: 'mtty-2' }] };
}
