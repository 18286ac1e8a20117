/**
 * Shows what publishing did: a table and a count, or JSON; then fails if something was left out.
 */
import { Failure } from '../exit.ts';
import type { Report, Reported } from '../publish.ts';
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
export function showReport(report: Report, asJson: boolean, out: Output): void {
  for (const warning of report.changes.flatMap((change) => change.warnings)) out.warn(warning);
  if (asJson) out.json(report.changes.map(jsonOf));
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

function jsonOf({ action, status, uuid, host, claim, set }: Reported): object {
  return { uuid, host, parent: claim?.parent ?? null, type: claim?.type ?? null, set, action, status };
}

function count(changes: readonly Reported[], status: Reported['status']): number {
  return changes.filter((change) => change.status === status).length;
}

function incomplete({ changes, stopped }: Report): Failure {
  const cause = stopped?.cause;
  if (cause instanceof Failure) return cause;
  const left = count(changes, 'unpublished');
  const reason = cause instanceof Error ? cause.message : String(cause);
  return new Failure(`publishing: ${left} of ${changes.length} devices are not done: ${reason}`, {
    outcome: 'incomplete',
    wayOut: 'run the same command again; it publishes only what is missing',
    cause,
  });
}
