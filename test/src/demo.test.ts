/**
 * The demo as a process: what it tells holds in what it leaves, and the commands that it names work.
 */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Fact } from '../../events/fact.ts';
import { decodeRecord } from '../../events/record.ts';
import { buildProgram } from '../../src/cli/program.ts';
import { EXIT } from '../../src/exit.ts';
import { openFiles } from '../../store/journal/journal-files.ts';
import { LmdbStorage } from '../../store/journal/lmdb-storage.ts';
import { recordsOf } from '../../store/journal/replay.ts';
import { mdevfleet, mdevfleetJson } from './cli/run.ts';

const ROOT = dirname(dirname(import.meta.dirname));
const HERO = '8f0e4c2b-91d6-4f7c-b3a5-2d6c1e9f7a12';
const HOSTS = ['host-a', 'host-b', 'host-c'];
const WHOLE_RUN_MS_MAX = 5 * 60_000;

let scratch: string;
beforeAll(() => {
  scratch = mkdtempSync(join(tmpdir(), 'mdevfleet-demo-test-'));
});
afterAll(() => rmSync(scratch, { recursive: true }));

/** A demo under way; settings of a real fleet are in its environment, and must not matter. */
class Demo {
  readonly child: ChildProcess;
  readonly ended: Promise<number | null>;
  stdout = '';
  stderr = '';

  constructor() {
    const fleet = { MDEVFLEET_NATS: 'nats://127.0.0.1:1', MDEVFLEET_DATA: join(scratch, 'real') };
    const env = { ...process.env, ...fleet, TMPDIR: scratch };
    const child = spawn(process.execPath, [join(ROOT, 'src', 'main.ts'), 'demo'], { env });
    child.stdout.setEncoding('utf8').on('data', (text) => {
      this.stdout += text;
    });
    child.stderr.setEncoding('utf8').on('data', (text) => {
      this.stderr += text;
    });
    this.child = child;
    this.ended = once(child, 'close').then(([status]) => status);
  }

  /** Resolves when it has printed the text. */
  async printed(text: string): Promise<void> {
    while (!this.stdout.includes(text)) {
      const ended = await Promise.race([once(this.child.stdout ?? this.child, 'data'), this.ended]);
      if (!Array.isArray(ended)) throw new Error(`it ended with ${ended} before "${text}": ${this.stderr}`);
    }
  }

  get dir(): string {
    return /DIR is (\S+)/.exec(this.stdout)?.[1] ?? '';
  }

  /** The lines under the heading, until the next empty one. */
  chapter(heading: string): readonly string[] {
    const [, rest = ''] = this.stdout.split(`\n${heading}\n`);
    return rest
      .slice(0, rest.search(/\n\n|\n$/))
      .split('\n')
      .map((line) => line.trim());
  }
}

/** Ids of processes that have the folder on their command line. */
function processesOn(dir: string): readonly string[] {
  return readdirSync('/proc').filter((pid) => {
    try {
      return /^\d+$/.test(pid) && readFileSync(join('/proc', pid, 'cmdline'), 'utf8').includes(dir);
    } catch {
      return false;
    }
  });
}

async function factsOf(dir: string, host: string): Promise<readonly Fact[]> {
  const storage = new LmdbStorage(openFiles(join(dir, 'hosts', host), true));
  const facts = [...recordsOf(storage)].flatMap(({ bytes }) => decodeRecord(bytes).fact ?? []);
  await storage.close();
  return facts;
}

function about(uuid: string, facts: readonly Fact[]): readonly string[] {
  return facts.filter((fact) => 'uuid' in fact && fact.uuid === uuid).map(({ kind }) => kind);
}

