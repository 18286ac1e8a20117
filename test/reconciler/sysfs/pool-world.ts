/**
 * A pool of real helpers in a folder of its own, and a write that hangs for as long as a test wants.
 */
import { execFileSync } from 'node:child_process';
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeEach, expect } from 'vitest';
import type { Uuid } from '../../../events/names.ts';
import { systemClock } from '../../../reconciler/clock-system.ts';
import { busyWriters } from '../../../reconciler/sysfs/writer-marks.ts';
import {
  createWriterPool,
  type WriterPool,
  type WriterPoolOptions,
} from '../../../reconciler/sysfs/writer-pool.ts';

export const A = '00000000-0000-4000-8000-00000000000a';
export const B = '00000000-0000-4000-8000-00000000000b';
export const OK = { kind: 'ok' };
export const SOON = { timeout: 20_000 };
/** Long enough that nothing in a test ever waits for it. */
const NEVER_MS = 600_000;

export class PoolWorld {
  readonly folder = mkdtempSync(join(tmpdir(), 'mdevfleet-pool-'));
  readonly marksDir = join(this.folder, 'writers');
  /** A write to this file hangs until somebody lets it go. */
  readonly hangs = join(this.folder, 'hangs');
  readonly #pools: WriterPool[] = [];

  constructor(compiled: string) {
    mkdirSync(this.marksDir);
    // What helpers compile is kept from one test to the next.
    symlinkSync(compiled, join(this.marksDir, 'cache'));
    // Opening a pipe for writing hangs until somebody reads it, like a write to a device in use.
    execFileSync('mkfifo', [this.hangs]);
  }

  open(options: Partial<WriterPoolOptions> = {}): WriterPool {
    const limits = { helpersMin: 0, helpersMax: 2, stuckMax: 2, deadlineMs: NEVER_MS };
    const watch = { spinMs: NEVER_MS, idleMs: NEVER_MS, proc: '/proc' };
    const common = { clock: systemClock, marksDir: this.marksDir };
    const pool = createWriterPool({ ...common, ...limits, ...watch, ...options });
    this.#pools.push(pool);
    return pool;
  }

  file(name: string, text = ''): string {
    const path = join(this.folder, name);
    writeFileSync(path, text);
    return path;
  }

  /** An order that hangs. */
  get hang() {
    return { op: 'create', data: 'x', file: this.hangs } as const;
  }

  /** Lets a write that hangs go through; returns what it wrote. */
  letGo(): string {
    return execFileSync('cat', [this.hangs], { encoding: 'utf8', ...SOON });
  }

  /** Pids of the helpers that are alive, by their marks. */
  helpers(): number[] {
    const pids = readdirSync(this.marksDir).filter((name) => /^\d+$/.test(name));
    return pids.map(Number).filter((pid) => isRunning(pid));
  }

  busy(): Record<Uuid, number> {
    return Object.fromEntries(busyWriters(this.marksDir, '/proc'));
  }

  /** Resolves when the order for A has begun. */
  async underWay(pool: WriterPool): Promise<void> {
    const begun = (): boolean => pool.writing(A) !== undefined && this.busy()[A] === pool.writing(A);
    await expect.poll(begun, SOON).toBe(true);
  }

  async close(): Promise<void> {
    await Promise.all(this.#pools.splice(0).map((pool) => pool.close()));
    for (const pid of this.helpers()) process.kill(pid, 'SIGKILL');
    await expect.poll(() => this.helpers(), SOON).toEqual([]);
    rmSync(this.folder, { recursive: true });
  }
}

export function isRunning(pid: number): boolean {
  try {
    return !readFileSync(`/proc/${pid}/stat`, 'utf8').includes(') Z ');
  } catch {
    return false;
  }
}

/** A world for each test of a file. */
export function eachWithPoolWorld(): () => PoolWorld {
  const compiled = mkdtempSync(join(tmpdir(), 'mdevfleet-compiled-'));
  let world: PoolWorld;
  beforeEach(() => {
    world = new PoolWorld(compiled);
  });
  afterEach(() => world.close());
  afterAll(() => rmSync(compiled, { recursive: true }));
  return () => world;
}
