/**
 * `journal archive`: every verb answers as it did before, and a fleet that lost its stream is told everything again.
 */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { openFleetPorts } from '../../../src/agent/fleet-ports.ts';
import { EXIT } from '../../../src/exit.ts';
import { Forwarder } from '../../../store/forward.ts';
import type { Journal } from '../../../store/journal/journal.ts';
import { openJournal } from '../../../store/journal/journal-lmdb.ts';
import { lockJournal } from '../../../store/journal/lock.ts';
import { declared, durable, HOST, makeStamp, OWN, UUID } from '../../store/journal/journal-fixture.ts';
import { runInProcess } from './in-process.ts';

const RECORDS = 9;

function makeData(): string {
  const data = mkdtempSync(join(tmpdir(), 'mdevfleet-archive-'));
  onTestFinished(() => rmSync(data, { recursive: true, force: true }));
  return data;
}

const folderIn = (data: string) => join(data, 'hosts', HOST);

function open(data: string): Promise<Journal> {
  return openJournal({ ...OWN, dir: folderIn(data), create: 'journal-1', stamp: makeStamp() });
}

async function forward(data: string, journal: Journal): Promise<void> {
  const fleet = await openFleetPorts({ kind: 'embedded', data, prefix: 'mdev', pollMs: 100 }, 'test');
  const forwarder = new Forwarder({ journal, stream: fleet.streams.observed, host: HOST, prefix: 'mdev' });
  expect(await forwarder.flush()).toBe(true);
  await fleet.close();
}

/** A verb on the host; what it printed, if it went well. */
async function said(data: string, ...args: string[]): Promise<string> {
  const { status, stdout, stderr } = await runInProcess([...args, '--host', HOST, '--data', data]);
  expect({ status, stderr }).toMatchObject({ status: EXIT.ok });
  return stdout;
}

/** What verbs that read the journal's past answer, and the journal as it is exported. */
async function answers(data: string, name: string): Promise<readonly string[]> {
  const file = join(data, `${name}.ndjson`);
  await said(data, 'export', 'journal', file);
  const asked = [
    ['log', '--json'],
    ['history', UUID, '--json'],
    ['replay', '--at', '3', '--json'],
    ['replay', '--diff', '2', '8', '--json'],
  ];
  const told: string[] = [readFileSync(file, 'utf8')];
  for (const args of asked) told.push(await said(data, ...args, '--from', 'journal'));
  return told;
}

test('an archived journal answers as before, verifies piece by piece, and is forwarded from its first record again', async () => {
  const data = makeData();
  const journal = await open(data);
  const facts = Array.from({ length: RECORDS - 1 }, (_, n) => declared(UUID, n + 1));
  for (const answer of await Promise.all(facts.map((fact) => journal.append({ facts: [fact] }))))
    durable(answer);
  await forward(data, journal);
  await journal.close();
  const before = await answers(data, 'before');

  expect(await said(data, 'journal', 'archive', '--before', '4')).toContain('moved records 1 to 3');
  const { time } = JSON.parse(before[0]?.split('\n')[6] ?? '');
  expect(await said(data, 'journal', 'archive', '--before', time)).toContain('moved records 4 to 6');
  expect(await said(data, 'journal', 'archive', '--before', time)).toContain('nothing was moved');
  expect(await answers(data, 'after')).toEqual(before);

  const [first, second] = ['0000000001-0000000003', '0000000004-0000000006'].map((name) =>
    join(folderIn(data), 'archive', `${name}.ndjson.gz`),
  );
  expect(await said(data, 'verify', '--file', first ?? '')).toContain('is whole: 3 records');
  expect(await said(data, 'verify', '--file', second ?? '')).toContain('is whole: records 4 to 6');

  rmSync(join(data, 'fleet'), { recursive: true });
  const again = await open(data);
  await forward(data, again);
  await again.close();
  expect(await said(data, 'verify', '--against-stream')).toContain('the fleet has all of it');
});

test('is refused while an agent runs, and without a moment', async () => {
  const data = makeData();
  await (await open(data)).close();
  const lock = lockJournal(folderIn(data), { pid: 1, host: 'test', since: '2026-01-01T00:00:00Z' });
  const archive = ['journal', 'archive', '--host', HOST, '--data', data];
  expect(await runInProcess([...archive, '--before', '2'])).toMatchObject({ status: EXIT.locked });
  lock.release();
  expect(await runInProcess(archive)).toMatchObject({ status: EXIT.usage });
});
