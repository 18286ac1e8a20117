/**
 * Shows what publishing did: a table and a count, or JSON; then fails if something was left out.
 */
import { messageOf } from '../../events/message-of.ts';
import { keyOf } from '../declare/diff.ts';
import type { Report, Reported } from '../declare/publish.ts';
import type { Verdict } from '../declare/settle.ts';
import { Failure } from '../exit.ts';
import type { Output } from './output.ts';
import type { Cell, Colour } from './terminal.ts';

const DONE = {
  declare: 'declared',
  update: 'updated',
  replace: 'replaced',
  move: 'moved',
  withdraw: 'withdrawn',
  unchanged: 'unchanged',
} as const;

const COLOURS = { published: 'green', unchanged: 'dim', unpublished: 'red' } as const satisfies Record<
  Reported['status'],
  Colour
>;

/** Throws a Failure when not everything was published. */
export function showReport(
  report: Report,
  asJson: boolean,
  out: Output,
  verdicts: readonly Verdict[] = [],
): void {
  const become = new Map(verdicts.map((one) => [keyOf(one), one]));
  for (const warning of report.changes.flatMap((change) => change.warnings)) out.warn(warning);
  if (asJson) out.json(report.changes.map((change) => jsonOf(change, become.get(keyOf(change)))));
  else showTable(report.changes, out);
  if (report.stopped !== null) throw incomplete(report);
}

function showTable(changes: readonly Reported[], out: Output): void {
  const rows = changes.map(({ status, action, uuid, host, claim, set }): Cell[] => [
    { text: status === 'unpublished' ? 'not published' : DONE[action], colour: COLOURS[status] },
    { text: uuid },
    { text: host },
    { text: claim?.parent ?? '-' },
    { text: claim?.type ?? '-' },
    { text: set ?? '-' },
  ]);
  if (rows.length > 0) out.table(['RESULT', 'UUID', 'HOST', 'PARENT', 'TYPE', 'SET'], rows);
  out.line(`${count(changes, 'published')} published, ${count(changes, 'unchanged')} unchanged`);
}

/** With what has become of it, where that was waited for. */
function jsonOf({ action, status, uuid, host, claim, set }: Reported, verdict: Verdict | undefined): object {
  const { parent = null, type = null } = claim ?? {};
  const { state, reason, message } = verdict ?? {};
  return { uuid, host, parent, type, set, action, status, state, reason, message };
}

function count(changes: readonly Reported[], status: Reported['status']): number {
  return changes.filter((change) => change.status === status).length;
}

function incomplete({ changes, stopped }: Report): Failure {
  const cause = stopped?.cause;
  if (cause instanceof Failure) return cause;
  const left = count(changes, 'unpublished');
  const reason = messageOf(cause);
  return new Failure(`publishing: ${left} of ${changes.length} devices are not done: ${reason}`, {
    outcome: 'incomplete',
    wayOut: 'run the same command again; it publishes only what is missing',
    cause,
  });
}
