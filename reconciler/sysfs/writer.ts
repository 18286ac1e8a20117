/**
 * The helper: a process that touches what may never return, so that the agent need not.
 *
 * It says `ok` once it is up, then does one task at a time, told in a line of JSON on its
 * standard input, and answers in one on its standard output. Everything is done synchronously: while a write hangs, so does
 * this process, and nothing else. It ends when its input does, that is with its agent, unless
 * a write keeps it. It imports next to nothing, since it has to be up in no time.
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
import { flushCompileCache } from 'node:module';
import { basename } from 'node:path';
import type { InUse } from '../host.ts';
import { Mark } from './writer-marks.ts';

/** What a helper can be told to do. A device's folder is given by way of its parent. */
export type Task =
  | { readonly op: 'create'; readonly file: string; readonly data: string }
  | { readonly op: 'remove'; readonly device: string; readonly type: string; readonly groups: string }
  | {
      readonly op: 'attribute';
      readonly device: string;
      readonly type: string;
      readonly name: string;
      readonly data: string;
    }
  /** Reads a file behind which a driver's code runs. */
  | { readonly op: 'read'; readonly file: string }
  /** Opens and closes the node of a group. */
  | { readonly op: 'probe'; readonly file: string };

/** A task, and the UUID for which it writes; null when it only reads. */
export type Order = { readonly task: Task; readonly uuid: string | null };

export type Answer =
  | { readonly kind: 'ok' }
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'errno'; readonly errno: number; readonly call: 'open' | 'write'; readonly file: string }
  | InUse;

const { O_NOFOLLOW, O_RDWR, O_WRONLY } = constants;
const OK: Answer = { kind: 'ok' };
const E = { NOENT: 2, IO: 5, BUSY: 16, INVAL: 22, LOOP: 40, STALE: 116 } as const;
const STDIN = 0;
const STDOUT = 1;
const CHUNK_BYTES = 64 * 1024;

/** Does a task; whatever the system answers is an answer, anything else is a bug and throws. */
export function perform(task: Task): Answer {
  try {
    return attempt(task);
  } catch (error) {
    const { errno, path, syscall } = error as NodeJS.ErrnoException;
    if (errno === undefined) throw error;
    return refusal(-errno, syscall === 'write' ? 'write' : 'open', path ?? targetOf(task));
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
    case 'probe':
      return probe(task.file);
    default:
      return task satisfies never;
  }
}

/** The file at which a task aims. */
export function targetOf(task: Task): string {
  switch (task.op) {
    case 'remove':
      return `${task.device}/remove`;
    case 'attribute':
      return `${task.device}/${task.name}`;
    default:
      return task.file;
  }
}

/** sysfs hands each write to the driver as a whole, so there is exactly one. */
function writeOnce(file: string, data: string, flags: number): Answer {
  const bytes = Buffer.from(data);
  const fd = openSync(file, flags);
  try {
    return writeSync(fd, bytes) === bytes.length ? OK : refusal(E.IO, 'write', file);
  } finally {
    closeSync(fd);
  }
}

/**
 * Removes a device under a guard: while the helper has its group open, nobody else can begin
 * to use it, and if somebody does already, opening it fails. Group numbers are used again, so
 * it is checked again afterwards that the open group is this device's.
 */
function remove(task: Extract<Task, { op: 'remove' }>): Answer {
  const { device, type, groups } = task;
  if (typeOf(device) !== type) return refusal(E.STALE, 'open', `${device}/mdev_type`);
  const group = groupOf(device);
  // Without a vfio device there is nothing that anybody could have open.
  if (group === null) return writeOnce(targetOf(task), '1', O_WRONLY);
  const fd = openGroup(`${groups}/${group}`);
  if (fd === null) return { kind: 'in-use', by: [] };
  try {
    if (groupOf(device) !== group) return refusal(E.STALE, 'open', `${device}/iommu_group`);
    if (typeOf(device) !== type) return refusal(E.STALE, 'open', `${device}/mdev_type`);
    return writeOnce(targetOf(task), '1', O_WRONLY);
  } finally {
    closeSync(fd);
  }
}

