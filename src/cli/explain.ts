/**
 * `explain`: what a reason or an errno means, what ends it, and what to do about it.
 */
import { Failure, type Outcome } from '../exit.ts';
import { type Entries, type ErrnoEntry, entriesFor, everything } from '../look/explained.ts';
import type { Output } from './output.ts';
import type { Cell } from './terminal.ts';
import type { Invocation } from './verb.ts';

export async function explain({ args, flags, out }: Invocation): Promise<Outcome> {
  const entries = args.length === 0 ? everything() : asked(args.join(' '));
  if (flags['json'] === true) out.json(entries);
  else if (args.length === 0) showAll(entries, out);
  else showOne(entries, out);
  return 'ok';
}

/** Throws a Failure for a word that is neither a reason nor an errno. */
function asked(word: string): Entries {
  const found = entriesFor(word);
  if ('reasons' in found) return found;
  const meant = found.length === 0 ? '' : `did you mean ${found.join(' or ')}? `;
  throw new Failure(`explaining ${word}: neither a reason nor an errno`, {
    outcome: 'usage',
    wayOut: `${meant}\`mdevfleet explain\` lists all`,
  });
}

function showAll({ reasons, errnos }: Entries, out: Output): void {
  const rows = reasons.map(({ reason, kind, meaning }) => cells(reason, kind, meaning));
  out.table(['REASON', 'KIND', 'MEANING'], rows);
  out.line('');
  const answers = errnos.flatMap((entry) => errnoRows(entry).map((row) => [...cells(nameOf(entry)), ...row]));
  out.table(
    ['ERRNO', 'ANSWER TO', 'MEANING', 'REASON'],
    answers.map((row) => row.slice(0, 4)),
  );
}

function showOne({ reasons, errnos }: Entries, out: Output): void {
  for (const { reason, kind, meaning, ends, hint, guide } of reasons) {
    const texts = { means: meaning, 'what ends it': ends, 'way out': hint, 'step by step': guide };
    out.table(
      [reason, kind],
      Object.entries(texts).map((row) => cells(...row)),
    );
  }
  for (const entry of errnos)
    out.table([nameOf(entry), 'MEANING', 'REASON', 'THE AGENT', 'WAY OUT'], errnoRows(entry));
}

function nameOf({ name, errno }: ErrnoEntry): string {
  return name.startsWith('errno') ? name : `${name} (${errno})`;
}

function errnoRows({ answers }: ErrnoEntry): Cell[][] {
  return answers.map(({ operation, call, meaning, reason, then, hint }) =>
    cells(call === null ? operation : `${operation}, ${call}`, meaning, reason, then, hint),
  );
}

function cells(...texts: readonly string[]): Cell[] {
  return texts.map((text) => ({ text }));
}
