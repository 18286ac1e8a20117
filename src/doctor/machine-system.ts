/**
 * The machine as it is, below a root: `/`, or a folder in which a test has laid one out.
 *
 * A file system or driver that hangs takes a thread with it, and a process with such a thread cannot even exit: so
 * whoever uses this is a process that can be left behind (src/cli/doctor.ts).
 */
import { execFile } from 'node:child_process';
import { access, constants, open, readdir, readFile, stat, statfs } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { E, errnoOf, isErrno } from '../../reconciler/errno-numbers.ts';
import { checkJournal } from '../../store/journal/probe.ts';
import type { Entry, Machine, Ran, Room } from './machine.ts';

const PERMISSION_BITS = 0o7777;
/** A program that only looks and takes longer is killed. */
const RUN_MS_MAX = 3_000;

export type MachineOptions = {
  readonly root: string;
  /** Folders of programs, as in PATH. */
  readonly path: string;
};

/** The machine below the root; the paths that it is asked for begin there. */
export function machineBelow({ root, path }: MachineOptions): Machine {
  const at = (below: string): string => (root === '/' ? below : join(root, below));
  const machine: Machine = {
    uid: process.getuid?.() ?? -1,
    text: (file) => orNull(() => readFile(at(file), 'utf8')),
    names: (folder) => orNull(() => readdir(at(folder))),
    entry: (file) => orNull(() => entryAt(at(file))),
    refusal: (file) => refusalOf(at(file)),
    mayWrite: (file) =>
      access(at(file), constants.W_OK).then(
        () => true,
        () => false,
      ),
    room: (file) => orNull(() => roomAt(at(file))),
    program: (name) => findProgram(path.split(delimiter).map(at), name),
    async run(name, args) {
      const file = await machine.program(name);
      return file === null ? null : run(file, args);
    },
    journal: (dir) => checkJournal(at(dir)),
  };
  return machine;
}

async function orNull<T>(look: () => Promise<T>): Promise<T | null> {
  try {
    return await look();
  } catch (error) {
    if (isErrno(error, E.NOENT, E.NOTDIR)) return null;
    throw error;
  }
}

async function entryAt(path: string): Promise<Entry> {
  const found = await stat(path);
  const kind = found.isDirectory() ? 'folder' : found.isFile() ? 'file' : 'other';
  const { mode, uid, size, ino } = found;
  return { kind, mode: mode & PERMISSION_BITS, uid, bytes: size, inode: String(ino) };
}

async function refusalOf(path: string): Promise<number | null> {
  try {
    await (await open(path, constants.O_WRONLY)).close();
    return null;
  } catch (error) {
    const errno = errnoOf(error);
    if (errno === null) throw error;
    return errno;
  }
}

async function roomAt(path: string): Promise<Room> {
  const { type, bavail, bsize } = await statfs(path);
  return { fileSystem: type, freeBytes: bavail * bsize };
}

async function findProgram(folders: readonly string[], name: string): Promise<string | null> {
  for (const folder of folders) {
    const file = join(folder, name);
    const found = await access(file, constants.X_OK).then(
      () => true,
      () => false,
    );
    if (found) return file;
  }
  return null;
}

function run(file: string, args: readonly string[]): Promise<Ran> {
  const options = { timeout: RUN_MS_MAX, killSignal: 'SIGKILL', env: { PATH: '/usr/bin:/bin' } } as const;
  return new Promise((resolve) => {
    const child = execFile(file, args, options, (_, stdout) => resolve({ status: child.exitCode, stdout }));
  });
}