function typeOf(device: string): string {
  return basename(realpathSync.native(`${device}/mdev_type`));
}

/** Null when the device has neither a group nor a vfio device. Throws when its group is not shown though it has one. */
function groupOf(device: string): string | null {
  try {
    return basename(realpathSync.native(`${device}/iommu_group`));
  } catch (error) {
    const noGroup = (error as NodeJS.ErrnoException).errno === -E.NOENT;
    if (noGroup && lstatSync(`${device}/vfio-dev`, { throwIfNoEntry: false }) === undefined) return null;
    throw error;
  }
}

/** Null when somebody else has the group open. */
function openGroup(file: string): number | null {
  try {
    return openSync(file, O_RDWR);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).errno === -E.BUSY) return null;
    throw error;
  }
}

function probe(file: string): Answer {
  const fd = openGroup(file);
  if (fd === null) return { kind: 'in-use', by: [] };
  closeSync(fd);
  return OK;
}

/** Follows no link below the device, and writes no empty value, which the kernel would take and ignore. */
function setAttribute(task: Extract<Task, { op: 'attribute' }>): Answer {
  const { device, type, name, data } = task;
  if (typeOf(device) !== type) return refusal(E.STALE, 'open', `${device}/mdev_type`);
  if (data === '') return refusal(E.INVAL, 'write', targetOf(task));
  let folder = device;
  for (const segment of name.split('/').slice(0, -1)) {
    folder = `${folder}/${segment}`;
    if (lstatSync(folder).isSymbolicLink()) return refusal(E.LOOP, 'open', targetOf(task));
  }
  return writeOnce(targetOf(task), data, O_WRONLY | O_NOFOLLOW);
}

function refusal(errno: number, call: 'open' | 'write', file: string): Answer {
  return { kind: 'errno', errno, call, file };
}

/**
 * Serves orders until they end, or until the agent that gave them is gone.
 *
 * An order may have been given by an agent that died before it was heard. The mark stands
 * before the agent is looked for, so its successor either finds the mark, or nothing is written.
 */
function serve(agentPid: number, mark: Mark): void {
  for (const line of lines(STDIN)) {
    const { task, uuid } = JSON.parse(line) as Order;
    if (uuid !== null) mark.set(uuid);
    if (process.ppid !== agentPid) return;
    const answer = perform(task);
    if (uuid !== null) mark.set(null);
    tell(answer);
  }
}

function* lines(input: number): Generator<string> {
  // Latin-1 keeps bytes apart, so that a character may arrive in two parts.
  let rest = '';
  for (let chunk = hear(input); chunk !== ''; chunk = hear(input)) {
    rest += chunk;
    for (let end = rest.indexOf('\n'); end >= 0; end = rest.indexOf('\n')) {
      yield Buffer.from(rest.slice(0, end), 'latin1').toString();
      rest = rest.slice(end + 1);
    }
  }
}

/** What arrives next; nothing at the end, which is also a connection that was cut. */
function hear(input: number): string {
  const chunk = Buffer.alloc(CHUNK_BYTES);
  try {
    return chunk.toString('latin1', 0, readSync(input, chunk));
  } catch {
    return '';
  }
}

/** The agent may be gone meanwhile; the end of the input will tell. */
function tell(answer: Answer): void {
  try {
    writeSync(STDOUT, `${JSON.stringify(answer)}\n`);
  } catch {
    return;
  }
}

/** Sent to all processes of a service or a terminal; a helper ends with its agent, which lets it finish. */
const IGNORED = ['SIGTERM', 'SIGINT', 'SIGHUP'] as const;

if (import.meta.main) {
  for (const signal of IGNORED) process.on(signal, () => undefined);
  const [marksDir = '.', agentPid = '0'] = process.argv.slice(2);
  const mark = new Mark(marksDir, process.pid);
  flushCompileCache();
  tell(OK);
  serve(Number(agentPid), mark);
  mark.remove();
}
