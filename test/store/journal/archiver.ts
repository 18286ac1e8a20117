/**
 * A program that a test starts: `archiver.ts DIR N` moves old records of the journal in DIR into segments, and kills itself
 * before its Nth call of the file system. LMDB makes its own calls, and sees to them.
 */
import fs from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';

const CALLS = [
  'mkdirSync',
  'openSync',
  'fsyncSync',
  'renameSync',
  'rmSync',
  'open',
  'write',
  'writev',
  'fsync',
  'close',
] as const;

const [dir = '', deadly = ''] = process.argv.slice(2);
const { archive } = await import('./archive-fixture.ts');
let made = 0;
for (const name of CALLS) {
  const call: (...args: never[]) => unknown = fs[name];
  Object.assign(fs, {
    [name]: (...args: never[]) => {
      made += 1;
      if (made === Number(deadly)) process.kill(process.pid, 'SIGKILL');
      return call(...args);
    },
  });
}
syncBuiltinESMExports();
await archive(dir, 11);
