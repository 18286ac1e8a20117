/**
 * bin/mdevfleet, copied into a checkout made for the purpose: which Node it takes, and what it says without one.
 */
import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';

const PROGRAM = join(dirname(import.meta.dirname), 'bin', 'mdevfleet');

describe('bin/mdevfleet', () => {
  let scratch: string;
  let checkout: string;

  beforeEach(() => {
    scratch = mkdtempSync(join(tmpdir(), 'mdevfleet-bin-'));
    checkout = join(scratch, 'a checkout');
    for (const folder of ['bin', 'src', 'node_modules/commander', 'node_modules/.bin']) {
      mkdirSync(join(checkout, folder), { recursive: true });
    }
    cpSync(PROGRAM, join(checkout, 'bin', 'mdevfleet'));
    writeFileSync(join(checkout, 'src', 'main.ts'), 'console.log(JSON.stringify(process.argv.slice(2)));');
  });
  afterEach(() => rmSync(scratch, { recursive: true }));

  function run(program: string, args: readonly string[], env: NodeJS.ProcessEnv = process.env) {
    return spawnSync(program, args, { encoding: 'utf8', env });
  }

  function machineNode(script: string): NodeJS.ProcessEnv {
    const folder = join(scratch, 'machine');
    mkdirSync(folder);
    writeFileSync(join(folder, 'node'), script, { mode: 0o755 });
    return { ...process.env, PATH: `${folder}${delimiter}${process.env['PATH']}` };
  }

  test('runs through symbolic links, on the Node of the checkout', () => {
    symlinkSync(process.execPath, join(checkout, 'node_modules', '.bin', 'node'));
    symlinkSync(join(checkout, 'bin', 'mdevfleet'), join(scratch, 'one'));
    symlinkSync('one', join(scratch, 'two'));
    const { stdout, status } = run(join(scratch, 'two'), ['get', 'a b'], machineNode('#!/bin/sh\nexit 9\n'));
    expect(JSON.parse(stdout)).toEqual(['get', 'a b']);
    expect(status).toBe(0);
  });

  test('runs on the machine’s Node when that is new enough', () => {
    const env = machineNode(`#!/bin/sh\nexec '${process.execPath}' "$@"\n`);
    const { stdout } = run(join(checkout, 'bin', 'mdevfleet'), ['x'], env);
    expect(JSON.parse(stdout)).toEqual(['x']);
  });

  test.each([
    ['#!/bin/sh\necho 20.19.0\n', 'found is 20.19.0'],
    ['#!/bin/sh\nexit 127\n', 'found is none'],
  ])('says what to do without a Node that is new enough', (script, found) => {
    const { stderr, status } = run(join(checkout, 'bin', 'mdevfleet'), [], machineNode(script));
    expect(stderr).toContain('needs Node 24 or newer');
    expect(stderr).toContain(found);
    expect(stderr).toContain(`cd '${checkout}' && npm run setup`);
    expect(status).toBe(1);
  });

  test('says what to do when its packages are not installed', () => {
    rmSync(join(checkout, 'node_modules'), { recursive: true });
    const { stderr, status } = run(join(checkout, 'bin', 'mdevfleet'), []);
    expect(stderr).toContain('packages are not installed');
    expect(stderr).toContain('npm run setup');
    expect(status).toBe(1);
  });
});
