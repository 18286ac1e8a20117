/**
 * What the kernel's answer to a write means: one table, errno by operation.
 *
 * Numbers, never names, since Node has no name for some of them (87, 517). The meanings come
 * from the mdev core and its drivers. Two of them are close choices: EPERM from `create` is
 * what some drivers before Linux 6.1 answer when they have no instance left, but it is
 * also what a host that forbids the write answers; it counts as not permitted, which is
 * retried slowly, and a look at `available_instances` before each create tells the other case.
 * EBUSY is "in use" only where there is a device, so not from `create`.
 */
import type { DeviceUser, WriteResult } from './host.ts';

export type Operation = 'create' | 'remove' | 'attribute';

export type Meaning =
  /** A race with another operation: the same again, a little later. */
  | 'requeue'
  /** What was seen before is out of date: look, then decide. Never a proof that a device is gone. */
  | 'look-again'
  | 'no-capacity'
  | 'in-use'
  /** The kernel will answer the same to the same write for ever. */
  | 'invalid'
  | 'not-permitted'
  | 'other';

/** An answer of the kernel, for people. */
export type Explained = { readonly name: string; readonly meaning: Meaning; readonly hint: string };

type Rule = readonly [Meaning, string];
type Rules = Partial<Record<Operation, Rule>>;

const E = {
  PERM: 1,
  NOENT: 2,
  AGAIN: 11,
  ACCES: 13,
  BUSY: 16,
  EXIST: 17,
  NODEV: 19,
  INVAL: 22,
  NOSPC: 28,
  ROFS: 30,
  PIPE: 32,
  LOOP: 40,
  USERS: 87,
  STALE: 116,
} as const;

/** Numbers that the host adapters use themselves, where no kernel answered. */
export const ERRNO = {
  /** No helper was free, so nothing was written. */
  noHelper: E.AGAIN,
  /** The helper ended before it answered: the write may or may not have happened. */
  helperEnded: E.PIPE,
  /** The guard found another type, or another group, than was seen before. */
  changed: E.STALE,
  /** An attribute's name leads over a link. */
  link: E.LOOP,
  /** An attribute's value is empty, or a write was cut short. */
  invalid: E.INVAL,
  /** Something there is in use. */
  busy: E.BUSY,
  absent: E.NOENT,
} as const;

const FORBIDDEN =
  'run the agent as root, with /sys mounted read-write and not confined (SELinux, a container)';

const TABLE: ReadonlyMap<number, Rules> = new Map<number, Rules>([
  [
    E.PERM,
    {
      create: [
        'not-permitted',
        `${FORBIDDEN}; some drivers before Linux 6.1 also mean that no instance is left`,
      ],
      remove: ['not-permitted', FORBIDDEN],
      attribute: ['not-permitted', FORBIDDEN],
    },
  ],
  [
    E.NOENT,
    {
      create: ['look-again', 'the parent or the type went away'],
      remove: [
        'look-again',
        'the device went away, cannot be removed, or its group is missing below /dev/vfio',
      ],
      attribute: ['look-again', 'the device went away, or has no attribute of that name'],
    },
  ],
  [
    E.AGAIN,
    {
      create: ['requeue', 'the driver is not ready yet'],
      remove: ['requeue', 'the create of this device has not returned'],
      attribute: ['requeue', 'the driver is busy'],
    },
  ],
  [E.ACCES, always('not-permitted', FORBIDDEN)],
  [
    E.BUSY,
    {
      remove: ['in-use', 'something has the device open: stop the virtual machine that uses it'],
      attribute: ['in-use', 'the driver does not change a device that is in use: stop the virtual machine'],
    },
  ],
  [
    E.EXIST,
    { create: ['look-again', 'the UUID is taken on this host, perhaps by a removal that has not finished'] },
  ],
  [
    E.NODEV,
    {
      create: ['look-again', 'the parent is going away'],
      remove: ['look-again', 'the device or its parent is going away'],
      attribute: ['look-again', 'the device or its parent is going away'],
    },
  ],
  [
    E.INVAL,
    {
      create: ['invalid', 'the kernel or the driver refuses this UUID or type'],
      remove: ['invalid', 'the kernel refuses what was written'],
      attribute: ['invalid', 'the driver refuses the value, or the value is empty'],
    },
  ],
  [E.NOSPC, { create: ['no-capacity', 'the parent has no instance of the type left'] }],
  [E.ROFS, always('not-permitted', FORBIDDEN)],
  [E.PIPE, always('look-again', 'the process that wrote ended before it could answer')],
  [E.LOOP, { attribute: ['invalid', "the attribute's name leads over a link, which is never followed"] }],
  [E.USERS, { create: ['no-capacity', 'the parent has as many instances as its driver allows'] }],
  [
    E.STALE,
    {
      remove: ['look-again', 'another device took its place between the look and the write'],
      attribute: ['look-again', 'another device took its place between the look and the write'],
    },
  ],
]);

