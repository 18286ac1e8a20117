/**
 * What Node makes of the kernel's answers, and of those that do not come: why the agent compares errnos by number, and
 * leaves writing to processes of their own.
 */
import assert from 'node:assert/strict';
import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import {
  calls,
  create,
  created,
  devicePath,
  ERRNO,
  FOREVER_MS,
  onBus,
  P0,
  resetParents,
  setKnob,
  typePath,
  underParent,
  until,
  uuid,
} from './mdev.ts';
import type { Scenario } from './scenario.ts';

const ID = uuid(1);
/** As many as Node has threads for its asynchronous file operations. */
const BLOCKED = [11, 12, 13, 14].map(uuid);
/** More than a program would make that gives up at some time. */
const TRIES = 50;
/** Opens for writing alone, and neither makes nor empties what is there: sysfs has no more to offer. */
const APPEND = { flag: 'a' } as const;

/** The errors of a synchronous and of an asynchronous write. */
async function errorsOf(path: string, text: string): Promise<readonly NodeJS.ErrnoException[]> {
  const errors: NodeJS.ErrnoException[] = [];
  assert.throws(
    () => writeFileSync(path, text, APPEND),
    (error: NodeJS.ErrnoException) => errors.push(error) > 0,
  );
  await assert.rejects(
    writeFile(path, text, APPEND),
    (error: NodeJS.ErrnoException) => errors.push(error) > 0,
  );
  return errors;
}

/** Runs a function by its source text in a Node process of its own, with words as its arguments. */
function runApart(
  act: (...words: string[]) => void,
  words: readonly string[],
): ChildProcessWithoutNullStreams {
  const list = words.map((word) => JSON.stringify(word)).join(', ');
  return spawn(process.execPath, ['--eval', `(${act})(${list})`]);
}

function createSynchronously(path = '', id = ''): void {
  process.getBuiltinModule('node:fs').writeFileSync(path, id, { flag: 'a' });
}

/** Writes to all files at once, and answers each line that it is sent in two ways. */
function removeAndAnswer(...paths: string[]): void {
  const fs = process.getBuiltinModule('node:fs');
  for (const path of paths) fs.writeFile(path, '1', { flag: 'a' }, () => undefined);
  process.stdin.on('data', () => {
    fs.stat('/', () => console.log('asynchronously'));
    fs.statSync('/');
    console.log('synchronously');
  });
}

export const scenario: Scenario = {
  module: import.meta.url,
  setUp: resetParents,
  cases: {
    'errnos that Node has no name for have their number, and no code that tells them apart': async () => {
      await created(P0, 'a', ID);
      for (const errno of [ERRNO.EUSERS, ERRNO.ETIME, ERRNO.EPROBE_DEFER]) {
        setKnob(P0, 'attribute_errno', errno);
        for (const error of await errorsOf(devicePath(P0, ID, 'vendor/level'), '1')) {
          assert.equal(error.errno, -errno);
          assert.match(error.code ?? '', /^UNKNOWN$|^Unknown system error/);
        }
      }
    },
    'a write that is answered EINTR is tried for ever; killing its process ends it and leaves nothing':
      async () => {
        setKnob(P0, 'probe_errno', ERRNO.EINTR);
        const { probes } = calls(P0);
        const writer = runApart(createSynchronously, [typePath(P0, 'a', 'create'), ID]);
        await until('the writer to have tried often', () => calls(P0).probes > probes + TRIES);
        assert.deepEqual([writer.exitCode, writer.signalCode], [null, null]);
        const exit = once(writer, 'exit');
        writer.kill('SIGKILL');
        assert.deepEqual(await exit, [null, 'SIGKILL']);
        assert.deepEqual([onBus(ID), underParent(P0, ID)], [false, false]);
        setKnob(P0, 'probe_errno', 0);
        assert.equal(await create(P0, 'a', ID), 0);
      },
    'four blocked removals keep a Node process from every other asynchronous file operation': async () => {
      for (const id of BLOCKED) await created(P0, 'a', id);
      setKnob(P0, 'remove_delay_ms', FOREVER_MS);
      const { removes } = calls(P0);
      const remover = runApart(
        removeAndAnswer,
        BLOCKED.map((id) => devicePath(P0, id, 'remove')),
      );
      const said: string[] = [];
      remover.stdout.setEncoding('utf8').on('data', (text: string) => said.push(...text.trim().split('\n')));
      await until('four removals to block', () => calls(P0).removes === removes + BLOCKED.length);
      for (const asked of [1, 2]) {
        remover.stdin.write('?\n');
        await until('an answer', () => said.length === asked);
      }
      assert.deepEqual(said, ['synchronously', 'synchronously']);
      setKnob(P0, 'remove_delay_ms', 0);
      await until('the other answers', () => said.length === 4);
      assert.deepEqual(said.slice(2), ['asynchronously', 'asynchronously']);
      const exit = once(remover, 'exit');
      remover.stdin.end();
      assert.deepEqual(await exit, [0, null]);
    },
  },
};
