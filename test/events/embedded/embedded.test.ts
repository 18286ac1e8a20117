import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { open } from 'lmdb';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type Embedded, EmbeddedUnavailable, openEmbedded } from '../../../events/embedded/embedded.ts';
import { openEmbeddedStreams } from '../../../events/embedded/streams-embedded.ts';
import type { Appended, Message, Ring, Stream, Streams } from '../../../events/stream.ts';
import { systemClock } from '../../../reconciler/clock-system.ts';
import { all, plain, until } from '../streams-under-test.ts';

const WRITER = join(import.meta.dirname, 'embedded-writer.ts');
/** So long that no test hears of anything by it. */
const NEVER_MS = 3_600_000;

let dir: string;
const opened: Embedded[] = [];

beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'mdevfleet-embedded-'));
});

afterEach(async () => {
  for (const embedded of opened.splice(0)) await embedded.close();
  await rm(dir, { recursive: true });
});

async function openHere(after = systemClock.after): Promise<Embedded> {
  const embedded = await openEmbedded(dir, { after, now: systemClock.wall, pollMs: NEVER_MS });
  opened.push(embedded);
  return embedded;
}

async function openStreams(): Promise<Streams> {
  return openEmbeddedStreams(await openHere(), 'mdev');
}

type Writer = {
  readonly process: ChildProcess;
  readonly stored: readonly number[];
  readonly ended: Promise<unknown>;
};

function startWriter(name: string, count: number): Writer {
  const writer = spawn(process.execPath, [WRITER, dir, name, String(count)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const stored: number[] = [];
  createInterface({ input: writer.stdout }).on('line', (line) => stored.push(Number(line.split(' ')[1])));
  return { process: writer, stored, ended: once(writer, 'close') };
}

describe('several processes', () => {
  test('append to one stream without losing or doubling a sequence', async () => {
    const { desired } = await openStreams();
    const writers = ['a', 'b'].map((name) => startWriter(name, 60));
    const own: Appended[] = [];
    for (let at = 0; at < 60; at += 1) {
      const subject = `mdev.desired.c.${at % 5}`;
      own.push(await desired.append({ subject, id: `c-${at}`, data: new Uint8Array() }));
    }
    await Promise.all(writers.map(({ ended }) => ended));
    const mine = own.map((answer) => (answer.kind === 'stored' ? answer.sequence : 0));
    const sequences = [...mine, ...writers.flatMap(({ stored }) => stored)].sort((x, y) => x - y);
    expect(sequences).toEqual(Array.from({ length: 180 }, (_, at) => at + 1));
    await expectInStep(desired);
  });

  test('hear of each other at once, without waiting for the next look', async () => {
    const streams = await openStreams();
    const rung: Ring[] = [];
    streams.doorbell('a', (ring) => rung.push(ring));
    const writer = startWriter('a', 30);
    await writer.ended;
    await until(() => rung.at(-1)?.sequence === 30);
    expect(writer.stored).toHaveLength(30);
    expect(await streams.desired.info()).toMatchObject({ lastSequence: 30 });
  });

  test('keep the stream whole when one of them is killed as it writes', async () => {
    const { desired } = await openStreams();
    for (const name of ['a', 'b', 'c']) {
      const writer = startWriter(name, 100_000);
      await until(() => writer.stored.length > 20);
      writer.process.kill('SIGKILL');
      await writer.ended;
      const { lastSequence } = await desired.info();
      expect(lastSequence).toBeGreaterThanOrEqual(writer.stored.at(-1) ?? 0);
      await expectInStep(desired);
    }
  });
});

/** The log has no gap, and what the indexes say is what the log says. */
async function expectInStep(stream: Stream): Promise<void> {
  const { lastSequence } = await stream.info();
  const log: Message[] = [];
  for (let sequence = 1; sequence <= lastSequence; sequence += 1) {
    const message = await stream.at(sequence);
    if (message !== undefined) log.push(message);
  }
  expect(log).toHaveLength(lastSequence);
  const last = log.filter((one) => log.findLast(({ subject }) => subject === one.subject) === one);
  expect((await all(stream.lastPerSubject('mdev.desired.>'))).map(plain)).toEqual(last.map(plain));
  for (const host of ['a', 'b', 'c']) {
    const theirs = log.filter(({ subject }) => subject.startsWith(`mdev.desired.${host}.`));
    const read = await stream.next(`mdev.desired.${host}.*`, 0, lastSequence + 1);
    expect(read.map(plain)).toEqual(theirs.map(plain));
  }
  for (const { id, subject, sequence, data } of log.slice(0, 10)) {
    const repeat = await stream.append({ subject, id: id ?? '', data });
    expect(repeat).toEqual({ kind: 'stored', sequence, duplicate: true });
  }
}

describe('a commit', () => {
  test('is one for all that came in a turn of the event loop', async () => {
    const streams = await openStreams();
    const before = await transactions();
    const answers = await Promise.all(
      Array.from({ length: 50 }, (_, at) =>
        streams.desired.append({ subject: 'mdev.desired.a.x', id: String(at), data: new Uint8Array() }),
      ),
    );
    expect(answers.every(({ kind }) => kind === 'stored')).toBe(true);
    expect((await transactions()) - before).toBe(1);
  });

  test('stores nothing of its turn when one piece of work throws, and the next one is as ever', async () => {
    const embedded = await openHere();
    const database = embedded.database<string>('test');
    const put = (key: string) => embedded.commit(() => database.putSync(key, Buffer.from('value')));
    const fail = () =>
      embedded.commit(() => {
        throw new Error('no');
      });
    const settled = await Promise.allSettled([put('one'), fail(), put('two')]);
    expect(settled.map(({ status }) => status)).toEqual(['rejected', 'rejected', 'rejected']);
    expect([...database.getKeys()]).toEqual([]);
    await put('three');
    expect([...database.getKeys()]).toEqual(['three']);
  });

  test('that was under way is on the disk once the environment is closed', async () => {
    const embedded = await openHere();
    const database = embedded.database<string>('test');
    const committed = embedded.commit(() => database.putSync('key', Buffer.from('value')));
    opened.length = 0;
    await embedded.close();
    await committed;
    const again = (await openHere()).database<string>('test');
    expect(again.get('key')?.toString()).toBe('value');
  });
});

/** How many transactions the environment has had. */
async function transactions(): Promise<number> {
  const root = open({ path: join(dir, 'fleet'), noSubdir: false, readOnly: true, encoding: 'binary' });
  const { lastTxnId } = root.getStats() as { readonly lastTxnId: number };
  await root.close();
  return lastTxnId;
}

test('a slow look hears of what was not announced, again and again', async () => {
  const timers: { readonly delayMs: number; ring(): void }[] = [];
  const embedded = await openHere((delayMs, ring) => {
    timers.push({ delayMs, ring });
    return () => {};
  });
  const looks: number[] = [];
  embedded.onCommit(() => looks.push(looks.length));
  for (const round of [1, 2, 3]) {
    timers.findLast(({ delayMs }) => delayMs === NEVER_MS)?.ring();
    expect(looks).toHaveLength(round);
  }
});

test('a folder that cannot be used is named, with the way out', async () => {
  const file = join(dir, 'file');
  await writeFile(file, '');
  const attempt = openEmbedded(file, { after: systemClock.after, now: systemClock.wall });
  await expect(attempt).rejects.toThrow(EmbeddedUnavailable);
  await expect(attempt).rejects.toThrow(`${join(file, 'fleet')}: check that the folder exists`);
});
