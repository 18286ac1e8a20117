/**
 * `describe`: everything about one device on one screen.
 */
import type { Uuid } from '../../events/names.ts';
import { describe as describeClaim } from '../../store/evolve.ts';
import { holds } from '../../store/registry/standing.ts';
import { nearest } from '../declare/nearest.ts';
import { Failure, type Outcome } from '../exit.ts';
import {
  type DeclaredOn,
  type Described,
  type DescribedHold,
  type DescribedRow,
  describeDevice,
} from '../look/described.ts';
import { actorOf } from '../past/history.ts';
import { generationText } from '../past/line.ts';
import { pairsText, STATE_COLOURS } from './device-columns.ts';
import { formOf } from './form.ts';
import { HISTORY_HEADER, historyCells } from './history.ts';
import { type Fleet, withFleet } from './open.ts';
import type { Output } from './output.ts';
import { uuidsOf } from './targets.ts';
import { type Cell, Columns } from './terminal.ts';
import type { Invocation } from './verb.ts';
import { cellOf, showValue } from './view.ts';

export async function describe({ settings, args, flags, out }: Invocation): Promise<Outcome> {
  const [uuid = ''] = uuidsOf(args);
  const form = formOf(flags);
  return withFleet(settings, async (fleet) => {
    const found = await describeDevice(fleet, uuid);
    if (found === null) throw await nobodyKnows(fleet, uuid);
    if (form === 'json' || form === 'yaml') await showValue(jsonOf(found), form, out);
    else show(found, out);
    return 'ok' as const;
  });
}

/** Two groups of a UUID of five may be mistyped. */
const GROUPS_MIN = 3;

/** The whole fleet is looked through only now. */
async function nobodyKnows({ streams, prefix }: Fleet, uuid: Uuid): Promise<Failure> {
  const known = new Set<string>();
  for (const stream of [streams.desired, streams.observed]) {
    const subjects = await stream.subjects(`${prefix}.${stream.name}.>`);
    for (const subject of subjects) known.add(subject.slice(subject.lastIndexOf('.') + 1));
  }
  const groups = uuid.split('-');
  const alike = [...known].filter((one) => {
    const others = one.split('-');
    return groups.filter((group, at) => group === others[at]).length >= GROUPS_MIN;
  });
  const meant = nearest(uuid, alike);
  const hint = meant.length === 0 ? '' : `did you mean ${meant.join(' or ')}? `;
  return new Failure(`describing ${uuid}: it was never declared, reported or held in this fleet`, {
    outcome: 'usage',
    wayOut: `${hint}\`mdevfleet get devices\` lists all`,
  });
}

function jsonOf(found: Described): object {
  const history = found.history.map(({ line, askedBy }) => {
    const { fact: _fact, uuid: _uuid, who: _who, why: what, ...rest } = line;
    return { ...rest, who: actorOf({ line, askedBy }), what };
  });
  return { ...found, history };
}

function show(found: Described, out: Output): void {
  const { uuid, declarations, rows, registry, history, earlier } = found;
  out.table(['UUID', uuid], [[{ text: 'registry' }, holdCell(registry)]]);
  section(out, DECLARED, declarations.map(declaredCells), 'it is declared on no host');
  section(out, REPORTED, rows.map(reportedCells), 'no host has such a device, or waits for one');
  for (const row of rows) showReason(row, out);
  section(out, PARENTS, parentCells(found), 'nothing is known of its parents');
  section(out, HISTORY_HEADER, history.map(historyCells), 'no host has recorded anything about it');
  if (earlier > 0) out.line(`${earlier} earlier: mdevfleet history ${uuid}`);
}

/** A table under an empty line, or that there is nothing in it. */
function section(
  out: Output,
  header: readonly string[],
  rows: readonly (readonly Cell[])[],
  none: string,
): void {
  out.line('');
  if (rows.length === 0) out.line(none);
  else out.table(header, rows);
}

function showReason({ host, reason, message, guidance }: DescribedRow, out: Output): void {
  if (reason === null && message === null) return;
  out.line('');
  if (message !== null) out.line(`${host}, ${reason ?? 'no reason'}: ${message}`);
  if (guidance === null) return;
  const { meaning, ends, hint } = guidance;
  const lines = [
    [{ text: '  means' }, { text: meaning }],
    [{ text: '  what ends it' }, { text: ends }],
    ...(message?.includes(hint) ? [] : [[{ text: '  way out' }, { text: hint }]]),
  ];
  for (const line of new Columns(2, out.isTerminal).lines(lines)) out.line(line);
}

const DECLARED = [
  'DECLARED ON',
  'AS',
  'SET',
  'GENERATION',
  'WHO',
  'TIME',
  'LABELS',
  'ATTRIBUTES',
  'REPLACES',
];

function declaredCells(one: DeclaredOn): readonly Cell[] {
  const { host, sequence, desired, parent, type, set, who, time, labels, attributes, replaces } = one;
  const as = desired === 'present' ? `${type} on ${parent}` : (desired ?? 'unreadable');
  const pairs = Object.entries(labels).map(([name, value]) => ({ name, value }));
  const replaced = replaces === null ? null : describeClaim(replaces);
  return cells(
    ...[host, as, set, `-/${sequence}`, who, time],
    ...[pairsText(pairs), pairsText(attributes), replaced],
  );
}

const REPORTED = ['REPORTED BY', 'AS', 'STATE', 'REASON', 'GENERATION', 'ATTRIBUTES'];

function reportedCells(row: DescribedRow): readonly Cell[] {
  const { host, forgotten, parent, type, state, reason, generation, attributes } = row;
  return [
    ...cells(forgotten ? `${host}, forgotten` : host, `${type} on ${parent}`),
    { text: state, colour: STATE_COLOURS[state] },
    ...cells(reason, generationText(generation), pairsText(attributes)),
  ];
}

const PARENTS = ['ON HOST', 'PARENT', 'DRIVER', 'CORDONED BY', 'TYPE', 'CAPACITY', 'TAKEN', 'FREE'];

/** Of the types that a parent offers only those that are asked of it. */
function parentCells({ parents, declarations, rows }: Described): readonly (readonly Cell[])[] {
  const asked = new Set([...declarations, ...rows].map(({ type }) => type));
  return parents.flatMap(({ host, parent, driver, cordoned, types }) => {
    const rooms = types.filter(({ type }) => asked.has(type));
    const place = [host, parent, driver, cordoned];
    if (rooms.length === 0) return [cells(...place, 'offers no such type', null, null, null)];
    return rooms.map(({ type, capacity, taken, free }) => cells(...place, type, capacity, taken, free));
  });
}

function holdCell(hold: DescribedHold): Cell {
  switch (hold.state) {
    case 'free':
      return { text: 'held by nobody' };
    case 'unknown':
      return { text: `could not be asked: ${hold.why}`, colour: 'yellow' };
    case 'held':
    case 'releasing':
    case 'fenced': {
      const { host, parent, type, state: phase, since } = hold;
      const leaving = phase === 'releasing' ? ', and on its way out' : '';
      return { text: `${holds({ claim: { host, parent, type }, phase, since })}${leaving}` };
    }
    default:
      return hold satisfies never;
  }
}

function cells(...values: readonly (string | number | null)[]): Cell[] {
  return values.map(cellOf);
}
