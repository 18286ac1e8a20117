/**
 * Facts: the closed list of what a journal records.
 *
 * A fact says what was decided or seen, once, at a transition. Its kind and version are
 * written down with it; a shape that was ever written is read for ever. The record
 * around a fact chains it to the one before by SHA-256. Longer than 300 lines, since a list that is closed is read
 * as a whole.
 */
import { z } from 'zod';
import { eventMeta, labels } from './declaration.ts';
import { attribute, claim, generation, hostId, parentName, typeName, uuid } from './names.ts';
import { terminalReason, waitingReason } from './reasons.ts';
import { row } from './row.ts';

const v1 = z.literal(1);
const sha256 = z.string().regex(/^[0-9a-f]{64}$/);
const registryRevision = z.int().min(1);

/** Who holds a UUID, as far as the registry tells. */
export const holder = z.strictObject({
  claim,
  phase: z.enum(['held', 'releasing', 'fenced']),
  since: z.string().describe('When the hold was last written, RFC 3339'),
});

/** What a machine says of itself; a journal belongs to one machine. */
export const machine = z.strictObject({
  machineId: z.string(),
  product: z.string().nullable().describe('DMI product UUID, where the machine has one'),
});

/** What the last message taken from a stream was, to notice a stream that was replaced. */
export const cursor = z.strictObject({
  epoch: z.int().min(1),
  created: z.string().describe('Creation time of the stream'),
  sequence: z.int().min(0),
  digest: sha256
    .nullable()
    .describe(
      'SHA-256 of the message at that sequence, behind a line with the time when it was stored if that is known',
    ),
});

/** Why an active device is not there any more, or not as it was. */
export const driftCause = z.enum(['Rebooted', 'ParentGone', 'Removed', 'AttributesChanged']);

/** A type that some parent of a host offers, as the driver describes it. */
export const offeredType = z.strictObject({
  id: typeName,
  name: z.string().nullable().describe('What the driver calls it; null when it has no name for it'),
  api: z.string().nullable().describe('How a device of it is used, e.g. vfio-pci'),
});

/** A parent of a host. What of the capacity is taken is known from the rows of the devices. */
export const offeringParent = z.strictObject({
  name: parentName,
  driver: z.string().nullable(),
  cordoned: z
    .string()
    .optional()
    .describe('Who keeps new devices from it; missing while they may be made there'),
  types: z.array(
    z.strictObject({
      id: typeName,
      capacity: z
        .int()
        .min(0)
        .nullable()
        .describe(
          'Devices of this type that fit on the parent alone, as far as was seen; null if nothing was',
        ),
    }),
  ),
});

/** Most characters of what tells a device from others. */
const IDENTITY_CHARS_MAX = 64;

const about = { uuid, generation };

