/**
 * The LMDB environment DIR/fleet, which stands in for a server where one machine is the whole fleet.
 *
 * Streams and registry keep their databases in it. Several processes may have it open: a read
 * begins with `refresh`, or it may see the state of some moments ago; a write looks at what it
 * depends on inside `commit`, where nobody else writes. Writes of one turn of the event loop
 * share one durable transaction. Another process's write transaction blocks this one's event
 * loop, which is why the journals of the hosts are not in here.
 */
import { type FSWatcher, watch } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { type Database, type Key, open, type RootDatabase } from 'lmdb';
import type { After } from '../after.ts';

/** Most named databases in the environment. */
const DATABASES_MAX = 32;
/** A commit becomes visible to others a moment after the file's last change is announced. */
const SECOND_LOOK_MS = 2;
/** How often to look without being told, since an announcement can be missed. */
export const EMBEDDED_POLL_MS = 2_000;

export type EmbeddedOptions = {
  readonly after: After;
  /** Wall clock, RFC 3339 in UTC with milliseconds. */
  readonly now: () => string;
  readonly pollMs?: number;
};

export interface Embedded {
  /** The environment's folder, DIR/fleet. */
  readonly path: string;
  readonly now: () => string;
  /** Opens a named database, creating it if need be. Keys are strings, numbers, or lists of them; values are bytes. */
  database<K extends Key>(name: string): Database<Buffer, K>;
  /** Makes reads see what other processes have committed. */
  refresh(): void;
  /**
   * Runs `work` in a transaction that is durable when the promise resolves, shared with the other
   * work of this turn. `work` uses putSync and removeSync. Rejects, with nothing of that turn
   * stored, when the transaction fails or one piece of work throws.
   */
  commit<T>(work: () => T): Promise<T>;
  /** Calls back when this or another process may have committed, and now and then. */
  onCommit(listener: () => void): () => void;
  close(): Promise<void>;
}

/** DIR/fleet could not be opened; the message names it and the way out. */
export class EmbeddedUnavailable extends Error {
  override readonly name = 'EmbeddedUnavailable';
}

/** Opens DIR/fleet, creating it if need be. Throws EmbeddedUnavailable. */
export async function openEmbedded(dir: string, options: EmbeddedOptions): Promise<Embedded> {
  const path = join(dir, 'fleet');
  try {
    await mkdir(path, { recursive: true });
    return new LmdbEnvironment(path, options);
  } catch (cause) {
    const hint = 'check that the folder exists, is writable and has room';
    throw new EmbeddedUnavailable(`opening the embedded stream in ${path}: ${hint}`, { cause });
  }
}

class LmdbEnvironment implements Embedded {
  readonly path: string;
  readonly now: () => string;
  readonly #root: RootDatabase<Buffer>;
  readonly #committer: Committer;
  readonly #watcher: Watcher;

  constructor(path: string, options: EmbeddedOptions) {
    this.path = path;
    this.now = options.now;
    this.#root = open({
      path,
      noSubdir: false,
      maxDbs: DATABASES_MAX,
      overlappingSync: false,
      encoding: 'binary',
    });
    this.#committer = new Committer(this.#root, () => this.#watcher.look());
    this.#watcher = new Watcher(join(path, 'data.mdb'), options.after, options.pollMs ?? EMBEDDED_POLL_MS);
  }

  database<K extends Key>(name: string): Database<Buffer, K> {
    return this.#root.openDB<Buffer, K>({ name, encoding: 'binary' });
  }

  refresh(): void {
    this.#root.resetReadTxn();
  }

  commit<T>(work: () => T): Promise<T> {
    return this.#committer.commit(work);
  }

  onCommit(listener: () => void): () => void {
    return this.#watcher.listen(listener);
  }

  async close(): Promise<void> {
    this.#watcher.close();
    await this.#committer.idle();
    await this.#root.close();
  }
}

type Waiting = { readonly work: () => unknown; resolve(value: unknown): void; reject(cause: unknown): void };

/** Group commit: the work of one turn of the event loop in one transaction. */
class Committer {
  readonly #root: RootDatabase<Buffer>;
  readonly #committed: () => void;
  #waiting: Waiting[] = [];
  #turn: Promise<void> | null = null;

  constructor(root: RootDatabase<Buffer>, committed: () => void) {
    this.#root = root;
    this.#committed = committed;
  }

  commit<T>(work: () => T): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      this.#waiting.push({ work, resolve: resolve as (value: unknown) => void, reject });
      this.#turn ??= new Promise((done) => {
        setImmediate(() => {
          this.#flush();
          done();
        });
      });
    });
  }

  /** Resolves when nothing is on its way. */
  async idle(): Promise<void> {
    await this.#turn;
  }

  #flush(): void {
    const batch = this.#waiting;
    this.#waiting = [];
    this.#turn = null;
    try {
      const results: unknown[] = [];
      this.#root.transactionSync(() => {
        for (const one of batch) results.push(one.work());
      });
      for (const [index, one] of batch.entries()) one.resolve(results[index]);
    } catch (cause) {
      for (const one of batch) one.reject(cause);
      return;
    }
    this.#committed();
  }
}

/** Hears of commits: from the file, which may be early, from a slow poll, and from this process itself. */
class Watcher {
  readonly #listeners = new Set<() => void>();
  readonly #after: After;
  readonly #pollMs: number;
  readonly #file: FSWatcher | null;
  #cancelPoll: () => void;
  #cancelLook: (() => void) | null = null;
  #again = false;

  constructor(path: string, after: After, pollMs: number) {
    this.#after = after;
    this.#pollMs = pollMs;
    this.#file = this.#watch(path);
    this.#cancelPoll = this.#poll();
  }

  listen(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => {
      this.#listeners.delete(listener);
    };
  }

  look(): void {
    for (const listener of [...this.#listeners]) listener();
  }

  close(): void {
    this.#file?.close();
    this.#cancelPoll();
    this.#cancelLook?.();
    this.#listeners.clear();
  }

  /** Null where the system has no watches left: then the poll alone must do. */
  #watch(path: string): FSWatcher | null {
    try {
      const watcher = watch(path, { persistent: false }, () => this.#changed());
      return watcher.on('error', () => watcher.close());
    } catch {
      return null;
    }
  }

  #changed(): void {
    if (this.#cancelLook !== null) {
      this.#again = true;
      return;
    }
    this.look();
    this.#cancelLook = this.#after(SECOND_LOOK_MS, () => {
      this.#cancelLook = null;
      const again = this.#again;
      this.#again = false;
      if (again) this.#changed();
      else this.look();
    });
  }

  #poll(): () => void {
    return this.#after(this.#pollMs, () => {
      this.look();
      this.#cancelPoll = this.#poll();
    });
  }
}
