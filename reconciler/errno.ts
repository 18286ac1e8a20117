/**
 * What the kernel's answer to a write means: one table, errno by operation, and the reasons that follow.
 *
 * The meanings come from the mdev core and its drivers. Three are close choices. EPERM from opening `create` is a host
 * that forbids the write; from the write itself it is a driver of before Linux 6.1 that has no instance left. EBUSY is
 * "in use" only where there is a device, so not from `create`. EACCES from an attribute is one that nobody can write: an
 * agent that may not write anywhere has made no device that has attributes.
 */
import { TERMINAL, WAITING, withHint } from '../events/guidance.ts';
import type { TerminalReason, WaitingReason } from '../events/reasons.ts';
import { E } from './errno-numbers.ts';
import type { DeviceUser, WriteResult } from './host.ts';

export const OPERATIONS = ['create', 'remove', 'attribute'] as const;
export type Operation = (typeof OPERATIONS)[number];

/** Which system call was answered. */
export type Call = 'open' | 'write';

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

/** The reason under which a device is shown while the answer stays the same. */
export type Consequence =
  | { readonly kind: 'waiting'; readonly reason: WaitingReason }
  | { readonly kind: 'terminal'; readonly reason: TerminalReason };

/** An answer of the kernel, for people. */
export type Explained = {
  readonly name: string;
  readonly meaning: Meaning;
  readonly says: string;
  readonly leadsTo: Consequence;
  readonly hint: string;
};

/** What it means, and in words. */
type Rule = readonly [Meaning, string];
type Rules = Partial<Record<Operation, Rule | Readonly<Record<Call, Rule>>>>;