export const facts = {
  genesis: z.strictObject({
    kind: z.literal('genesis'),
    v: v1,
    journal: z.string().describe("The journal's own id"),
    host: hostId,
    machine,
    software: z.string(),
  }),
  started: z.strictObject({
    kind: z.literal('started'),
    v: v1,
    software: z.string(),
    kernel: z.string(),
  }),
  stopped: z.strictObject({ kind: z.literal('stopped'), v: v1 }),
  checkpoint: z
    .strictObject({
      kind: z.literal('checkpoint'),
      v: v1,
      publicKey: z.string().describe("The host's public key of Ed25519, 32 bytes in base64url"),
      note: z.string().describe('A signed note (C2SP) of the record before this one'),
    })
    .describe('The host signed where its journal ended'),
  inventory: z
    .strictObject({
      kind: z.literal('inventory'),
      v: v1,
      kernel: z.string().describe('Release of the running kernel'),
      labels: labels.describe("As the agent's settings have them"),
      types: z.array(offeredType).describe('What its parents offer, by id'),
      parents: z.array(offeringParent).describe('By name'),
      omitted: z.int().min(0).describe('Parents that there was no room for'),
    })
    .describe('What the host has to offer, whenever that is not what it was'),
  incarnated: z
    .strictObject({ kind: z.literal('incarnated'), v: v1, incarnation: z.int().min(1) })
    .describe('This agent now speaks for the host in the registry'),
  registry: z
    .strictObject({
      kind: z.literal('registry'),
      v: v1,
      state: z.enum(['open', 'rebuilding']),
      revision: registryRevision,
      by: z.string().describe('The host that noticed a loss, or the source of the act that opened'),
      what: z.string(),
      at: z.string().describe('By the clock of whoever wrote it, RFC 3339'),
    })
    .describe("The fleet's registry was seen to be rebuilding, or to be open again"),
  epoch: z
    .strictObject({
      kind: z.literal('epoch'),
      v: v1,
      stream: z.enum(['desired', 'command']),
      cause: z.enum(['First', 'Recreated', 'Rewound', 'Changed']),
      cursor,
    })
    .describe('A stream was met for the first time, or is not the one it was'),
  declared: z.strictObject({
    kind: z.literal('declared'),
    v: v1,
    ...about,
    event: eventMeta,
    desired: z.enum(['present', 'absent']),
    claim: claim.nullable().describe('null for absent'),
    attributes: z.array(attribute),
    labels: z.record(z.string(), z.string()),
    set: z.string().nullable(),
    replaces: claim.nullable(),
    outcome: z
      .enum(['claimed', 'replaced', 'updated', 'unchanged', 'withdrawn', 'refused'])
      .describe('What the declaration did to what was desired before'),
  }),
  rejected: z.strictObject({
    kind: z.literal('rejected'),
    v: v1,
    stream: z.enum(['desired', 'command']),
    sequence: z.int().min(1),
    subject: z.string(),
    reason: z.string(),
    digest: sha256,
    excerpt: z.string().describe('At most 1 KiB of the input'),
    suppressed: z.int().min(0).describe('Rejections since the last record that have none of their own'),
  }),
  unsupported: z.strictObject({
    kind: z.literal('unsupported'),
    v: v1,
    stream: z.enum(['desired', 'command']),
    sequence: z.int().min(1),
    subject: z.string(),
    type: z.string(),
    digest: sha256,
  }),
  commanded: z.strictObject({
    kind: z.literal('commanded'),
    v: v1,
    uuid,
    sequence: z.int().min(1),
    event: eventMeta,
    command: z.enum(['retry', 'release']),
    why: z.string().optional().describe("The operator's reason, where the command has one"),
  }),
  steered: z
    .strictObject({
      kind: z.literal('steered'),
      v: v1,
      sequence: z.int().min(1),
      event: eventMeta,
      command: z.enum(['pause', 'resume']),
    })
    .describe('A command for the whole host'),
  cordoned: z
    .strictObject({
      kind: z.literal('cordoned'),
      v: v1,
      sequence: z.int().min(1),
      event: eventMeta,
      command: z.enum(['cordon', 'uncordon']),
      parent: parentName.nullable().describe('null: all parents of the host'),
    })
    .describe('New devices are kept from a parent, or let there again'),
  told: z
    .strictObject({
      kind: z.literal('told'),
      v: v1,
      sequence: z.int().min(1),
      event: eventMeta,
      command: z.enum(['call', 'forget', 'rebind']),
      why: z.string().optional().describe("The operator's reason, where the command has one"),
    })
    .describe('An act of an operator about this host that changes nothing here: the registry decides'),
  claiming: z.strictObject({ kind: z.literal('claiming'), v: v1, ...about, claim }),
  reserved: z.strictObject({
    kind: z.literal('reserved'),
    v: v1,
    ...about,
    revision: registryRevision,
  }),
  reasserted: z
    .strictObject({ kind: z.literal('reasserted'), v: v1, ...about, revision: registryRevision })
    .describe('The registry had lost the hold, and it was written again'),
  configured: z
    .strictObject({
      kind: z.literal('configured'),
      v: v1,
      ...about,
      attributes: z.array(attribute),
      echoing: z
        .array(z.string())
        .optional()
        .describe('Names that read back what was written, and are watched from now on; none if missing'),
    })
    .describe('Attributes were written, in this order'),
  active: z.strictObject({
    kind: z.literal('active'),
    v: v1,
    ...about,
    how: z.enum(['created', 'adopted', 'unknown']).describe('unknown: a crash came between create and this'),
    identity: z
      .string()
      .max(IDENTITY_CHARS_MAX)
      .optional()
      .describe('What tells this device from any other of the host since its boot'),
  }),
  drift: z.strictObject({
    kind: z.literal('drift'),
    v: v1,
    ...about,
    cause: driftCause,
    attributes: z
      .array(z.string())
      .optional()
      .describe('With AttributesChanged: the names that read otherwise than they were written'),
  }),
  waiting: z.strictObject({
    kind: z.literal('waiting'),
    v: v1,
    ...about,
    reason: waitingReason,
    message: z.string(),
    errno: z.int().nullable(),
  }),
  settled: z
    .strictObject({ kind: z.literal('settled'), v: v1, ...about })
    .describe('What a device waited for has passed and nothing else had to be done'),
  conflict: z
    .strictObject({
      kind: z.literal('conflict'),
      v: v1,
      ...about,
      claim,
      reason: terminalReason,
      message: z.string(),
      holder: holder.nullable(),
    })
    .describe('Terminal: the UUID is taken'),
  failed: z
    .strictObject({
      kind: z.literal('failed'),
      v: v1,
      ...about,
      reason: terminalReason,
      message: z.string(),
      errno: z.int().nullable(),
    })
    .describe('Terminal: the declaration cannot be carried out as it is'),
  releasing: z.strictObject({
    kind: z.literal('releasing'),
    v: v1,
    ...about,
    cause: z.enum(['Withdrawn', 'Replaced', 'RolledBack']),
  }),
  gone: z.strictObject({ kind: z.literal('gone'), v: v1, ...about }),
  fenced: z
    .strictObject({
      kind: z.literal('fenced'),
      v: v1,
      ...about,
      message: z.string(),
      revision: registryRevision.optional().describe('What stood in the registry instead of the hold'),
    })
    .describe('The hold is not ours any more: taken away by force, or lost and taken by another since'),
  unmanaged: z.strictObject({
    kind: z.literal('unmanaged'),
    v: v1,
    uuid,
    device: z.strictObject({ parent: parentName, type: typeName }).nullable().describe('null: it is gone'),
  }),
};