function always(meaning: Meaning, hint: string): Rules {
  const rule: Rule = [meaning, hint];
  return { create: rule, remove: rule, attribute: rule };
}

const OTHER: Rule = ['other', "an answer of the parent's driver; the kernel's log may say more"];

/** Names in errno.h, and three of the kernel's own that drivers let slip out. */
const NAMES = names(
  '1 EPERM, 2 ENOENT, 3 ESRCH, 4 EINTR, 5 EIO, 6 ENXIO, 7 E2BIG, 8 ENOEXEC, 9 EBADF, 10 ECHILD, 11 EAGAIN, ' +
    '12 ENOMEM, 13 EACCES, 14 EFAULT, 15 ENOTBLK, 16 EBUSY, 17 EEXIST, 18 EXDEV, 19 ENODEV, 20 ENOTDIR, ' +
    '21 EISDIR, 22 EINVAL, 23 ENFILE, 24 EMFILE, 25 ENOTTY, 26 ETXTBSY, 27 EFBIG, 28 ENOSPC, 29 ESPIPE, ' +
    '30 EROFS, 31 EMLINK, 32 EPIPE, 33 EDOM, 34 ERANGE, 35 EDEADLK, 36 ENAMETOOLONG, 37 ENOLCK, 38 ENOSYS, ' +
    '39 ENOTEMPTY, 40 ELOOP, 61 ENODATA, 62 ETIME, 71 EPROTO, 74 EBADMSG, 75 EOVERFLOW, 84 EILSEQ, 85 ERESTART, ' +
    '87 EUSERS, 90 EMSGSIZE, 95 EOPNOTSUPP, 98 EADDRINUSE, 99 EADDRNOTAVAIL, 103 ECONNABORTED, 104 ECONNRESET, ' +
    '105 ENOBUFS, 110 ETIMEDOUT, 111 ECONNREFUSED, 114 EALREADY, 115 EINPROGRESS, 116 ESTALE, 117 EUCLEAN, ' +
    '121 EREMOTEIO, 122 EDQUOT, 125 ECANCELED, 131 ENOTRECOVERABLE, 512 ERESTARTSYS, 517 EPROBE_DEFER, 524 ENOTSUPP',
);

function names(list: string): ReadonlyMap<number, string> {
  const pairs = list.split(', ').map((pair) => pair.split(' '));
  return new Map(pairs.map(([number, name]) => [Number(number), String(name)]));
}

/** The errno's name, or `errno N` where it has none. */
export function errnoName(errno: number): string {
  return NAMES.get(errno) ?? `errno ${errno}`;
}

/** What an errno (positive) means as the answer to an operation. */
export function meaningOf(operation: Operation, errno: number): Meaning {
  return rule(operation, errno)[0];
}

/** Name, meaning and a hint, to be shown to people. */
export function explainErrno(operation: Operation, errno: number): Explained {
  const [meaning, hint] = rule(operation, errno);
  return { name: errnoName(errno), meaning, hint };
}

function rule(operation: Operation, errno: number): Rule {
  return TABLE.get(errno)?.[operation] ?? OTHER;
}

/** That a device is in use, and by whom as far as that is known: `in use by qemu-system-x86 (pid 4711)`. */
export function inUse(by: readonly DeviceUser[]): string {
  if (by.length === 0) return 'in use by a process that could not be found out';
  return `in use by ${by.map(({ pid, command }) => `${command} (pid ${pid})`).join(', ')}`;
}

/** One sentence about a write that did not succeed, naming the file and what to do. */
export function describeWrite(operation: Operation, result: Exclude<WriteResult, { kind: 'ok' }>): string {
  switch (result.kind) {
    case 'errno': {
      const { name, hint } = explainErrno(operation, result.errno);
      return `${operation}: ${result.call} of ${result.file} answered ${name} (${result.errno}): ${hint}`;
    }
    case 'in-use':
      return `${operation}: ${inUse(result.by)}, nothing was written: stop the virtual machine that uses it`;
    case 'stuck':
      return `${operation}: the write has not returned for ${result.afterMs} ms; it goes on in a process of its own`;
    default:
      return result satisfies never;
  }
}
