/**
 * When a host signs where its journal ends, and when it does not.
 */
import { expect, test } from 'vitest';
import type { Fact } from '../../../events/fact.ts';
import { decodeRecord } from '../../../events/record.ts';
import { Notary } from '../../../src/agent/notary.ts';
import { isSignedBy, parseNote } from '../../../store/journal/checkpoint.ts';
import type { Journal } from '../../../store/journal/journal.ts';
import { MemoryDisk, openMemoryJournal } from '../../../store/journal/journal-memory.ts';
import { ManualClock } from '../../manual-clock.ts';
import { declared, durable, makeStamp, OWN, UUID } from '../../store/journal/journal-fixture.ts';
import { newSigner } from '../../store/journal/signer.ts';

const LIMITS = { checkpointMs: 60_000, checkpointRecordsMax: 5 };
const SIGNER = newSigner();
const SOMETHING: Fact = { kind: 'started', v: 1, software: 'test', kernel: 'test' };

class World {
  readonly clock = new ManualClock();
  readonly disk = new MemoryDisk();
  readonly journal: Journal = openMemoryJournal({
    ...OWN,
    disk: this.disk,
    journal: 'journal-1',
    stamp: makeStamp(),
    schedule: setImmediate,
  });
  recorded = 0;
  readonly notary = new Notary({
    journal: this.journal,
    signer: SIGNER,
    clock: this.clock,
    limits: LIMITS,
    onRecorded: () => {
      this.recorded += 1;
    },
  });

  get kinds(): readonly string[] {
    return this.journal.read(1, 100).map(({ bytes }) => decodeRecord(bytes).envelope.kind);
  }
}

test('a checkpoint is of the record before it, signed, and made when its time comes', async () => {
  const { clock, journal, notary } = new World();
  notary.start();
  durable(await journal.append({ facts: [SOMETHING] }));
  const { seq, hash } = journal.tail();
  await clock.advance(LIMITS.checkpointMs - 1);
  expect(journal.tail().seq).toBe(seq);
  await clock.advance(1);
  const [record] = journal.read(seq, 1);
  const fact = record && decodeRecord(record.bytes).fact;
  const note = fact?.kind === 'checkpoint' ? parseNote(fact.note) : undefined;
  expect(note?.head).toEqual({ host: OWN.host, journal: 'journal-1', seq, hash, time: clock.wall() });
  expect(note && isSignedBy(note, SIGNER.publicKey)).toBe(true);
});

test('nothing is signed twice, and nothing at all while nothing is recorded', async () => {
  const world = new World();
  world.notary.start();
  await world.clock.advance(10 * LIMITS.checkpointMs);
  expect(world.kinds).toEqual([]);
  durable(await world.journal.append({ facts: [SOMETHING] }));
  await world.clock.advance(10 * LIMITS.checkpointMs);
  expect(world.kinds).toEqual(['started', 'checkpoint']);
  expect(world.recorded).toBe(1);
});

test('many records are signed before the time has come', async () => {
  const world = new World();
  world.notary.start();
  durable(await world.journal.append({ facts: [1, 2, 3, 4].map((n) => declared(UUID, n)) }));
  world.notary.kick();
  await world.clock.advance(0);
  expect(world.kinds).not.toContain('checkpoint');
  durable(await world.journal.append({ facts: [declared(UUID, 5)] }));
  world.notary.kick();
  await world.clock.advance(0);
  expect(world.kinds.filter((kind) => kind === 'checkpoint')).toHaveLength(1);
});

test('what is recorded in the same turn makes it wait for the next time, and so does a full disk', async () => {
  const world = new World();
  world.notary.start();
  durable(await world.journal.append({ facts: [1, 2, 3, 4, 5].map((n) => declared(UUID, n)) }));
  const beside = world.journal.append({ facts: [SOMETHING] });
  world.notary.kick();
  durable(await beside);
  expect(world.kinds).not.toContain('checkpoint');
  world.disk.full = true;
  await world.clock.advance(LIMITS.checkpointMs);
  world.disk.full = false;
  expect(world.kinds).not.toContain('checkpoint');
  await world.clock.advance(LIMITS.checkpointMs);
  expect(world.kinds.filter((kind) => kind === 'checkpoint')).toHaveLength(1);
});

test('one that was stopped signs nothing', async () => {
  const world = new World();
  world.notary.start();
  durable(await world.journal.append({ facts: [SOMETHING] }));
  world.notary.stop();
  world.notary.kick();
  await world.clock.advance(10 * LIMITS.checkpointMs);
  expect(world.kinds).toEqual(['started']);
  expect(world.clock.pendingMs).toEqual([]);
});
