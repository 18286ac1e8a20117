/**
 * Versions: what a program could not read is kept, and taken once it, or the program after it, can.
 */
import { expect, test } from 'vitest';
import { PRESENT_TYPE } from '../../events/declaration.ts';
import { sha256 } from '../../events/digest.ts';
import { formatSubject } from '../../events/subject.ts';
import { HOST, UUID, uuidOf, World } from './intake-world.ts';

const SUBJECT = formatSubject('mdev', { kind: 'desired', host: HOST, uuid: UUID });

/**
 * A journal of a program that could not read declarations of today: it has noted the one that was published, and
 * stands behind it. Answers the world with a newer program on that journal.
 */
async function upgraded(
  change: { readonly sequence?: number; readonly digest?: string } = {},
): Promise<World> {
  const world = new World();
  await world.sync();
  const sequence = await world.present({ id: 'of a newer program' });
  const data = (await world.streams.desired.at(sequence))?.data ?? new Uint8Array();
  const cursor = world.journal.positions().desired;
  if (cursor === null) throw new Error('the journal has no cursor');
  const digest = sha256(data);
  const note = {
    stream: 'desired',
    sequence,
    subject: SUBJECT,
    type: PRESENT_TYPE,
    digest,
    ...change,
  } as const;
  const positions = {
    desired: { ...cursor, sequence, digest },
    vocabulary: { desired: 'that of an older one' },
  };
  await world.clock.until(
    world.journal.append({ facts: [{ kind: 'unsupported', v: 1, ...note }], positions }),
  );
  return world;
}

/** A newer program goes on. */
async function goOn(world: World): Promise<void> {
  world.restart();
  await world.sync();
}

test('a declaration that an older program kept is taken after the upgrade, once, at its place in the stream', async () => {
  const world = await upgraded();
  expect(world.device().desired).toBeNull();
  await goOn(world);
  expect(world.device().desired).toMatchObject({ kind: 'present', generation: { epoch: 1, sequence: 1 } });
  expect(world.told).toContain(UUID);
  const { seq } = world.journal.tail();
  await goOn(world);
  expect(world.journal.tail().seq).toBe(seq);
});

test('one that a later declaration of its UUID has overtaken stays what it was', async () => {
  const world = await upgraded();
  const generation = { epoch: 1, sequence: 2 };
  const event = world.event('later');
  const fact = { kind: 'declared', v: 1, uuid: UUID, generation, event, desired: 'absent' } as const;
  const nothing = { claim: null, attributes: [], labels: {}, set: null, replaces: null };
  await world.record({ ...fact, ...nothing, outcome: 'withdrawn' });
  await goOn(world);
  expect(world.device().desired).toMatchObject({ kind: 'absent' });
});

test('nothing is taken that does not stand there any more as it was noted', async () => {
  for (const change of [{ digest: sha256(new Uint8Array([1])) }, { sequence: 9 }]) {
    const world = await upgraded(change);
    await goOn(world);
    expect(world.device().desired).toBeNull();
  }
});

test('the log is gone through once for each upgrade', async () => {
  const world = await upgraded();
  await goOn(world);
  const reads: number[] = [];
  const { journal } = world;
  const read = journal.read.bind(journal);
  journal.read = (after, limit) => {
    reads.push(after);
    return read(after, limit);
  };
  await world.present({ uuid: uuidOf(2) });
  await world.sync();
  expect(reads).toEqual([]);
});
