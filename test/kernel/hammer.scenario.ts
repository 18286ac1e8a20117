/**
 * The hammer: UUIDs are declared and withdrawn through an agent, round after round, while another program makes and
 * removes devices on the same parents as fast as it can, those very UUIDs among them, also where they do not belong.
 *
 * A round is one UUID that is declared until it is ready, and withdrawn until it is gone and given back. HAMMER_ROUNDS
 * says how many: a thousand with `npm run hammer`; in the suite there are a few, and the other program rests now and then.
 */
import assert from 'node:assert/strict';
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { decodeRecord } from '../../events/record.ts';
import { subjectFilter } from '../../events/subject.ts';
import { PREFIX, runVerb } from './agents.ts';
import { Hammer } from './hammering.ts';
import type { Orders, Report, Spot } from './intruder.ts';
import {
  BUS,
  created,
  identityOf,
  onBus,
  P0,
  P1,
  P2,
  P3,
  setCapacity,
  setKnob,
  typeOf,
  underParent,
  until,
  uuid,
} from './mdev.ts';
import type { Scenario } from './scenario.ts';

const ROUNDS = Number(process.env['HAMMER_ROUNDS'] ?? 4);
/** As long as a burst takes it. */
const REST_MS = process.env['HAMMER_ROUNDS'] === undefined ? 200 : 0;
const ROUND_MS_MAX = 5_000;
const REST_MS_MAX = 600_000;
const HOST = 'kernel-hammer';
const DATA = '/guest/disk/hammer';
const PARENTS = [P0, P1, P2, P3] as const;
const TYPE = 'mdevfleet-a';
const CAPACITY = 1_000;
/** Long enough for the other program to come in between. */
const DELAY_MS = 3;

function spots(first: number, count: number): readonly Spot[] {
  return Array.from({ length: count }, (_, at) => {
    return { uuid: uuid(first + at), parent: PARENTS[at % PARENTS.length] ?? P0, type: TYPE };
  });
}

/** These have their rounds at the same time. Some are declared once more after the last. */
const contested = spots(100, Math.min(20, ROUNDS));
const kept = contested.filter((_, at) => at % 2 === 0);
const withdrawn = contested.filter((_, at) => at % 2 === 1);
const own = spots(200, 24);
/** Made once, by somebody, and left alone by all. */
const standing = spots(300, 8);
const newcomer: Spot = { uuid: uuid(400), parent: P0, type: TYPE };
const orders: Orders = { parents: PARENTS, own, contested, restMs: REST_MS };

let running: Promise<{ hammer: Hammer; identities: readonly (bigint | null)[] }> | undefined;
let calmed: Promise<Report> | undefined;

function hammering(): NonNullable<typeof running> {
  running ??= prepare();
  return running;
}

async function prepare() {
  for (const parent of PARENTS) setCapacity(parent, CAPACITY);
  setKnob(P1, 'probe_delay_ms', DELAY_MS);
  setKnob(P2, 'remove_delay_ms', DELAY_MS);
  setKnob(P3, 'late_delay_ms', DELAY_MS);
  for (const { uuid: id, parent } of standing) await created(parent, 'a', id);
  const identities = standing.map(({ parent, uuid: id }) => identityOf(parent, id));
  const hammer = await Hammer.start(HOST, DATA, orders);
  for (const { uuid: id } of standing) {
    await hammer.reports.until('being shown', id, ([row]) => row?.state === 'unmanaged');
  }
  hammer.strike();
  return { hammer, identities };
}

/** What the other program did, which ends with the first call. */
function deeds(hammer: Hammer): Promise<Report> {
  calmed ??= hammer.calm();
  return calmed;
}

