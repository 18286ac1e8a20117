/**
 * Random facts of every kind about a handful of UUIDs, in any order: the fold takes every
 * fact as it is, so every sequence is a legal log.
 */
import fc from 'fast-check';
import { type DeviceFact, driftCause, type Fact, type FactKind, type FactOf } from '../../../events/fact.ts';
import { terminalReason, waitingReason } from '../../../events/reasons.ts';

/** Few, so that facts about one UUID follow each other. */
const UUIDS = [
  '00000000-0000-4000-8000-000000000001',
  '00000000-0000-4000-8000-000000000002',
  '00000000-0000-4000-8000-000000000003',
] as const;

const DIGEST = 'ab'.repeat(32);

/** Facts are plain objects. */
function record<T>(model: { [K in keyof T]: fc.Arbitrary<T[K]> }): fc.Arbitrary<T> {
  return fc.record<T>(model, { noNullPrototype: true });
}

const uuid = fc.constantFrom(...UUIDS);
const generation = record({
  epoch: fc.integer({ min: 1, max: 3 }),
  sequence: fc.integer({ min: 1, max: 9 }),
});
const about = { v: fc.constant(1 as const), uuid, generation };
const parent = fc.constantFrom('0000:00:04.0', 'mtty');
const type = fc.constantFrom('mtty-1', 'mtty-2');
const claim = record({ host: fc.constantFrom('node-1', 'node-2'), parent, type });
const attributes = fc.array(
  record({
    name: fc.constantFrom('assign_adapter', 'assign_domain'),
    value: fc.string({ unit: 'grapheme', maxLength: 4 }).filter((one) => !one.includes('\0')),
  }),
  { maxLength: 3 },
);
const text = fc.string({ unit: 'grapheme', maxLength: 12 });
/** The longest and oddest ids that events may have, too. */
const id = fc.oneof(
  fc.constantFrom('a', 'b', 'c'),
  fc.string({ unit: 'binary', minLength: 1, maxLength: 256 }),
);
const event = record({ id, source: id, time: fc.constant('2026-01-01T00:00:00Z') });
const stream = fc.constantFrom('desired' as const, 'command' as const);
const sequence = fc.integer({ min: 1, max: 99 });
const errno = fc.option(fc.integer({ min: 1, max: 133 }));
const holder = fc.option(
  record({
    claim,
    phase: fc.constantFrom('held' as const, 'releasing' as const, 'fenced' as const),
    since: text,
  }),
);

type AnyKind = Exclude<FactKind, 'genesis'>;