describe('a demo that runs to its end', () => {
  let demo: Demo;
  let status: number | null;

  beforeAll(async () => {
    demo = new Demo();
    status = await demo.ended;
  }, WHOLE_RUN_MS_MAX);

  test('ends well, without a warning, without a process left, and without a file of a real fleet', () => {
    expect({ status, stderr: demo.stderr }).toEqual({ status: EXIT.ok, stderr: '' });
    expect(processesOn(demo.dir)).toEqual([]);
    expect(readdirSync(scratch)).toEqual([demo.dir.slice(scratch.length + 1)]);
  });

  test('is plain text in 100 columns where it is not read on a terminal', () => {
    const lines = demo.stdout.split('\n').filter((line) => !line.includes(demo.dir));
    expect(lines.filter((line) => line.length > 100)).toEqual([]);
    expect(demo.stdout).not.toContain('\u001b');
  });

  test('1 and 2: three hosts start, and every declared device is ready', () => {
    const hosts = demo.chapter('1  Three hosts start').slice(1);
    expect(hosts.map((line) => line.split(/\s+/)[0])).toEqual(HOSTS);
    const devices = demo.chapter('2  What is declared appears').filter((line) => line.startsWith('host-'));
    expect(devices).toHaveLength(7);
    expect(devices.filter((line) => line.endsWith('  ready'))).toEqual(devices);
  });

  test('3: one write was refused with EAGAIN once, and then went well', () => {
    const chapter = demo.chapter('3  A refusal that passes').join(' ');
    expect(chapter).toMatch(
      /host-a +create: write of .* answered EAGAIN \(11\).* host-a +the device is made$/,
    );
    const log = readFileSync(join(demo.dir, 'logs', 'agent-host-a.log'), 'utf8').split('\n');
    const refused = log.filter((line) => line.includes(HERO) && line.includes('EAGAIN'));
    expect(refused).toHaveLength(1);
  });

  test('4 to 7: the journals tell what the story tells', async () => {
    expect(demo.chapter('4  A UUID that is taken').join(' ')).toContain(
      'conflict, UuidHeld: held by host host-a',
    );
    expect(demo.chapter('5  A device that disappears').join(' ')).toContain('drift, Removed');
    expect(demo.chapter('6  An agent that is killed').join(' ')).toContain('Nothing is lost');
    expect(demo.chapter('7  A UUID that is given back').join(' ')).toContain('the UUID given back');
    const [a = [], b = [], c = []] = await Promise.all(HOSTS.map((host) => factsOf(demo.dir, host)));
    const life = [
      'declared',
      'claiming',
      'reserved',
      'active',
      'drift',
      'active',
      'declared',
      'releasing',
      'gone',
    ];
    expect(about(HERO, a)).toEqual(life);
    expect(about(HERO, b)).toEqual([]);
    const rival = ['declared', 'claiming', 'conflict', 'commanded', 'claiming', 'reserved', 'active'];
    expect(about(HERO, c)).toEqual(rival);
    expect(c.find(({ kind }) => kind === 'conflict')).toMatchObject({
      holder: { claim: { host: 'host-a' } },
    });
    const lives = a.map(({ kind }) => kind).filter((kind) => kind === 'started' || kind === 'stopped');
    expect(lives).toEqual(['started', 'started', 'stopped']);
  });

  test('8: the journals are whole, and their history is told from the first fact to the last', async () => {
    const chapter = demo.chapter('8  The journals, replayed');
    for (const host of HOSTS) {
      const verified = await mdevfleetJson(['verify', '--host', host, '--data', demo.dir]);
      const seq = (await factsOf(demo.dir, host)).length;
      expect(verified).toMatchObject({ kind: 'sound', tail: { seq }, projections: 'in-step' });
      const row = chapter.find((line) => line.startsWith(`${host} `) && line.endsWith('the same'));
      expect(row?.split(/\s{2,}/).slice(0, 2)).toEqual([host, String(seq)]);
    }
    const history = chapter.filter((line) => /^\d\d:\d\d:\d\d\.\d{3} /.test(line));
    expect(history).toHaveLength(9 + 7);
    expect(history).toEqual(history.toSorted());
  });

  test('the commands that it shows are commands', async () => {
    const shown = [...demo.stdout.matchAll(/^ +\$ mdevfleet (.*)$/gm)].map(([, args = '']) => args);
    const parsed: string[] = [];
    for (const args of shown) {
      const program = buildProgram('', async () => void parsed.push(args));
      await program.parseAsync(args.split(' '), { from: 'user' });
    }
    expect(parsed).toEqual(shown);
    expect(shown).toHaveLength(10);
  });

  test('its journals are not taken for those of a real host', async () => {
    const real = ['--host', 'host-a', '--data', demo.dir, '--sysfs', scratch];
    const { status, stderr } = await mdevfleet(['agent', ...real]);
    expect(status, stderr).toBe(EXIT.foreign);
  });

  test(
    'what it says to try next works',
    async () => {
      const env = { ...process.env, PATH: `${dirname(process.execPath)}${delimiter}${process.env['PATH']}` };
      const [look = '', again = '', withdraw = '', away = ''] = demo
        .chapter('Try next')
        .filter((line) => line.startsWith('$ '))
        .map((line) => line.slice(2));
      const sh = (command: string) => spawnSync('sh', ['-c', command], { cwd: ROOT, env, encoding: 'utf8' });
      expect(sh(look).stdout).toMatch(new RegExp(`host-c +${HERO} .*ready`));

      const agent = spawn('sh', ['-c', `exec ${again}`], { cwd: ROOT, env, stdio: 'ignore' });
      const ended = once(agent, 'exit');
      const rebooted = async () =>
        (await factsOf(demo.dir, 'host-c')).map((fact) => fact.kind === 'drift' && fact.cause);
      await expect.poll(rebooted, { timeout: 60_000 }).toContain('Rebooted');
      expect(sh(withdraw)).toMatchObject({ status: EXIT.ok });
      const life = async () => about(HERO, await factsOf(demo.dir, 'host-c'));
      await expect.poll(life, { timeout: 60_000 }).toContain('gone');
      agent.kill('SIGTERM');
      expect(await ended).toEqual([EXIT.ok, null]);

      expect(sh(away).status).toBe(0);
      expect(existsSync(demo.dir)).toBe(false);
    },
    WHOLE_RUN_MS_MAX,
  );
});

describe('a demo that cannot go on', () => {
  test(
    'ends its processes and says why when it is interrupted',
    async () => {
      const demo = new Demo();
      await demo.printed('2  What is declared');
      demo.child.kill('SIGINT');
      expect(await demo.ended).toBe(EXIT.incomplete);
      expect(demo.stderr).toContain('SIGINT');
      expect(processesOn(demo.dir)).toEqual([]);
    },
    WHOLE_RUN_MS_MAX,
  );

  test(
    'says which of its processes ended, and how',
    async () => {
      const demo = new Demo();
      await demo.printed('2  What is declared');
      const [, pid] = /host-b +process (\d+)/.exec(demo.stdout) ?? [];
      process.kill(Number(pid), 'SIGKILL');
      expect(await demo.ended).toBe(EXIT.unexpected);
      expect(demo.stderr).toContain('kernel-host-b ended by itself, SIGKILL');
      expect(processesOn(demo.dir)).toEqual([]);
    },
    WHOLE_RUN_MS_MAX,
  );
});
