/**
 * What a helper does with one task: the calls that may never return, all of them synchronous.
 *
 * It imports next to nothing, since the helper has to be up in no time.
 */
import {
  closeSync,
  constants,
  lstatSync,
  openSync,
  readFileSync,
  readSync,
  realpathSync,
  writeSync,
} from 'node:fs';
import { basename } from 'node:path';
import { E, errnoOf, isErrno } from '../errno-numbers.ts';
import { guarded } from './guard.ts';
import { type Answer, OK, refusal, type Task, targetOf } from './order.ts';

const { O_NOFOLLOW, O_RDONLY, O_WRONLY } = constants;
/** A driver answers a read with a page at most. */
const PAGE_BYTES = 4096;

/** Does a task; whatever the system answers is an answer, anything else is a bug and throws. */
export function perform(task: Task): Answer {
  try {
    return attempt(task);
  } catch (error) {
    const errno = errnoOf(error);
    if (errno === null) throw error;
    const { path, syscall } = error as NodeJS.ErrnoException;
    return refusal(errno, syscall === 'write' ? 'write' : 'open', path ?? targetOf(task));
  }
}

function attempt(task: Task): Answer {
  switch (task.op) {
    case 'create':
      return writeOnce(targetOf(task), task.data, O_WRONLY);
    case 'remove':
      return remove(task);
    case 'attribute':
      return setAttribute(task);
    case 'read':
      return { kind: 'text', text: readFileSync(task.file, 'utf8') };
    case 'read-attributes':
      return readAttributes(task);
    case 'probe':
      return guarded(task, () => OK);
    default:
      return task satisfies never;
  }
}

/** sysfs hands each write to the driver as a whole, so there is exactly one. */
function writeOnce(file: string, data: string, flags: number): Answer {
  return withOpen(file, flags, (fd) => write(fd, data, file));
}

function write(fd: number, data: string, file: string): Answer {
  const bytes = Buffer.from(data);
  return writeSync(fd, bytes) === bytes.length ? OK : refusal(E.IO, 'write', file);
}

function withOpen(file: string, flags: number, act: (fd: number) => Answer): Answer {
  const fd = openSync(file, flags);
  try {
    return act(fd);
  } finally {
    closeSync(fd);
  }
}

/**
 * Removes a device if it is still of this type, and nobody uses it. Its file is open before anything is looked at: a
 * write to it reaches the device that was looked at or none, also when another one of that UUID takes its place
 * meanwhile, whose create a removal must not meet.
 */
function remove(task: Extract<Task, { op: 'remove' }>): Answer {
  const { device, type } = task;
  const file = targetOf(task);
  const changed = refusal(E.STALE, 'open', `${device}/mdev_type`);
  return withOpen(file, O_WRONLY, (fd) => {
    if (typeOf(device) !== type) return changed;
    return guarded(task, () => (typeOf(device) === type ? write(fd, '1', file) : changed));
  });
}

function typeOf(device: string): string {
  return basename(realpathSync.native(`${device}/mdev_type`));
}

/** Follows no link below the device, and writes no empty value, which the kernel would take and ignore. */
function setAttribute(task: Extract<Task, { op: 'attribute' }>): Answer {
  const { device, type, name, data } = task;
  const file = targetOf(task);
  if (typeOf(device) !== type) return refusal(E.STALE, 'open', `${device}/mdev_type`);
  if (data === '') return refusal(E.INVAL, 'write', file);
  try {
    if (isOverLink(device, name)) return refusal(E.LOOP, 'open', file);
    return writeOnce(file, data, O_WRONLY | O_NOFOLLOW);
  } catch (error) {
    // The type's link goes before the attributes do: as long as it stands, they would, too.
    if (!isMissing(error) || typeOf(device) !== type) throw error;
    return { kind: 'no-attribute', file };
  }
}

function isOverLink(device: string, name: string): boolean {
  const folders = name.split('/').slice(0, -1);
  return folders.some((_, at) => {
    return lstatSync(`${device}/${folders.slice(0, at + 1).join('/')}`).isSymbolicLink();
  });
}

function isMissing(error: unknown): boolean {
  return isErrno(error, E.NOENT) && (error as NodeJS.ErrnoException).syscall !== 'write';
}

function readAttributes({ device, type, names }: Extract<Task, { op: 'read-attributes' }>): Answer {
  if (typeOf(device) !== type) return refusal(E.STALE, 'open', `${device}/mdev_type`);
  const attributes = names.flatMap((name) => {
    const value = readAttribute(device, name);
    return value === null ? [] : [{ name, value }];
  });
  return { kind: 'attributes', attributes };
}

/** What an attribute reads, a page at most; null when it cannot be read. */
function readAttribute(device: string, name: string): string | null {
  const page = Buffer.alloc(PAGE_BYTES);
  try {
    if (isOverLink(device, name)) return null;
    const fd = openSync(`${device}/${name}`, O_RDONLY | O_NOFOLLOW);
    try {
      return page.toString('utf8', 0, readSync(fd, page));
    } finally {
      closeSync(fd);
    }
  } catch (error) {
    if (errnoOf(error) === null) throw error;
    return null;
  }
}
