/**
 * A real nats-server for tests: on 127.0.0.1 and a free port, JetStream in a folder of its own.
 *
 * It is ended by its pid, with any signal, or by the end of the process that started it, and comes
 * back on the same store and port. Every acknowledged write is on the disk (`sync_interval: always`),
 * as in production.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { type NatsServerVersion, natsServer } from '../tools/nats-server.ts';

export type NatsOptions = {
  /** Which of the supported versions; the newest unless given. */
  readonly version?: NatsServerVersion;
  /** False for a server without JetStream. */
  readonly jetstream?: boolean;
  /** More of the server's configuration, in its own language. */
  readonly config?: string;
};

export interface RunningNats {
  /** `nats://127.0.0.1:<port>`, the same after a restart. */
  readonly url: string;
  readonly port: number;
  /** Of the process, while it runs. */
  readonly pid: number;
  readonly version: string;
  /** Ends the process and waits until it is gone; the store stays. */
  kill(signal?: NodeJS.Signals): Promise<void>;
  /** The process stands still, once this resolves, and its connections stay; until `resume`. */
  pause(): Promise<void>;
  resume(): void;
  /** Starts it again on the same store and port, after a kill. */
  restart(): Promise<void>;
  /** Ends the process and removes the store. */
  stop(): Promise<void>;
}

/** Starts a server; resolves when it is ready for clients. */
export async function startNats(options: NatsOptions = {}): Promise<RunningNats> {
  const { path, version } = await natsServer(options.version ?? 'newest');
  const folder = await mkdtemp(join(tmpdir(), 'mdevfleet-nats-'));
  const server = new Server(path, version, folder, options);
  try {
    await server.restart();
    return server;
  } catch (cause) {
    await server.stop();
    throw cause;
  }
}

class Server implements RunningNats {
  readonly version: string;
  readonly #path: string;
  readonly #folder: string;
  readonly #options: NatsOptions;
  #port: number | null = null;
  #process: ChildProcess | null = null;

  constructor(path: string, version: string, folder: string, options: NatsOptions) {
    this.version = version;
    this.#path = path;
    this.#folder = folder;
    this.#options = options;
  }

  get port(): number {
    if (this.#port === null) throw new Error('the server was never ready');
    return this.#port;
  }

  get pid(): number {
    const pid = this.#process?.pid;
    if (pid === undefined) throw new Error('the server does not run');
    return pid;
  }

  get url(): string {
    return `nats://127.0.0.1:${this.port}`;
  }

  async restart(): Promise<void> {
    if (this.#process !== null) throw new Error(`the server still runs as process ${this.#process.pid}`);
    const file = join(this.#folder, 'server.conf');
    await writeFile(file, this.#config());
    const command = ['--pdeathsig', 'KILL', this.#path, '--config', file];
    this.#process = spawn('setpriv', command, { stdio: ['ignore', 'ignore', 'pipe'] });
    this.#port = await untilReady(this.#process);
  }

  async kill(signal: NodeJS.Signals = 'SIGKILL'): Promise<void> {
    const server = this.#process;
    this.#process = null;
    if (server === null || server.exitCode !== null || server.signalCode !== null) return;
    const exited = once(server, 'exit');
    server.kill(signal);
    await exited;
  }

  async pause(): Promise<void> {
    const { pid } = this;
    process.kill(pid, 'SIGSTOP');
    while (!(await standsStill(pid))) await new Promise((resolve) => setTimeout(resolve, 2));
  }

  resume(): void {
    this.#process?.kill('SIGCONT');
  }

  async stop(): Promise<void> {
    await this.kill();
    await rm(this.#folder, { recursive: true, force: true });
  }

  #config(): string {
    const store = JSON.stringify(join(this.#folder, 'store'));
    const jetstream = `jetstream { store_dir: ${store}, sync_interval: always }`;
    return [
      'host: "127.0.0.1"',
      `port: ${this.#port ?? -1}`,
      ...(this.#options.jetstream === false ? [] : [jetstream]),
      this.#options.config ?? '',
    ].join('\n');
  }
}

/** True when every thread of the process is stopped: its state follows its name, which is in parentheses. */
async function standsStill(pid: number): Promise<boolean> {
  const threads = await readdir(`/proc/${pid}/task`);
  const stats = await Promise.all(threads.map((id) => readFile(`/proc/${pid}/task/${id}/stat`, 'utf8')));
  return stats.every((stat) => stat.includes(') T '));
}

/** The port on which the server listens, once it is ready. Throws, with what it said, when it ends before. */
async function untilReady(server: ChildProcess): Promise<number> {
  if (server.stderr === null) throw new Error('the server was started without a pipe for its log');
  const said: string[] = [];
  let port: number | undefined;
  const log = createInterface({ input: server.stderr });
  return new Promise((resolve, reject) => {
    log.on('line', (line) => {
      said.push(line);
      const listening = /Listening for client connections on .*:(\d+)$/.exec(line)?.[1];
      if (listening !== undefined) port = Number(listening);
      if (port !== undefined && line.includes('Server is ready')) resolve(port);
    });
    server.once('error', reject);
    server.once('exit', () => reject(new Error(`the server did not start:\n${said.join('\n')}`)));
  });
}