/** One arbitrary per kind, so that a kind without one does not compile. */
const arbitraries: { readonly [K in AnyKind]: fc.Arbitrary<FactOf<K>> } = {
  started: record({ kind: fc.constant('started'), v: about.v, software: text, kernel: text }),
  stopped: record({ kind: fc.constant('stopped'), v: about.v }),
  inventory: record({
    kind: fc.constant('inventory'),
    v: about.v,
    kernel: text,
    labels: fc.constantFrom({}, { gpu: 'true' }),
    types: fc.array(record({ id: type, name: fc.option(text), api: fc.constant('vfio-pci') }), {
      maxLength: 2,
    }),
    parents: fc.array(
      record({
        name: parent,
        driver: fc.option(text),
        types: fc.array(record({ id: type, capacity: fc.option(fc.nat(9)) }), { maxLength: 2 }),
      }),
      { maxLength: 2 },
    ),
    omitted: fc.constant(0),
  }),
  checkpoint: record({ kind: fc.constant('checkpoint'), v: about.v, publicKey: text, note: text }),
  incarnated: record({
    kind: fc.constant('incarnated'),
    v: about.v,
    incarnation: fc.integer({ min: 1, max: 9 }),
  }),
  registry: record({
    kind: fc.constant('registry'),
    v: about.v,
    state: fc.constantFrom('open' as const, 'rebuilding' as const),
    revision: sequence,
    by: text,
    what: text,
    at: text,
  }),
  epoch: record({
    kind: fc.constant('epoch'),
    v: about.v,
    stream,
    cause: fc.constantFrom('First' as const, 'Recreated' as const, 'Rewound' as const, 'Changed' as const),
    cursor: record({
      epoch: fc.integer({ min: 1, max: 9 }),
      created: text,
      sequence: fc.nat(99),
      digest: fc.option(fc.constant(DIGEST)),
    }),
  }),
  declared: record({
    kind: fc.constant('declared'),
    ...about,
    event,
    desired: fc.constantFrom('present' as const, 'absent' as const),
    claim: fc.option(claim),
    attributes,
    labels: fc.dictionary(text, text, { maxKeys: 2, noNullPrototype: true }),
    set: fc.option(text),
    replaces: fc.option(claim),
    outcome: fc.constantFrom(
      'claimed' as const,
      'replaced' as const,
      'updated' as const,
      'unchanged' as const,
      'withdrawn' as const,
      'refused' as const,
    ),
  }),
  rejected: record({
    kind: fc.constant('rejected'),
    v: about.v,
    stream,
    sequence,
    subject: text,
    reason: text,
    digest: fc.constant(DIGEST),
    excerpt: text,
    suppressed: fc.nat(9),
  }),
  unsupported: record({
    kind: fc.constant('unsupported'),
    v: about.v,
    stream,
    sequence,
    subject: text,
    type: text,
    digest: fc.constant(DIGEST),
  }),
  commanded: record({
    kind: fc.constant('commanded'),
    v: about.v,
    uuid,
    sequence,
    event,
    command: fc.constant('retry' as const),
  }),
  steered: record({
    kind: fc.constant('steered'),
    v: about.v,
    sequence,
    event,
    command: fc.constantFrom('pause' as const, 'resume' as const),
  }),
  cordoned: record({
    kind: fc.constant('cordoned'),
    v: about.v,
    sequence,
    event,
    command: fc.constantFrom('cordon' as const, 'uncordon' as const),
    parent: fc.option(parent),
  }),
  told: record({
    kind: fc.constant('told'),
    v: about.v,
    sequence,
    event,
    command: fc.constantFrom('call' as const, 'forget' as const, 'rebind' as const),
    why: text,
  }),
  claiming: record({ kind: fc.constant('claiming'), ...about, claim }),
  reserved: record({ kind: fc.constant('reserved'), ...about, revision: sequence }),
  reasserted: record({ kind: fc.constant('reasserted'), ...about, revision: sequence }),
  configured: record({ kind: fc.constant('configured'), ...about, attributes, echoing: fc.array(text) }),
  active: record({
    kind: fc.constant('active'),
    ...about,
    how: fc.constantFrom('created' as const, 'adopted' as const, 'unknown' as const),
  }),
  drift: record({
    kind: fc.constant('drift'),
    ...about,
    cause: fc.constantFrom(...driftCause.options),
    attributes: fc.array(text),
  }),
  waiting: record({
    kind: fc.constant('waiting'),
    ...about,
    reason: fc.constantFrom(...waitingReason.options),
    message: text,
    errno,
  }),
  settled: record({ kind: fc.constant('settled'), ...about }),
  conflict: record({
    kind: fc.constant('conflict'),
    ...about,
    claim,
    reason: fc.constantFrom(...terminalReason.options),
    message: text,
    holder,
  }),
  failed: record({
    kind: fc.constant('failed'),
    ...about,
    reason: fc.constantFrom(...terminalReason.options),
    message: text,
    errno,
  }),
  releasing: record({
    kind: fc.constant('releasing'),
    ...about,
    cause: fc.constantFrom('Withdrawn' as const, 'Replaced' as const, 'RolledBack' as const),
  }),
  gone: record({ kind: fc.constant('gone'), ...about }),
  fenced: record({ kind: fc.constant('fenced'), ...about, message: text, revision: sequence }),
  unmanaged: record({
    kind: fc.constant('unmanaged'),
    v: about.v,
    uuid,
    device: fc.option(record({ parent, type })),
  }),
};

const { checkpoint, ...legal } = arbitraries;

/** A fact of any kind but genesis, which only begins a log, and a checkpoint, which must be of the record before it. */
export const anyFact: fc.Arbitrary<Fact> = fc.oneof(...Object.values<fc.Arbitrary<Fact>>(legal));

/** A checkpoint, too. */
export const anyKindOfFact: fc.Arbitrary<Fact> = fc.oneof(anyFact, checkpoint);

/** A fact about one of UUIDS. */
export const anyDeviceFact: fc.Arbitrary<DeviceFact> = anyFact.filter(
  (one): one is DeviceFact => 'uuid' in one,
);
