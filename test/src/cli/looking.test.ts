/**
 * `describe`, `status` and `watch`, on an embedded fleet whose hosts say what a test has them say.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { encodeCommand, encodeDeclaration } from '../../../events/codec.ts';
import { type Embedded, openEmbedded } from '../../../events/embedded/embedded.ts';
import { openEmbeddedStreams } from '../../../events/embedded/streams-embedded.ts';
import type { Fact } from '../../../events/fact.ts';
import type { HostId, Uuid } from '../../../events/names.ts';
import type { Row } from '../../../events/row.ts';
import type { Streams } from '../../../events/stream.ts';
import type { Subject } from '../../../events/subject.ts';
import { systemClock } from '../../../reconciler/clock-system.ts';
import { EXIT } from '../../../src/exit.ts';
import { encodeValue } from '../../../store/registry/hold.ts';
import type { Registry } from '../../../store/registry/registry.ts';
import { openLmdbRegistry } from '../../../store/registry/registry-lmdb.ts';
import { forwarded, rowOf as seenRow } from '../look/fleet-seen.ts';
import { runInProcess } from './in-process.ts';
import { MAIN } from './run.ts';

const TIME = '2026-01-01T00:00:00.000Z';
const [ONE, TWO] = ['5d3c7e0a-2f51-4b1e-9a44-000000000001', '5d3c7e0a-2f51-4b1e-9a44-000000000002'];
const ESCAPES = '\u001b[2J\u202egone\u0007';

/** A fleet of which a test writes all streams. */
class LookingWorld {
  readonly data: string;
  readonly registry: Registry;
  readonly #embedded: Embedded;
  readonly #streams: Streams;
  #seq = 0;

  constructor(data: string, embedded: Embedded, streams: Streams) {
    this.data = data;
    this.registry = openLmdbRegistry(embedded);
    this.#embedded = embedded;
    this.#streams = streams;
  }

  static async make(): Promise<LookingWorld> {
    const data = await mkdtemp(join(tmpdir(), 'mdevfleet-looking-'));
    const embedded = await openEmbedded(data, { after: systemClock.after, now: systemClock.wall });
    return new LookingWorld(data, embedded, await openEmbeddedStreams(embedded, 'mdev'));
  }

  ask(...args: readonly string[]) {
    return runInProcess([...args, '--data', this.data]);
  }

  async declare(host: HostId, uuid: Uuid, desired: 'present' | 'absent' = 'present'): Promise<number> {
    const event = { id: `declared-${this.#seq++}`, source: 'alice', time: TIME };
    const about = { uuid, host };
    const place = { parent: 'gpu0', type: 'nvidia-222', set: 'web', labels: { owner: 'me' } };
    const answer = await this.#streams.desired.append(
      encodeDeclaration('mdev', {
        ...{ event, desired },
        data: desired === 'absent' ? about : { ...about, ...place },
      } as Parameters<typeof encodeDeclaration>[1]),
    );
    return answer.kind === 'stored' ? answer.sequence : 0;
  }

  report(row: Row, fact: object = { kind: 'unmanaged', device: null }): Promise<void> {
    const { host, uuid } = row;
    return this.forward({ host, uuid }, { v: 1, uuid, ...fact } as Fact, [row]);
  }

  /** What a host's agent forwards. */
  async forward(about: Omit<Subject, 'kind'>, fact: Fact, rows?: readonly Row[]): Promise<void> {
    this.#seq += 1;
    await this.#streams.observed.append(forwarded(this.#seq, about, fact, rows));
  }

  async pause(host: HostId): Promise<void> {
    const event = { id: `pause-${host}`, source: 'bob', time: TIME };
    await this.#streams.command.append(encodeCommand('mdev', { command: 'pause', event, data: { host } }));
  }

  async close(): Promise<void> {
    await this.#embedded.close();
    await rm(this.data, { recursive: true });
  }
}

let world: LookingWorld;
beforeAll(async () => {
  world = await LookingWorld.make();
  const generation = { epoch: 1, sequence: await world.declare('host-a', ONE) };
  const offers = [{ id: 'nvidia-222', capacity: 4 }];
  const parents = [{ name: 'gpu0', driver: 'nvidia', types: offers, cordoned: 'carol' }];
  const types = [{ id: 'nvidia-222', name: null, api: null }];
  await world.forward(
    { host: 'host-a', uuid: null, topic: 'inventory' },
    { kind: 'inventory', v: 1, kernel: '6.12', labels: {}, types, parents, omitted: 0 },
  );
  for (let at = 0; at < 11; at += 1) {
    await world.report(rowOf({ generation }), { kind: 'settled', generation });
  }
  const claim = { host: 'host-a', parent: 'gpu0', type: 'nvidia-222' };
  await world.registry.write(ONE, encodeValue({ v: 1, claim, phase: 'held', generation, incarnation: 1 }), 0);
});
afterAll(() => world.close());

function rowOf(change: Partial<Row>): Row {
  return seenRow({ uuid: ONE, ...change });
}

