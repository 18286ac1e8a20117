/**
 * A journal belongs to one machine: another one's is refused before anything is touched.
 */
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { journalFolder } from '../../src/config.ts';
import { EXIT } from '../../src/exit.ts';
import { openJournal } from '../../store/journal/journal-lmdb.ts';
import { mdevfleet } from '../src/cli/run.ts';
import { hashesOf, withJournal } from './journal-on-disk.ts';

const HOST = 'host-a';
let data: string;

beforeAll(() => {
  data = mkdtempSync(join(tmpdir(), 'mdevfleet-machine-'));
});
afterAll(() => rmSync(data, { recursive: true }));

test("another machine's journal is refused with both machines named, and left as it was", async () => {
  const dir = journalFolder(data, HOST);
  mkdirSync(dir, { recursive: true });
  const machine = { machineId: 'the-machine-before', product: null };
  const stamp = () => ({ time: '2026-01-02T03:04:05.000Z', boot: 'a-boot' });
  const identity = { host: HOST, machine, software: 'mdevfleet 0.0.0', create: 'a-journal' };
  await (await openJournal({ dir, ...identity, stamp })).close();
  const before = await withJournal(data, HOST, hashesOf);
  const { status, stderr } = await mdevfleet(['agent', '--host', HOST, '--data', data, '--simulate']);
  expect(status).toBe(EXIT.foreign);
  expect(stderr).toContain('the-machine-before');
  expect(stderr).toContain('simulated');
  expect(await withJournal(data, HOST, hashesOf)).toEqual(before);
});
