/**
 * How a run of the program ends: the exit statuses, and the failures that lead to them.
 *
 * Scripts branch on the status, so a number never changes its meaning. A failure names the
 * operation and the object, and always a way out; what the program itself did wrong is
 * `unexpected`, and nothing else is.
 */

/** Exit statuses. */
export const EXIT = {
  ok: 0,
  unexpected: 1,
  changes: 2,
  usage: 3,
  input: 4,
  refused: 5,
  unreachable: 6,
  server: 7,
  uninitialised: 8,
  incomplete: 9,
  locked: 10,
  foreign: 11,
  damaged: 12,
  host: 13,
  terminal: 14,
  timeout: 15,
  warnings: 16,
  faults: 17,
} as const;

export type Outcome = keyof typeof EXIT;

/** What each status means, as the help prints it. */
export const EXIT_MEANINGS = {
  ok: 'done',
  unexpected: 'a fault of mdevfleet itself, or of the machine',
  changes: 'what was compared is not the same; a plan has something to do',
  usage: 'a wrong flag, variable or configuration file',
  input: 'a manifest that cannot be read or is not valid',
  refused: 'not done, since it may do harm and was not asked for outright, or is ambiguous',
  unreachable: 'the server or the embedded stream could not be reached',
  server: 'the server refuses: credentials, no JetStream, too old',
  uninitialised: 'the fleet has no streams yet, or not as they must be',
  incomplete: 'only a part was done; the same command again does the rest',
  locked: 'the journal is in use by another agent',
  foreign: "the journal is another machine's or another host's",
  damaged: 'the journal is damaged, or an older copy of what it was',
  host: "the host's devices cannot be read or changed",
  terminal: 'a device cannot be as declared',
  timeout: 'a device is not as declared yet, the registry is not open, or an agent is not there',
  warnings: 'doctor warns of something that will go wrong, or is missing',
  faults: 'doctor found why an agent cannot do its work',
} as const satisfies Record<Outcome, string>;

type FailureOptions = {
  readonly outcome: Exclude<Outcome, 'ok' | 'changes' | 'terminal' | 'timeout' | 'warnings' | 'faults'>;
  /** What to do about it, as an imperative. */
  readonly wayOut: string;
  readonly cause?: unknown;
};

/** An operating error that ends the run; the message names the operation and its object. */
export class Failure extends Error {
  override readonly name = 'Failure';
  readonly outcome: FailureOptions['outcome'];
  readonly wayOut: string;

  constructor(message: string, { outcome, wayOut, cause }: FailureOptions) {
    super(message, cause === undefined ? undefined : { cause });
    this.outcome = outcome;
    this.wayOut = wayOut;
  }
}

/** Messages of the causes of an error, outermost first, without stack traces. */
export function causes(error: unknown): readonly string[] {
  const messages: string[] = [];
  let at: unknown = error;
  while (at instanceof Error && at.cause !== undefined && messages.length < CAUSES_MAX) {
    at = at.cause;
    messages.push(at instanceof Error ? `${at.name}: ${at.message}` : String(at));
  }
  return messages;
}

/** Most causes that are followed: a chain may be a ring. */
const CAUSES_MAX = 16;
