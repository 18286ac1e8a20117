/**
 * `replay`: hosts as they were at a moment, what changed between two, or whether a journal agrees with its machine.
 */
import type { Row } from '../../events/row.ts';
import type { FleetPast } from '../../store/past/fleet-past.ts';
import type { Reached } from '../../store/past/walk.ts';
import { Failure, type Outcome } from '../exit.ts';
import { generationText, whoText } from '../past/line.ts';
import { hostsAt, momentOf } from '../past/moments.ts';
import { Acts, changesIn, type PastChange, reversedIn } from '../past/past-changes.ts';
import { manifestOf, NO_SET } from '../past/past-manifest.ts';
import { hostView, rowsIn, statesAt } from '../past/past-rows.ts';
import { checkJournal } from './check-journal.ts';
import { STATE_COLOURS } from './device-columns.ts';
import { hostFlag, type Opened, pastVerb } from './from.ts';
import type { Output } from './output.ts';
import type { Cell } from './terminal.ts';
import type { Invocation } from './verb.ts';

const HOSTS = ['HOST', 'RECORDS', 'UP TO', 'NEXT', 'NOTE'] as const;
const DEVICES = ['HOST', 'UUID', 'PARENT', 'TYPE', 'STATE', 'REASON', 'MESSAGE'] as const;
const CHANGES = ['HOST', 'UUID', 'BEFORE', 'AFTER', 'BY'] as const;

export const replay = pastVerb(async (invocation, open) => {
  const { flags, args } = invocation;
  const modes = ['diff', 'check', 'manifest'].filter((one) => flags[one] === true);
  if (modes.length > 1)
    throw usage(`--${modes.join(' and --')} are asked for at once`, 'ask for one of them');
  if (args.length > 0 && flags['diff'] !== true) {
    throw usage(`${args.join(' ')} is not expected`, 'name a moment with --at, or two with --diff');
  }
  if (flags['diff'] === true) return open((opened) => showDiff(invocation, opened));
  if (flags['check'] === true) return open((opened) => checkJournal(invocation, opened));
  return open((opened) => showMoment(invocation, opened));
});

function usage(what: string, wayOut: string): Failure {
  return new Failure(`reading the arguments: ${what}`, { outcome: 'usage', wayOut });
}

async function showMoment({ flags, out }: Invocation, { source }: Opened): Promise<Outcome> {
  const at = String(flags['at'] ?? 'now');
  const past = await hostsAt(source, { moments: [momentOf(at)], host: hostFlag(flags) });
  const states = statesAt(past, 0);
  if (flags['manifest'] === true) await showManifest(states, out);
  else if (flags['json'] === true) await out.raw(jsonOf(at, states));
  else await showTables(states, out);
  return wellRead(past);
}

/** What could be read is shown; that it is not all ends the run. */
function wellRead(past: FleetPast): Outcome {
  const faults = [...past].flatMap(([host, states]) => {
    const fault = states.find((state) => state.fault !== null)?.fault;
    return fault === undefined ? [] : [`\n  ${host}: ${fault}`];
  });
  if (faults.length === 0) return 'ok';
  throw new Failure(`reading the past: not all of it follows, and the rest is left out:${faults.join('')}`, {
    outcome: 'damaged',
    wayOut: 'see what `mdevfleet verify` says, and read it from elsewhere with --from',
  });
}

async function showManifest(states: readonly Reached[], out: Output): Promise<void> {
  const alone = states.some(({ devices }) =>
    [...devices.values()].some(({ desired }) => desired?.kind === 'present' && desired.set === null),
  );
  if (alone) out.warn(`some devices were declared without a set; here they are in set ${NO_SET}`);
  await out.raw(manifestOf(states));
}

/** One document, however long; a device a line. */
function* jsonOf(at: string, states: readonly Reached[]): Generator<string> {
  yield `{"at":${JSON.stringify(at)},\n"hosts":${JSON.stringify(states.map(hostView))},\n"devices":`;
  yield* listed(rowsIn(states));
  yield '}\n';
}

function* listed(items: Iterable<object>): Generator<string> {
  let before = '[';
  for (const item of items) {
    yield `${before}\n${JSON.stringify(item)}`;
    before = ',';
  }
  yield before === '[' ? '[]' : '\n]';
}

async function showTables(states: readonly Reached[], out: Output): Promise<void> {
  if (states.length === 0) return out.line('no host had recorded anything by then');
  await out.rows(HOSTS, states.map(hostCells));
  out.line('');
  await out.rows(DEVICES, cellsOf(rowsIn(states)));
}

function hostCells(state: Reached): Cell[] {
  const { host, seq, time, next, fault, paused, cordoned } = hostView(state);
  const later = next === null ? 'nothing later is known' : `record ${next.seq} at ${next.time}`;
  const notes = [
    ...(paused === null ? [] : [`paused by ${paused}`]),
    ...cordoned.map(({ parent, by }) => `${parent ?? 'all parents'} cordoned by ${by}`),
    ...(fault === null ? [] : [fault]),
  ];
  return [host, String(seq), time, later, notes.join('; ') || '-'].map((text) => ({ text }));
}

function* cellsOf(rows: Iterable<Row>): Generator<readonly Cell[]> {
  for (const { host, uuid, parent, type, state, reason, message } of rows) {
    const shown = { text: state, colour: STATE_COLOURS[state] };
    yield [
      ...[host, uuid, parent, type].map((text) => ({ text })),
      shown,
      ...[reason ?? '-', message ?? '-'].map((text) => ({ text })),
    ];
  }
}

async function showDiff({ args, flags, out }: Invocation, { source }: Opened): Promise<Outcome> {
  const [a, b, ...more] = args;
  if (a === undefined || b === undefined || more.length > 0 || flags['at'] !== undefined) {
    throw usage('--diff compares two moments', 'name them: `mdevfleet replay --diff A B`');
  }
  const acts = new Acts();
  const past = await hostsAt(source, {
    moments: [momentOf(a), momentOf(b)],
    host: hostFlag(flags),
    onRecord: (host, decoded, passed) => acts.note(host, decoded, passed),
  });
  const reversed = reversedIn(past);
  if (reversed !== undefined)
    throw usage(`on host ${reversed}, ${b} is before ${a}`, 'name the earlier moment first');
  const changes = changesIn(past, acts);
  if (flags['json'] === true) await out.raw([...listed(changes), '\n']);
  else await out.rows(CHANGES, changeCells(changes));
  return wellRead(past);
}

function* changeCells(changes: Iterable<PastChange>): Generator<readonly Cell[]> {
  for (const { host, uuid, before, after, by } of changes) {
    const who = by
      .map(
        ({ source, signer, what, time }) =>
          `${what} by ${whoText({ source, signer: signer ?? undefined })} at ${time}`,
      )
      .join('; ');
    const texts = [host, uuid, rowsText(before), rowsText(after), who || '-'];
    yield texts.map((text) => ({ text }));
  }
}

function rowsText(rows: readonly Row[]): string {
  return rows.map(rowText).join(' and ') || 'nothing';
}

function rowText({ state, reason, type, parent, attributes, generation }: Row): string {
  const why = reason === null ? '' : `, ${reason}`;
  const set = attributes.map(({ name, value }) => ` ${name}=${value}`).join('');
  return `${state}${why}: ${type} on ${parent}${set} @${generationText(generation)}`;
}