describe('describe', () => {
  test('is who declared it, what hosts say, who holds it, its parent, and its last entries', async () => {
    const { status, stdout } = await world.ask('describe', ONE);
    expect(status).toBe(EXIT.ok);
    const lines = stdout.split('\n').map((line) => line.replaceAll(/ {2,}/g, ' '));
    expect(lines).toContain(`UUID ${ONE}`);
    expect(lines[1]).toMatch(/^registry held by host host-a \(nvidia-222 on gpu0\) since 2/);
    expect(lines).toContain(`host-a nvidia-222 on gpu0 web -/1 alice (claimed) ${TIME} owner=me - -`);
    expect(lines).toContain('host-a nvidia-222 on gpu0 ready - 1/1 -');
    expect(lines).toContain('host-a gpu0 nvidia carol nvidia-222 4 1 3');
    expect(lines.filter((line) => line.endsWith('what it waited for has passed'))).toHaveLength(10);
    expect(lines).toContain(`1 earlier: mdevfleet history ${ONE}`);
  });

  test('tells both sides of a conflict and the way out, and nothing that a stranger wrote moves the cursor', async () => {
    const generation = { epoch: 1, sequence: await world.declare('host-b', ONE) };
    const refused = { state: 'conflict', reason: 'UuidHeld', message: `held ${ESCAPES} by host-a` } as const;
    await world.report(rowOf({ host: 'host-b', generation, ...refused }));
    const { stdout } = await world.ask('describe', ONE);
    expect(stdout).toMatch(/^host-b +nvidia-222 on gpu0 +conflict +UuidHeld +1\/2 +-$/m);
    expect(stdout).toContain('host-b, UuidHeld: held \ufffdgone\ufffd by host-a\n');
    expect(stdout).toMatch(/^ way out +delete one of the two declarations; `mdevfleet retry`/m);
    const json = JSON.parse((await world.ask('describe', ONE, '-o', 'json')).stdout);
    expect(json).toMatchObject({
      declarations: [{ host: 'host-a', who: 'alice (claimed)' }, { host: 'host-b' }],
      rows: [{ state: 'ready', guidance: null }, { guidance: { meaning: expect.any(String) } }],
      registry: { state: 'held', host: 'host-a' },
      parents: [{ parent: 'gpu0', cordoned: 'carol' }],
      earlier: 2,
    });
  });

  test('of a UUID that nobody knows says which may have been meant', async () => {
    const { status, stderr } = await world.ask('describe', ONE.replace(/1$/, '7'));
    expect(status).toBe(EXIT.usage);
    expect(stderr).toContain(`did you mean ${ONE}?`);
    expect((await world.ask('describe', 'ffffffff-0000-0000-0000-000000000000')).stderr).toContain(
      'get devices',
    );
  });
});

describe('status', () => {
  test('counts states and reasons, names hosts to look at, and ends as the fleet is', async () => {
    await world.declare('host-c', TWO);
    await world.forward({ host: 'host-b', uuid: null }, { kind: 'stopped', v: 1 });
    await world.pause('host-a');
    const { status, stdout } = await world.ask('status');
    expect(status).toBe(EXIT.terminal);
    expect(stdout).toMatch(
      /^FLEET +terminal\ndevices +3\n ready +1\n waiting +1\n conflict +1\nhosts +3\nregistry +open/,
    );
    expect(stdout).toMatch(/^UuidHeld +conflict +1 +delete one of the two declarations/m);
    expect(stdout).toMatch(/^NotReported +waiting +1 +see that the agent runs/m);
    expect(stdout).toMatch(/^host-a +paused +by bob \(claimed\)/m);
    expect(stdout).toMatch(/^host-a +cordoned +gpu0, by carol$/m);
    expect(stdout).toMatch(/^host-b +stopped +its agent said so at/m);
    expect(stdout).toMatch(/^host-c +silent +has not reported on 1 declarations$/m);
    const yaml = await world.ask('status', '-o', 'yaml');
    expect(yaml.stdout).toMatch(/^status: terminal\ndevices:\n {2}total: 3\n/);
  });

  test('is settled, waiting or terminal', async () => {
    await world.declare('host-b', ONE, 'absent');
    await world.forward(
      { host: 'host-b', uuid: ONE },
      { kind: 'gone', v: 1, uuid: ONE, generation: GEN },
      [],
    );
    expect((await world.ask('status')).status).toBe(EXIT.timeout);
    await world.declare('host-c', TWO, 'absent');
    expect(await world.ask('status')).toMatchObject({
      status: EXIT.ok,
      stdout: expect.stringMatching(/^FLEET +settled/),
    });
  });
});

const GEN = { epoch: 1, sequence: 4 };

describe('watch', () => {
  test('lists devices, tells what changes, and ends well when it is told to', async () => {
    const watch = spawn(process.execPath, [MAIN, 'watch', '--data', world.data, '-o', 'json']);
    const lines = createInterface({ input: watch.stdout })[Symbol.asyncIterator]();
    const next = async () => JSON.parse((await lines.next()).value ?? 'null') as object;
    expect(await next()).toMatchObject({ change: 'shown', host: 'host-a', uuid: ONE, state: 'ready' });
    await world.declare('host-a', TWO);
    expect(await next()).toMatchObject({ change: 'shown', uuid: TWO, reason: 'NotReported' });
    await world.report(rowOf({ state: 'waiting', reason: 'NoCapacity', message: 'full' }));
    expect(await next()).toMatchObject({ change: 'shown', uuid: ONE, reason: 'NoCapacity' });
    await world.forward(
      { host: 'host-a', uuid: ONE },
      { kind: 'gone', v: 1, uuid: ONE, generation: GEN },
      [],
    );
    expect(await next()).toMatchObject({ change: 'gone', uuid: ONE, state: 'gone' });
    expect(await endOf(watch, 'SIGTERM')).toBe(EXIT.ok);
  });
});

async function endOf(child: ChildProcess, signal: NodeJS.Signals): Promise<unknown> {
  const ended = once(child, 'exit');
  child.kill(signal);
  const [status] = await ended;
  return status;
}
