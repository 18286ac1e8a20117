/**
 * The points at which an agent may be killed: before, during and after each thing that it does to the world.
 */
import { type FactKind, fact } from '../../events/fact.ts';

/** What an agent does to the world, by name. */
export type Effect =
  | `journal ${FactKind | 'cursor' | 'forwarded'}`
  | `registry ${'incarnation' | 'claim' | 'releasing' | 'give back' | 'rebuilding' | 're-assert' | 'confirm'}`
  | `sysfs ${'create' | 'attribute' | 'remove'}`
  | 'forward';

/** `during`: it was asked for, and nobody heard the answer. */
export type When = 'before' | 'during' | 'after';

/** The `nth` time, from 1, that the agent does the effect. */
export type Point = { readonly effect: Effect; readonly when: When; readonly nth: number };

/** Facts that no append of the scenario carries, and why. */
const ELSEWHERE: Partial<Record<FactKind, string>> = {
  genesis: 'begins a journal, before there is a port; test/store/journal-lmdb.test.ts',
};

const KINDS = fact.options.map((one) => one.shape.kind.value).filter((kind) => ELSEWHERE[kind] === undefined);

const FACTS: readonly Effect[] = KINDS.map((kind): Effect => `journal ${kind}`);
const POSITIONS: readonly Effect[] = ['journal cursor', 'journal forwarded'];
const REGISTRY: readonly Effect[] = [
  'registry incarnation',
  'registry claim',
  'registry releasing',
  'registry give back',
  'registry rebuilding',
  'registry re-assert',
  'registry confirm',
];
const SYSFS: readonly Effect[] = ['sysfs create', 'sysfs attribute', 'sysfs remove'];

/** The other stream's epoch, `resume`, the registry open again, and attributes that somebody else has changed. */
const SECOND: readonly Effect[] = [
  'journal epoch',
  'journal steered',
  'journal registry',
  'journal drift',
  'journal configured',
];

/** Every append to the journal, by the kind of fact that it carries; without any, it moves a position. */
export const JOURNAL_POINTS: readonly Point[] = [
  ...points([...FACTS, ...POSITIONS], ['before', 'after']),
  ...points(SECOND, ['before', 'after'], 2),
  ...points(['journal declared'], ['before'], 4),
];

/** Every write elsewhere. */
export const WRITE_POINTS: readonly Point[] = [
  ...points([...REGISTRY, 'forward'], ['before', 'after']),
  ...points(SYSFS, ['before', 'during', 'after']),
  ...points(['sysfs attribute'], ['before', 'after'], 2),
  ...points(['sysfs attribute'], ['before', 'during', 'after'], 3),
  ...points(['forward'], ['before', 'after'], 3),
];

/** The few that matter most, once more on a real server. */
export const SERVER_POINTS: readonly Point[] = [
  ...points(['registry claim'], ['during', 'after']),
  ...points(['sysfs create', 'registry give back'], ['after']),
  ...points(['forward'], ['during', 'after']),
];

function points(effects: readonly Effect[], whens: readonly When[], nth = 1): readonly Point[] {
  return effects.flatMap((effect) => whens.map((when) => ({ effect, when, nth })));
}