/** Numbers that the host adapters use themselves, where no kernel answered. */
export const ERRNO = {
  /** No helper was free, so nothing was written. */
  noHelper: E.AGAIN,
  /** The helper ended before it answered: the write may or may not have happened. */
  helperEnded: E.PIPE,
  /** The driver answered EINTR until the helper was ended: one of the writes may have happened all the same. */
  interrupted: E.INTR,
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

const FORBIDDEN: Rule = ['not-permitted', 'the host forbids the write'];
const REPLACED: Rule = ['look-again', 'another device took its place between the look and the write'];

const TABLE: ReadonlyMap<number, Rules> = new Map<number, Rules>([
  [
    E.PERM,
    {
      create: {
        open: FORBIDDEN,
        write: ['no-capacity', 'the driver has no instance left, as some say it before Linux 6.1'],
      },
      remove: FORBIDDEN,
      attribute: { open: FORBIDDEN, write: ['invalid', 'the driver does not permit the value'] },
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
      attribute: [
        'look-again',
        'the device went away; a name that a whole one does not have is AttributeRefused',
      ],
    },
  ],
  [E.INTR, always('other', 'the driver answers EINTR every time')],
  [
    E.AGAIN,
    {
      create: ['requeue', 'the driver is not ready yet'],
      remove: ['requeue', 'the create of this device has not returned'],
      attribute: ['requeue', 'the driver is busy'],
    },
  ],
  [
    E.ACCES,
    {
      create: FORBIDDEN,
      remove: FORBIDDEN,
      attribute: ['invalid', 'the attribute is read-only, or the agent does not run as root'],
    },
  ],
  [
    E.BUSY,
    {
      remove: ['in-use', 'something has the device open'],
      attribute: ['in-use', 'the driver does not change a device that is in use'],
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
      attribute: [
        'look-again',
        'the device or its parent is going away; of one that stands whole it is AttributeRefused',
      ],
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
  [E.ROFS, always('not-permitted', '/sys is mounted read-only')],
  [E.PIPE, always('look-again', 'the process that wrote ended before it could answer')],
  [E.LOOP, { attribute: ['invalid', "the attribute's name leads over a link, which is never followed"] }],
  [E.USERS, { create: ['no-capacity', 'the parent has as many instances as its driver allows'] }],
  [E.STALE, { remove: REPLACED, attribute: REPLACED }],
  [
    E.PROBE_DEFER,
    always('requeue', 'the driver waits for another one; out of a create the kernel makes EAGAIN of it'),
  ],
]);

function always(...rule: Rule): Rules {
  return { create: rule, remove: rule, attribute: rule };
}

/** The rows of the table: every answer that has a rule of its own. */
export const ROWS: readonly { readonly errno: number; readonly operation: Operation }[] = [...TABLE].flatMap(
  ([errno, rules]) =>
    OPERATIONS.filter((one) => rules[one] !== undefined).map((operation) => ({ errno, operation })),
);

const OTHER: Rule = ['other', "an answer of the parent's driver"];

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

/** The number of a name as in errno.h, in any case; undefined for one that is not known. */
export function errnoNumber(name: string): number | undefined {
  return [...NAMES].find(([, known]) => known === name.toUpperCase())?.[0];
}

/** What an errno (positive) means as the answer to a call of an operation. */
export function meaningOf(operation: Operation, errno: number, call: Call): Meaning {
  return ruleOf(operation, errno, call)[0];
}

/** Name, meaning, reason and way out, to be shown to people. */
export function explainErrno(operation: Operation, errno: number, call: Call): Explained {
  const [meaning, says] = ruleOf(operation, errno, call);
  const leadsTo = consequence(operation, meaning);
  return { name: errnoName(errno), meaning, says, leadsTo, hint: hintOf(leadsTo) };
}

function ruleOf(operation: Operation, errno: number, call: Call): Rule {
  const rule = TABLE.get(errno)?.[operation] ?? OTHER;
  return 'write' in rule ? rule[call] : rule;
}

/** A declaration can be refused; a removal that fails only leaves the UUID held, and is tried again. */
export function consequence(operation: Operation, meaning: Meaning): Consequence {
  switch (meaning) {
    case 'requeue':
    case 'look-again':
      return { kind: 'waiting', reason: 'KernelBusy' };
    case 'no-capacity':
      return { kind: 'waiting', reason: 'NoCapacity' };
    case 'in-use':
      return { kind: 'waiting', reason: 'InUse' };
    case 'not-permitted':
      return { kind: 'waiting', reason: 'NotPermitted' };
    case 'invalid':
    case 'other':
      if (operation === 'attribute') return { kind: 'terminal', reason: 'AttributeRefused' };
      if (operation === 'create' && meaning === 'invalid')
        return { kind: 'terminal', reason: 'InvalidArgument' };
      return { kind: 'waiting', reason: 'KernelError' };
    default:
      return meaning satisfies never;
  }
}

function hintOf(leadsTo: Consequence): string {
  return (leadsTo.kind === 'waiting' ? WAITING[leadsTo.reason] : TERMINAL[leadsTo.reason]).hint;
}

/** That a device is in use, and by whom as far as that is known: `in use by qemu-system-x86 (pid 4711)`. */
export function inUse(by: readonly DeviceUser[]): string {
  if (by.length === 0) return 'in use by a process that could not be found out';
  return `in use by ${by.map(({ pid, command }) => `${command} (pid ${pid})`).join(', ')}`;
}

type ErrnoAnswer = Extract<WriteResult, { kind: 'errno' }>;

/**
 * True for an answer to a write below a device by which its driver says that the device is not there. Where it is,
 * the driver will say so for ever. (An open that says it never reached the driver.)
 */
export function deniesDevice(result: WriteResult): result is ErrnoAnswer {
  return (
    result.kind === 'errno' &&
    result.call === 'write' &&
    [E.NODEV, E.NOENT].some((one) => one === result.errno)
  );
}

/** The sentence about such an answer for a device that was seen whole right after it. */
export function describeDenied({ errno, file }: ErrnoAnswer): string {
  return withHint(
    `attribute: write of ${file} answered ${errnoName(errno)} (${errno}), though the device stands complete`,
    TERMINAL.AttributeRefused,
  );
}

/** One sentence about a write that did not succeed, naming the file and what to do. */
export function describeWrite(operation: Operation, result: Exclude<WriteResult, { kind: 'ok' }>): string {
  switch (result.kind) {
    case 'errno': {
      const { errno, call, file } = result;
      const { name, says, hint } = explainErrno(operation, errno, call);
      return `${operation}: ${call} of ${file} answered ${name} (${errno}): ${says}; ${hint}`;
    }
    case 'no-attribute':
      return withHint(
        `${operation}: the device is complete and has no file ${result.file}`,
        TERMINAL.AttributeRefused,
      );
    case 'in-use':
      return withHint(`${operation}: ${inUse(result.by)}, nothing was written`, WAITING.InUse);
    case 'stuck':
      return withHint(
        `${operation}: the write has not returned for ${result.afterMs} ms`,
        WAITING.WriteStuck,
      );
    default:
      return result satisfies never;
  }
}
