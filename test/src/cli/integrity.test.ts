/**
 * What an auditor does: checkpoints and exports are taken from a host, and verified where there is nothing else; with
 * this program, and with the one of another language in docs/, which must agree.
 */
import { spawnSync } from 'node:child_process';
import { appendFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import type { Fact } from '../../../events/fact.ts';
import { openFleetPorts } from '../../../src/agent/fleet-ports.ts';
import { checkpoint } from '../../../src/cli/checkpoint.ts';
import { exporting, importing } from '../../../src/cli/exchange.ts';
import { errorLines, outcomeOf } from '../../../src/cli/failures.ts';
import { Output } from '../../../src/cli/output.ts';
import type { Verb } from '../../../src/cli/verb.ts';
import { verify } from '../../../src/cli/verify.ts';
import { type Flags, readSettings } from '../../../src/config.ts';
import { Forwarder } from '../../../store/forward.ts';
import type { Journal } from '../../../store/journal/journal.ts';
import { openJournal } from '../../../store/journal/journal-lmdb.ts';
import { openSigningKey } from '../../../store/journal/signing-key.ts';
import {
  declared,
  durable,
  HOST,
  makeStamp,
  OTHER_UUID,
  OWN,
  UUID,
} from '../../store/journal/journal-fixture.ts';

const VERIFIER = join(dirname(dirname(dirname(import.meta.dirname))), 'docs', 'verify.py');

let data: string;
const at = (name: string) => join(data, name);
const folder = () => join(data, 'hosts', HOST);

type Ended = { readonly outcome: string; readonly said: string };

/** Runs a verb in this process, which may be spared. */
async function run(verb: Verb, flags: Flags, args: readonly string[] = []): Promise<Ended> {
  const said: string[] = [];
  const sink = { write: (text: string) => said.push(text) };
  const out = new Output(sink, sink);
  try {
    const outcome = await verb({
      settings: readSettings({ host: HOST, data, ...flags }, {}),
      args,
      flags,
      out,
    });
    return { outcome, said: said.join('') };
  } catch (error) {
    const lines = errorLines(error, { terminal: false, verbose: false });
    return { outcome: outcomeOf(error), said: said.join('') + lines.join('\n') };
  }
}

async function signed(journal: Journal): Promise<void> {
  const { publicKey, sign } = openSigningKey(folder());
  const { seq, hash } = journal.tail();
  const note = sign({
    host: HOST,
    journal: journal.identity.journal,
    seq,
    hash,
    time: '2026-01-01T00:00:00Z',
  });
  durable(await journal.append({ facts: [{ kind: 'checkpoint', v: 1, publicKey, note }], follows: seq }));
}

/** Records 1 to 12 and what is taken of them at record 9; the fleet has them up to 10. */
beforeAll(async () => {
  vi.stubEnv('MDEVFLEET_SPARE_PROCESS', '1');
  data = mkdtempSync(join(tmpdir(), 'mdevfleet-integrity-'));
  const journal = await openJournal({ ...OWN, dir: folder(), create: 'journal-1', stamp: makeStamp() });
  const more = async (...facts: Fact[]) => durable(await journal.append({ facts }));
  await more(declared(UUID, 1), declared(OTHER_UUID, 2), declared(UUID, 3));
  await signed(journal);
  await more(declared(OTHER_UUID, 4), declared(UUID, 5));
  await signed(journal);
  await more({ kind: 'stopped', v: 1 });
  await journal.close();
  writeFileSync(at('key.pem'), (await run(checkpoint, { publicKey: true })).said);
  writeFileSync(at('note'), (await run(checkpoint, {})).said);
  await run(exporting, {}, ['journal', at('early.ndjson')]);
  const again = await openJournal({ ...OWN, dir: folder(), stamp: makeStamp() });
  durable(await again.append({ facts: [declared(UUID, 6)] }));
  await forwarded(again);
  durable(await again.append({ facts: [declared(UUID, 7), declared(UUID, 8)] }));
  await again.close();
  for (const name of ['all.ndjson', 'all.ndjson.gz'])
    expect(await run(exporting, {}, ['journal', at(name)])).toMatchObject({ outcome: 'ok' });
});

async function forwarded(journal: Journal): Promise<void> {
  const fleet = await openFleetPorts({ kind: 'embedded', data, prefix: 'mdev', pollMs: 100 }, 'test');
  const forwarder = new Forwarder({ journal, stream: fleet.streams.observed, host: HOST, prefix: 'mdev' });
  expect(await forwarder.flush()).toBe(true);
  await fleet.close();
}

afterAll(() => {
  vi.unstubAllEnvs();
  rmSync(data, { recursive: true });
});

function lines(name: string): readonly string[] {
  return readFileSync(at(name), 'utf8').trimEnd().split('\n');
}

function write(name: string, content: readonly string[]): string {
  writeFileSync(at(name), content.map((line) => `${line}\n`).join(''));
  return at(name);
}

function independently(...args: string[]): { readonly status: number | null; readonly said: string } {
  const { status, stdout, stderr } = spawnSync('python3', [VERIFIER, ...args], { encoding: 'utf8' });
  return { status, said: stdout + stderr };
}

describe('a journal', () => {
  test('is whole, says how far it is signed, and what is nowhere else', async () => {
    const found = await run(verify, { checkpoint: at('note'), publicKey: at('key.pem') });
    expect(found.outcome).toBe('ok');
    expect(found.said).toContain('is whole: 12 records, 2 devices');
    expect(found.said).toContain('signed up to record 7');
    expect(found.said).toContain('up to record 10: 2 records are nowhere else');
    expect(found.said).toContain('vouches for the records after 8');
  });

  test('is as the fleet was told', async () => {
    const found = await run(verify, { againstStream: true, json: true });
    expect(found.outcome).toBe('ok');
    expect(JSON.parse(found.said)).toMatchObject({ tail: { seq: 12 }, told: { reaches: 10, missing: null } });
  });

  test('is not exported over a file', async () => {
    const before = lines('all.ndjson');
    expect(await run(exporting, {}, ['journal', at('all.ndjson')])).toMatchObject({ outcome: 'refused' });
    expect(lines('all.ndjson')).toEqual(before);
  });
});

describe('an exported journal, with nothing but its file and the key', () => {
  const known = () => ({ checkpoint: at('note'), publicKey: at('key.pem') });

  test.each(['all.ndjson', 'all.ndjson.gz'])('%s is whole, and both programs say so', async (name) => {
    const found = await run(verify, { ...known(), file: at(name) });
    expect(found).toMatchObject({ outcome: 'ok', said: expect.stringContaining('is whole: 12 records') });
    expect(independently(at(name), at('key.pem'), at('note'))).toMatchObject({
      status: 0,
      said: expect.stringMatching(/^whole: 12 records.* signed up to 7\n$/),
    });
  });

  test('whose end was cut off fits itself, and not a checkpoint', async () => {
    const cut = write('cut.ndjson', lines('all.ndjson').slice(0, 8));
    expect(await run(verify, { file: cut, publicKey: at('key.pem') })).toMatchObject({ outcome: 'ok' });
    expect(await run(verify, { ...known(), file: cut })).toMatchObject({
      outcome: 'damaged',
      said: expect.stringContaining('ends at record 8'),
    });
    expect(independently(cut)).toMatchObject({ status: 0 });
    expect(independently(cut, at('key.pem'), at('note'))).toMatchObject({
      status: 1,
      said: expect.stringContaining('record 9 '),
    });
  });

  test('that is older than the fleet remembers is told', async () => {
    expect(await run(verify, { file: at('early.ndjson'), againstStream: true })).toMatchObject({
      outcome: 'damaged',
      said: expect.stringContaining('the fleet was told of 10'),
    });
  });

  test('is not vouched for by the key of another host', async () => {
    const other = openSigningKey(mkdtempSync(join(data, 'other-')));
    writeFileSync(
      at('other.pem'),
      (await import('../../../store/journal/checkpoint.ts')).pemOfKey(other.publicKey),
    );
    expect(await run(verify, { file: at('all.ndjson'), publicKey: at('other.pem') })).toMatchObject({
      outcome: 'damaged',
      said: expect.stringContaining('another key'),
    });
    expect(
      await run(verify, { ...known(), file: at('all.ndjson'), publicKey: at('other.pem') }),
    ).toMatchObject({
      outcome: 'damaged',
      said: expect.stringContaining('not signed with the key'),
    });
  });

  test.each<[string, (all: string[]) => string[]]>([
    ['a record changed', (all) => all.with(4, (all[4] ?? '').replace('boot-1', 'boot-2'))],
    [
      'the record behind a checkpoint changed',
      (all) => all.with(5, (all[5] ?? '').replace('boot-1', 'boot-2')),
    ],
    [
      'the record before the last changed',
      (all) => all.with(10, (all[10] ?? '').replace('boot-1', 'boot-2')),
    ],
    ['genesis changed', (all) => all.with(0, (all[0] ?? '').replace('boot-1', 'boot-2'))],
    ['a record dropped', (all) => all.toSpliced(6, 1)],
    ['two records swapped', (all) => all.with(2, all[3] ?? '').with(3, all[2] ?? '')],
    ['a record inserted', (all) => all.toSpliced(3, 0, all[3] ?? '')],
    ['a line broken', (all) => all.with(9, (all[9] ?? '').slice(0, 40))],
    [
      'a signature changed',
      (all) => all.with(4, (all[4] ?? '').replace(/\u2014 node-1 ..../, '\u2014 node-1 AAAA')),
    ],
    ['nothing', (all) => all.slice(0, 0)],
  ])('with %s: both programs name the same record', async (_what, damage) => {
    const file = write('damaged.ndjson', damage([...lines('all.ndjson')]));
    const ours = await run(verify, { file, json: true });
    expect(ours.outcome).toBe('damaged');
    const [, json = ''] = /^(\{[\s\S]*?\n\})/.exec(ours.said) ?? [];
    const { firstBad } = JSON.parse(json);
    const theirs = independently(file);
    expect(theirs).toMatchObject({
      status: 1,
      said: expect.stringContaining(`damaged: record ${firstBad} is`),
    });
  });

  test('becomes a journal again, in an empty place only', async () => {
    const place = mkdtempSync(join(data, 'again-'));
    const again = { data: place };
    expect(await run(importing, again, ['journal', at('all.ndjson.gz')])).toMatchObject({ outcome: 'ok' });
    expect(await run(exporting, again, ['journal', at('again.ndjson')])).toMatchObject({ outcome: 'ok' });
    expect(lines('again.ndjson')).toEqual(lines('all.ndjson'));
    expect(await run(verify, { ...again, ...known() })).toMatchObject({ outcome: 'ok' });
    appendFileSync(at('cut.ndjson'), '{');
    const spoilt = { data: mkdtempSync(join(data, 'spoilt-')) };
    expect(await run(importing, spoilt, ['journal', at('cut.ndjson')])).toMatchObject({ outcome: 'damaged' });
    expect(await run(verify, spoilt)).toMatchObject({ outcome: 'usage' });
    const other = { ...spoilt, host: 'node-2' };
    expect(await run(importing, other, ['journal', at('all.ndjson')])).toMatchObject({ outcome: 'foreign' });
  });
});
