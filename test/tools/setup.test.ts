/**
 * tools/setup.mjs, copied into a checkout made for the purpose, with an npm that only notes what it is asked. That
 * the real npm installs from the lockfile is seen by every run of the suite in a fresh clone.
 */
import { spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';

const TOOLS = join(dirname(dirname(import.meta.dirname)), 'tools');

const LOCK = {
  packages: {
    '': { version: '1.0.0' },
    'node_modules/zod': { version: '4.0.0' },
    'node_modules/zod-for-another-platform': { version: '4.0.0', optional: true },
  },
};

describe('tools/setup.mjs', () => {
  let checkout: string;
  const inCheckout = (path: string) => join(checkout, path);

  beforeEach(() => {
    checkout = mkdtempSync(join(tmpdir(), 'mdevfleet-setup-'));
    for (const folder of ['tools', 'path', 'node_modules']) mkdirSync(inCheckout(folder));
    for (const file of ['setup.mjs', 'node-release.mjs']) {
      cpSync(join(TOOLS, file), inCheckout(`tools/${file}`));
    }
    writeFileSync(inCheckout('package-lock.json'), JSON.stringify(LOCK));
    npm('exit 0');
  });
  afterEach(() => rmSync(checkout, { recursive: true }));

  function npm(ending: string): void {
    const script = `#!/bin/sh\necho "$*" >>'${inCheckout('asked')}'\n${ending}\n`;
    writeFileSync(inCheckout('path/npm'), script, { mode: 0o755 });
  }

  function installed(zod: string): void {
    const packages = { 'node_modules/zod': { version: zod } };
    writeFileSync(inCheckout('node_modules/.package-lock.json'), JSON.stringify({ packages }));
  }

  function setup() {
    const path = `${inCheckout('path')}${delimiter}${process.env['PATH']}`;
    const result = spawnSync(process.execPath, [inCheckout('tools/setup.mjs')], {
      encoding: 'utf8',
      env: { ...process.env, PATH: path },
    });
    const asked = existsSync(inCheckout('asked')) ? readFileSync(inCheckout('asked'), 'utf8') : '';
    return { status: result.status, said: result.stdout + result.stderr, asked };
  }

  test('is silent and fetches nothing when everything is in place', () => {
    installed('4.0.0');
    expect(setup()).toEqual({ status: 0, said: '', asked: '' });
  });

  test.each([
    ['nothing is installed', () => undefined],
    ['another version is installed', () => installed('3.9.0')],
  ])('installs from the lockfile when %s, and says so in one line', (_, arrange) => {
    arrange();
    const { status, said, asked } = setup();
    expect(asked).toMatch(/^ci --ignore-scripts /);
    expect(said).toBe('setup: fetching the packages of package-lock.json: npm ci --ignore-scripts\n');
    expect(status).toBe(0);
  });

  test('fails when npm fails, with what npm said', () => {
    npm('echo "no network" >&2; exit 7');
    const { status, said } = setup();
    expect(said).toContain('no network');
    expect(said).toContain('npm ci failed (exit status 7)');
    expect(status).toBe(1);
  });
});