export const fact = z.discriminatedUnion('kind', [
  facts.genesis,
  facts.started,
  facts.stopped,
  facts.checkpoint,
  facts.inventory,
  facts.incarnated,
  facts.registry,
  facts.epoch,
  facts.declared,
  facts.rejected,
  facts.unsupported,
  facts.commanded,
  facts.steered,
  facts.cordoned,
  facts.told,
  facts.claiming,
  facts.reserved,
  facts.reasserted,
  facts.configured,
  facts.active,
  facts.drift,
  facts.waiting,
  facts.settled,
  facts.conflict,
  facts.failed,
  facts.releasing,
  facts.gone,
  facts.fenced,
  facts.unmanaged,
]);

/** What surrounds every fact in a journal. */
export const envelope = z.looseObject({
  seq: z.int().min(1),
  time: z.string().describe('Wall clock of the host, RFC 3339; information only'),
  boot: z.string().describe("The kernel's boot id"),
  kind: z.string(),
  v: z.int().min(1),
  uuid: uuid.optional(),
  rows: z.array(row).optional().describe('Present on every fact about a device'),
  prev: sha256.describe('SHA-256 of the record before; zeros before the first'),
});

export type Fact = z.infer<typeof fact>;
export type FactKind = Fact['kind'];
export type FactOf<K extends FactKind> = Extract<Fact, { kind: K }>;
export type DeviceFact = Extract<Fact, { uuid: string }>;
export type Holder = z.infer<typeof holder>;
export type OfferingParent = z.infer<typeof offeringParent>;
export type Machine = z.infer<typeof machine>;
export type Cursor = z.infer<typeof cursor>;
export type Envelope = z.infer<typeof envelope>;
