/**
 * All that can be explained, as entries: every reason, and what an errno means as the answer to each operation.
 *
 * The texts are those of events/guidance.ts and reconciler/errno.ts, by which the agent itself goes. `mdevfleet
 * explain` and docs/reasons.md show these entries.
 */
import { DRIFT, type Guidance, TERMINAL, WAITING, type Wake } from '../../events/guidance.ts';
import {
  type Call,
  type Explained,
  errnoName,
  errnoNumber,
  explainErrno,
  OPERATIONS,
  type Operation,
  ROWS,
} from '../../reconciler/errno.ts';
import { nearest } from '../declare/nearest.ts';
import { NOT_REPORTED, type ShownRow, UNREPORTED } from './devices.ts';

export type ReasonEntry = {
  readonly reason: string;
  readonly kind: 'waiting' | 'terminal' | 'drift';
  readonly meaning: string;
  readonly ends: string;
  readonly hint: string;
  /** Where the operations guide says more: in the repository, and below /usr/share/doc/mdevfleet. */
  readonly guide: string;
};

export type AnswerEntry = {
  readonly operation: Operation;
  /** null: opening the file and writing to it are told alike. */
  readonly call: Call | null;
  readonly meaning: string;
  /** What the agent does of itself. */
  readonly then: string;
  readonly reason: string;
  readonly hint: string;
};

export type ErrnoEntry = {
  readonly errno: number;
  readonly name: string;
  readonly answers: readonly AnswerEntry[];
};

export type Entries = { readonly reasons: readonly ReasonEntry[]; readonly errnos: readonly ErrnoEntry[] };

/** Numbers that Linux can answer with. */
const ERRNO_MAX = 4095;

const WOKEN = {
  parent: 'seen when a parent comes, goes or changes, and looked for now and then',
  device: 'seen when the device changes, and looked for now and then',
  registry: 'seen when the registry is reached, and looked for now and then',
  hook: 'seen when the script is asked again',
  command: 'seen when an operator says so',
  timer: 'looked for now and then, less often the longer it takes',
} as const satisfies Record<Wake, string>;

const THEN = {
  requeue: 'tries again at once, then ever less often',
  'look-again': 'looks at the device afresh, and decides anew',
  'no-capacity': 'waits, and looks again now and then',
  'in-use': 'waits, and looks again now and then',
  'not-permitted': 'waits, and looks again now and then',
  invalid: 'gives up until a new declaration or a retry',
  other: 'tries again, ever less often',
} as const satisfies Record<Explained['meaning'], string>;

/** Everything there is to explain; of errnos, the answers that have a rule of their own. */
export function everything(): Entries {
  const errnos = KNOWN_ERRNOS.map((errno) => {
    const operations = ROWS.filter((row) => row.errno === errno).map(({ operation }) => operation);
    return errnoEntry(errno, operations);
  });
  return { reasons: REASONS, errnos };
}

const KNOWN_ERRNOS = [...new Set(ROWS.map(({ errno }) => errno))];

const REASONS: readonly ReasonEntry[] = [
  ...Object.entries(WAITING).map(([reason, text]) =>
    reasonEntry(reason, 'waiting', { ...text, ends: `${text.ends}; ${WOKEN[text.wake]}` }),
  ),
  reasonEntry(NOT_REPORTED, 'waiting', UNREPORTED),
  ...Object.entries(TERMINAL).map(([reason, text]) => reasonEntry(reason, 'terminal', text)),
  ...Object.entries(DRIFT).map(([reason, text]) => reasonEntry(reason, 'drift', text)),
];

function reasonEntry(reason: string, kind: ReasonEntry['kind'], text: Guidance): ReasonEntry {
  const { meaning, ends, hint } = text;
  return { reason, kind, meaning, ends, hint, guide: `docs/operations.md#${reason.toLowerCase()}` };
}

/** What a row's reason means, what ends it, and what to do; null for a row without a reason. */
export function guidanceOf({
  state,
  reason,
}: Pick<ShownRow, 'state' | 'reason'>): Pick<ReasonEntry, keyof Guidance> | null {
  const kind = state === 'conflict' || state === 'failed' ? 'terminal' : 'waiting';
  const found = REASONS.find((one) => one.reason === reason && one.kind === kind);
  return found === undefined ? null : { meaning: found.meaning, ends: found.ends, hint: found.hint };
}

function errnoEntry(errno: number, operations: readonly Operation[]): ErrnoEntry {
  return { errno, name: errnoName(errno), answers: operations.flatMap((one) => answers(one, errno)) };
}

/** One entry for both calls where they mean the same. */
function answers(operation: Operation, errno: number): readonly AnswerEntry[] {
  const opening = answer(operation, errno, 'open');
  const writing = answer(operation, errno, 'write');
  if (opening.meaning === writing.meaning) return [{ ...writing, call: null }];
  return [opening, writing];
}

function answer(operation: Operation, errno: number, call: Call): AnswerEntry {
  const { says, meaning, leadsTo, hint } = explainErrno(operation, errno, call);
  const then = leadsTo.kind === 'terminal' ? THEN.invalid : THEN[meaning === 'invalid' ? 'other' : meaning];
  return { operation, call, meaning: says, then, reason: leadsTo.reason, hint };
}

/** What a word stands for: a reason, or an errno by name or number. An array is of words that are near it. */
export function entriesFor(word: string): Entries | readonly string[] {
  const bare = word.replace(/^errno\s+/i, '').replace(/\s+\(\d+\)$/, '');
  const reasons = REASONS.filter(({ reason }) => reason.toLowerCase() === bare.toLowerCase());
  if (reasons.length > 0) return { reasons, errnos: [] };
  const errno = /^\d+$/.test(bare) ? Number(bare) : errnoNumber(bare);
  if (errno !== undefined && errno >= 1 && errno <= ERRNO_MAX)
    return { reasons: [], errnos: [errnoEntry(errno, OPERATIONS)] };
  return nearest(bare, [
    ...new Set([...REASONS.map(({ reason }) => reason), ...KNOWN_ERRNOS.map(errnoName)]),
  ]);
}
