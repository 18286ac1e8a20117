/**
 * What must hold when the scenario is over, wherever the agent was killed.
 */
import type { ExpectStatic } from 'vitest';
import type { LmdbStorage } from '../../store/journal/lmdb-storage.ts';
import { verifyJournal } from '../../store/journal/verify.ts';
import { readHold } from '../../store/registry/standing.ts';
import { hashesOf, withJournal } from '../e2e/journal-on-disk.ts';
import { withoutRepeats } from '../e2e/witness.ts';
import { DEVICES_AT_THE_END, DUPLICATE, HOLDERS_AT_THE_END, HOST, RIVAL, ROWS_AT_THE_END } from './cast.ts';
import type { Stage } from './stage.ts';

/** The agent has stopped: everything is at rest. */
export async function expectTheEnd(expect: ExpectStatic, stage: Stage): Promise<void> {
  await stage.witness.look();
  expectDevices(expect, stage);
  expectRows(expect, stage);
  await withJournal(stage.dir, HOST, async (storage) => {
    expect(verifyJournal(storage)).toMatchObject({ kind: 'sound', unknown: 0 });
    expectWitnessed(expect, stage, storage);
    await expectHolds(expect, stage, storage);
  });
}

function expectDevices(expect: ExpectStatic, { kernel }: Stage): void {
  const devices = kernel.kernel.devices().map(({ uuid, parent, type, phase, attributes }) => {
    // A value that was written and not recorded is written once more: what counts is where each stands.
    const values = new Map(attributes.map(({ name, value }) => [name, value]));
    return { uuid, parent, type, phase, attributes: [...values].map(([name, value]) => ({ name, value })) };
  });
  devices.sort((a, b) => (a.uuid < b.uuid ? -1 : 1));
  expect(devices).toEqual(DEVICES_AT_THE_END.map((one) => ({ ...one, phase: 'complete' })));
}

function expectRows(expect: ExpectStatic, { witness }: Stage): void {
  const rows = witness.rows(HOST);
  expect(rows).toEqual(ROWS_AT_THE_END.map((one) => expect.objectContaining(one)));
  expect(rows.find(({ uuid }) => uuid === DUPLICATE)?.message).toContain(`held by host ${RIVAL}`);
}

/** The stream has what the journal has, freed of repeats, and still has what it had when the agent was killed. */
function expectWitnessed(expect: ExpectStatic, { witness, witnessed }: Stage, storage: LmdbStorage): void {
  const stream = withoutRepeats(witness.facts, HOST).map(({ seq, hash }) => ({ seq, hash }));
  expect(stream).toEqual(hashesOf(storage));
  expect(witness.facts.slice(0, witnessed.length)).toEqual(witnessed);
}

/** The registry holds what the journal holds, at the revision that the journal knows, and nothing else of this host. */
async function expectHolds(expect: ExpectStatic, { fleet }: Stage, storage: LmdbStorage): Promise<void> {
  const { devices } = storage.projections();
  for (const [uuid, holder] of HOLDERS_AT_THE_END) {
    const found = await readHold(fleet.registry, uuid);
    expect(found?.hold.claim.host ?? null, uuid).toBe(holder);
    const reservation = devices.get(uuid)?.reservation ?? null;
    const ours = holder === HOST ? found : undefined;
    expect(reservation && [reservation.claim, reservation.revision], uuid).toEqual(
      ours === undefined ? null : [ours.hold.claim, ours.revision],
    );
    if (ours !== undefined) expect(ours.hold.phase).toBe('held');
  }
}