/** Lines that are no verdicts are for people. */
function tell(hammer: Hammer, report: Report, ms: number): void {
  const kinds = ['declared', 'active', 'drift', 'conflict', 'gone', 'waiting', 'unmanaged'] as const;
  const facts = kinds.map((kind) => `${kind} ${hammer.reports.count(kind)}`).join(', ');
  console.log(`${ROUNDS} rounds in ${Math.round(ms / 1_000)} s of the guest; the agent's facts: ${facts}`);
  for (const [deed, tally] of Object.entries(report.deeds)) {
    const each = Object.entries(tally).map(
      ([errno, times]) => `${errno === '0' ? 'done' : `errno ${errno}`} ${times}`,
    );
    console.log(`the other program: ${deed}: ${each.join(', ')}`);
  }
}

export const scenario: Scenario = {
  module: import.meta.url,
  caseMsMax: REST_MS_MAX + ROUNDS * ROUND_MS_MAX,
  cases: {
    'each UUID becomes ready, and is gone and given back, in every round': async () => {
      const { hammer } = await hammering();
      let left = ROUNDS;
      const begin = performance.now();
      const rounds = async (spot: Spot): Promise<void> => {
        for (; left > 0; ) {
          left -= 1;
          await hammer.round(spot);
        }
      };
      await Promise.all(contested.map(rounds));
      const ms = performance.now() - begin;
      await Promise.all(kept.map((spot) => hammer.declare(spot)));
      tell(hammer, await deeds(hammer), ms);
    },
    'nothing of ours is lost': async () => {
      const { hammer } = await hammering();
      await deeds(hammer);
      await Promise.all(kept.map((spot) => hammer.declare(spot)));
      for (const { uuid: id, parent } of kept) {
        await until(`${id} on ${parent}`, () => typeOf(parent, id) === TYPE);
        assert.notEqual((await hammer.fleet.registry.read(id))?.value ?? null, null);
      }
      for (const { uuid: id } of withdrawn) {
        assert.ok(!onBus(id) && !PARENTS.some((parent) => underParent(parent, id)));
        assert.equal((await hammer.fleet.registry.read(id))?.value, null);
      }
    },
    'nothing foreign was touched': async () => {
      const { hammer, identities } = await hammering();
      const report = await deeds(hammer);
      assert.deepEqual(report.disturbed, []);
      const now = standing.map(({ parent, uuid: id }) => identityOf(parent, id));
      assert.deepEqual(now, identities);
      for (const { uuid: id, parent } of own) {
        assert.equal(identityOf(parent, id)?.toString(), report.standing[id], id);
      }
    },
    'every device can be removed': async () => {
      const { hammer } = await hammering();
      await deeds(hammer);
      const all = readdirSync(BUS);
      assert.ok(all.length >= standing.length + kept.length);
      assert.deepEqual(
        all.filter((id) => !existsSync(join(BUS, id, 'remove'))),
        [],
      );
    },
    'it ends settled: what is foreign is shown, and only what is new is recorded': async () => {
      const { hammer } = await hammering();
      const report = await deeds(hammer);
      const foreign = [...standing.map((spot) => spot.uuid), ...Object.keys(report.standing)].sort();
      const shown = (): readonly string[] => {
        const rows = hammer.reports.rows.filter(({ state }) => state !== 'ready');
        return rows.map((row) => (row.state === 'unmanaged' ? row.uuid : `${row.uuid} ${row.state}`)).sort();
      };
      await until('all that is foreign to be shown', () => shown().join() === foreign.join());
      const { observed } = hammer.fleet.streams;
      const { lastSequence } = await observed.info();
      await hammer.declare(newcomer);
      const since = await observed.next(subjectFilter(PREFIX, 'observed', { host: HOST }), lastSequence, 100);
      const about = since.map(({ data }) => decodeRecord(data).envelope.uuid);
      assert.deepEqual([...new Set(about)], [newcomer.uuid]);
    },
    'the journal verifies': async () => {
      const { hammer } = await hammering();
      await deeds(hammer);
      assert.equal(await hammer.stop(), 0);
      assert.equal(await runVerb('verify', '--host', HOST, '--data', DATA), 0);
    },
  },
};
