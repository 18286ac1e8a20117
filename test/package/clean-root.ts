/**
 * A clean Debian system in a folder, in which packages are installed and programs run as root. What is mounted in it ends
 * with each program. There is no systemd that runs; a systemctl that only notes what it is asked can stand in for one.
 */
import { type ChildProcess, execFile } from 'node:child_process';
import { chmod, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { debianRoot } from '../../tools/debian-root.ts';
import { start } from './started.ts';

const execute = promisify(execFile);
const MOUNTED = 'mount -t proc none "$0/proc" && mount --rbind /dev "$0/dev" && exec chroot "$0" "$@"';
const ENV = { PATH: '/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin', HOME: '/root', LC_ALL: 'C.UTF-8' };
const ASKED = '/run/asked-of-systemctl';

export type Ran = { readonly status: number | null; readonly stdout: string; readonly stderr: string };

export class CleanRoot {
  readonly #folder: string;

  private constructor(folder: string) {
    this.#folder = folder;
  }

  static async make(): Promise<CleanRoot> {
    const tar = await debianRoot();
    const folder = await mkdtemp(join(tmpdir(), 'mdevfleet-root-'));
    await execute('tar', ['--extract', '--file', tar, '--directory', folder, '--exclude=./dev/*']);
    return new CleanRoot(folder);
  }

  async remove(): Promise<void> {
    await rm(this.#folder, { recursive: true });
  }

  /** Where a path of the system is outside. */
  path(inside: string): string {
    return join(this.#folder, inside);
  }

  async write(inside: string, text: string, mode = 0o644): Promise<void> {
    await mkdir(dirname(this.path(inside)), { recursive: true });
    await writeFile(this.path(inside), text);
    await chmod(this.path(inside), mode);
  }

  run(...command: readonly string[]): Promise<Ran> {
    return new Promise((resolve) => {
      const options = { env: ENV, timeout: 150_000, maxBuffer: 2 ** 24 };
      const child = execFile('unshare', this.#unshared(command), options, (_, stdout, stderr) =>
        resolve({ status: child.exitCode, stdout, stderr }),
      );
    });
  }

  /** Runs it to a good end, and gives what it printed. Throws what it said otherwise. */
  async must(...command: readonly string[]): Promise<string> {
    const { status, stdout, stderr } = await this.run(...command);
    if (status !== 0) throw new Error(`${command.join(' ')} ended with ${status}: ${stderr}${stdout}`);
    return stdout;
  }

  /** Starts a program; resolves when it says, on its standard error, what is awaited. */
  start(awaited: string, ...command: readonly string[]): Promise<ChildProcess> {
    return start(awaited, ['unshare', ...this.#unshared(command)], ENV);
  }

  /** Installs a package file, as `dpkg -i` does. */
  async install(deb: string): Promise<string> {
    const inside = `/tmp/${basename(deb)}`;
    await execute('cp', [deb, this.path(inside)]);
    const said = await this.must('dpkg', '--force-unsafe-io', '--install', inside);
    await rm(this.path(inside));
    return said;
  }

  /** From now on the system looks as if systemd ran, with the agent in that state. */
  async pretendSystemd(state: 'active' | 'inactive'): Promise<void> {
    await mkdir(this.path('/run/systemd/system'), { recursive: true });
    const script = `#!/bin/sh\ncase "$*" in *ActiveState*) echo ${state} ;; *) echo "$*" >>${ASKED} ;; esac\n`;
    await this.write('/usr/local/bin/systemctl', script, 0o755);
    await this.write(ASKED, '');
  }

  /** What systemctl was asked to do to the agent, in order. */
  async askedOfSystemd(): Promise<readonly string[]> {
    const asked = (await readFile(this.path(ASKED), 'utf8')).split('\n');
    const acts = asked.map(
      (line) => /\b(start|stop|restart|try-restart)\b.* mdevfleet\.service/.exec(line)?.[1],
    );
    return acts.filter((act) => act !== undefined);
  }

  #unshared(command: readonly string[]): readonly string[] {
    return ['--mount', '--propagation', 'private', 'sh', '-c', MOUNTED, this.#folder, ...command];
  }
}
