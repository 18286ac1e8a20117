import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { expect, onTestFinished, test, vi } from 'vitest';
import { JournalRefused } from '../../../store/journal/journal-refused.ts';
import { lockJournal } from '../../../store/journal/lock.ts';
import { makeTempFolder } from './journal-folder.ts';

const HOLDER = fileURLToPath(new URL('./lock-holder.ts', import.meta.url));
const SELF = { pid: process.pid, host: 'node-1', since: '2026-02-02T00:00:00.000Z' };

function refusal(take: () => unknown): JournalRefused {
  try {
    take();
  } catch (error) {
    if (error instanceof JournalRefused) return error;
    throw error;
  }
  throw new Error('the lock was taken');
}

test('a second process is told who holds the journal, and gets it when that one is killed', async () => {
  const dir = join(makeTempFolder(), 'hosts', 'node-1');
  const holder = spawn(process.execPath, [HOLDER, dir], { stdio: ['pipe', 'pipe', 'inherit'] });
  onTestFinished(() => void holder.kill('SIGKILL'));
  const [line] = await once(createInterface(holder.stdout), 'line');
  const helper = Number(line);
  onTestFinished(() => void process.kill(helper, 'SIGKILL'));

  const { reason, message } = refusal(() => lockJournal(dir, SELF));
  expect(reason).toBe('held');
  for (const part of [dir, `process ${holder.pid} on node-1`, '2026-01-01T00:00:00.000Z'])
    expect(message).toContain(part);

  holder.kill('SIGKILL');
  await once(holder, 'exit');
  expect(process.kill(helper, 0)).toBe(true);
  lockJournal(dir, SELF).release();
});

test('is exclusive within a process too, names its holder, and is free once released', () => {
  const dir = makeTempFolder();
  const lock = lockJournal(dir, SELF);
  expect(refusal(() => lockJournal(dir, { ...SELF, pid: 1 })).message).toContain(`process ${SELF.pid}`);
  expect(JSON.parse(readFileSync(join(dir, 'agent.lock'), 'utf8'))).toEqual(SELF);
  lock.release();
  lockJournal(dir, SELF).release();
});

test('without flock it says what to install', () => {
  const dir = makeTempFolder();
  vi.stubEnv('PATH', dir);
  onTestFinished(() => void vi.unstubAllEnvs());
  const { reason, message } = refusal(() => lockJournal(dir, SELF));
  expect(reason).toBe('no-flock');
  expect(message).toContain('util-linux');
});
