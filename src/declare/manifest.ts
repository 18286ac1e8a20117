/**
 * Manifests: the files in which operators keep what should exist.
 *
 * A file holds DeviceSets, one per document, in YAML or JSON. A set lists devices, and pools of devices of which
 * only the number matters; expand.ts makes devices of these. Whatever is wrong is told with
 * file, document, line and path, and everything that is wrong is told at once: one bad device
 * must not hide the next. Nothing is normalised here, as in events/names.ts.
 */
import type { Document, LineCounter } from 'yaml';
import { z } from 'zod';
import { EVENT_BYTES_MAX } from '../../events/codec.ts';
import { LABELS_MAX, presentData, TEXT_CHARS_MAX } from '../../events/declaration.ts';
import { hostId, parentName, typeName } from '../../events/names.ts';
import { documentsOf, lineAt, plain } from './manifest-lines.ts';
import { quickDocuments } from './manifest-quick.ts';

/** Most bytes in one manifest file. */
const MANIFEST_BYTES_MAX = 16 * 1024 * 1024;
/** Most problems that are kept; of the rest only the number is told. */
export const PROBLEMS_MAX = 50;
/** Most bytes of one device, as JSON: an event less what surrounds its data. */
const DEVICE_BYTES_MAX = EVENT_BYTES_MAX - 4096;

export const API_VERSION = 'mdevfleet.io/v1';
export const KIND = 'DeviceSet';

/** Most devices of one pool. */
const POOL_COUNT_MAX = 10_000;
/** Labels that each device of a pool gets beside the pool's own. */
const POOL_LABELS = 2;
/** What a driver may call a type: words, where an id is a single one. */
const TITLE = new RegExp(`^(?=.* )[^/\\p{Cc}]{1,${TEXT_CHARS_MAX}}$`, 'u');

/** A type by its id, or by the name that its driver gives it, which may have blanks. */
const anyType = z
  .string()
  .refine(
    (text) => typeName.safeParse(text).success || TITLE.test(text),
    "not a type's name: neither an id as in mdev_supported_types, nor what a driver calls one",
  )
  .describe("Type id, as listed in mdev_supported_types, or the name in the type's file `name`");

const declaredDevice = presentData
  .pick({ uuid: true, host: true, parent: true, attributes: true, labels: true })
  .extend({ type: anyType })
  .refine(
    (one) => Buffer.byteLength(JSON.stringify(one)) <= DEVICE_BYTES_MAX,
    `larger than ${DEVICE_BYTES_MAX} bytes`,
  );

const pool = z
  .strictObject({
    name: z.string().min(1).max(TEXT_CHARS_MAX).describe('Name of the pool in its set'),
    count: z.int().min(0).max(POOL_COUNT_MAX).describe('How many devices there should be'),
    type: anyType,
    hosts: z
      .strictObject({
        names: z.array(hostId).min(1).optional().describe('Any of these'),
        labels: z.record(z.string(), z.string()).optional().describe('Those that have all of these labels'),
      })
      .optional()
      .describe('Which hosts may have devices of the pool; all unless given'),
    parents: z.array(parentName).min(1).optional().describe('Which parents may; all unless given'),
    spread: z
      .enum(['parents', 'hosts', 'none'])
      .optional()
      .describe(
        'Over what devices are spread evenly; none fills one parent after the other (default: parents)',
      ),
    attributes: presentData.shape.attributes,
    labels: presentData.shape.labels.refine(
      (labels) => Object.keys(labels ?? {}).length <= LABELS_MAX - POOL_LABELS,
      `at most ${LABELS_MAX - POOL_LABELS} labels in a pool`,
    ),
  })
  .describe(
    'Devices of one type of which only the number matters; places and UUIDs are chosen, and then kept',
  );

/** One document of a manifest. The JSON Schema of manifests is made from this. */
export const deviceSet = z
  .strictObject({
    apiVersion: z.literal(API_VERSION, `must be ${API_VERSION}`),
    kind: z.literal(KIND, `must be ${KIND}`),
    metadata: z.strictObject({
      name: z.string().min(1).max(TEXT_CHARS_MAX).describe('Name of the set; its devices carry it'),
    }),
    devices: z.array(declaredDevice).optional(),
    pools: z.array(pool).optional(),
  })
  .refine(({ devices, pools }) => devices !== undefined || pools !== undefined, {
    path: ['devices'],
    message: 'missing; a set lists devices, or pools, or both',
  })
  .describe('Mediated devices that should exist');

/** Where something stands in a manifest. `document` counts from 1, as does `line`. */
export type Place = { readonly file: string; readonly document: number; readonly line: number };

/** A device as declared by a manifest. */
export type Listed = {
  readonly set: string;
  readonly device: z.infer<typeof declaredDevice>;
  readonly place: Place;
};

/** A pool as declared by a manifest. */
export type ListedPool = { readonly set: string; readonly pool: z.infer<typeof pool>; readonly place: Place };

/** What manifests declare; `sets` are the names of all sets in them, those without devices, too. */
export type Declared = {
  readonly sets: ReadonlySet<string>;
  readonly devices: readonly Listed[];
  readonly pools: readonly ListedPool[];
};

export type Problem = Place & { readonly path: string; readonly reason: string };

/** A file as read; `name` is what messages call it. */
export type ManifestFile = { readonly name: string; readonly text: string };

/** `omitted`: how many problems there were beyond PROBLEMS_MAX. */
export type Manifests =
  | ({ readonly kind: 'valid' } & Declared)
  | { readonly kind: 'invalid'; readonly problems: readonly Problem[]; readonly omitted: number };

/** Reads manifests; a host and UUID may be listed once in all of them together. */
export function parseManifests(files: readonly ManifestFile[]): Manifests {
  const reads = files.map(parseFile);
  const devices = reads.flatMap((read) => read.devices);
  const pools = reads.flatMap((read) => read.pools);
  const problems = [...reads.flatMap((read) => read.problems), ...repeated(devices), ...repeatedPools(pools)];
  if (problems.length === 0) {
    return { kind: 'valid', devices, pools, sets: new Set(reads.flatMap((read) => read.sets)) };
  }
  return {
    kind: 'invalid',
    problems: problems.slice(0, PROBLEMS_MAX),
    omitted: Math.max(0, problems.length - PROBLEMS_MAX),
  };
}

type Read = {
  readonly sets: readonly string[];
  readonly devices: readonly Listed[];
  readonly pools: readonly ListedPool[];
  readonly problems: readonly Problem[];
};

function parseFile(file: ManifestFile): Read {
  const top = { file: file.name, document: 1, line: 1 };
  if (Buffer.byteLength(file.text) > MANIFEST_BYTES_MAX) {
    return broken(top, `larger than ${MANIFEST_BYTES_MAX} bytes; split it`);
  }
  return readQuickly(file) ?? readClosely(file);
}

/** Null when anything is wrong, or a document is empty. Lines are looked for when somebody asks for one. */
function readQuickly(file: ManifestFile): Read | null {
  const values = quickDocuments(file.text);
  if (values === null || values.length === 0) return null;
  const sets = values.map((value) => deviceSet.safeParse(value));
  if (!sets.every(({ success }) => success)) return null;
  let closely: ReturnType<typeof documentsOf> | undefined;
  const read = sets.map(({ data }, index) => {
    const lineOf = (path: readonly PropertyKey[]): Place => ({
      ...{ file: file.name, document: index + 1 },
      get line() {
        closely ??= documentsOf(file.text);
        const document = closely.documents[index];
        return document === undefined ? 1 : lineAt(document, closely.lines, path);
      },
    });
    return data === undefined ? EMPTY : listed(data, lineOf);
  });
  return together(read);
}

function readClosely(file: ManifestFile): Read {
  const top = { file: file.name, document: 1, line: 1 };
  const { documents, lines } = documentsOf(file.text);
  const read = documents.map((document, index) =>
    parseDocument(document, lines, { ...top, document: index + 1 }),
  );
  if (read.every((one) => one === EMPTY)) return broken(top, `holds no document; expected a ${KIND}`);
  return together(read);
}

function together(read: readonly Read[]): Read {
  return {
    sets: read.flatMap((one) => one.sets),
    devices: read.flatMap((one) => one.devices),
    pools: read.flatMap((one) => one.pools),
    problems: read.flatMap((one) => one.problems),
  };
}

const EMPTY: Read = { sets: [], devices: [], pools: [], problems: [] };

function parseDocument(document: Document.Parsed, lines: LineCounter, top: Place): Read {
  if (document.errors.length > 0) {
    const problems = document.errors.map((error) => ({
      ...top,
      line: lines.linePos(error.pos[0]).line,
      path: '',
      reason: error.message,
    }));
    return { ...EMPTY, problems };
  }
  const value = plain(document);
  if (value === null) return EMPTY;
  if (value instanceof Error) return broken(top, value.message);
  const lineOf = (path: readonly PropertyKey[]) => ({ ...top, line: lineAt(document, lines, path) });
  const parsed = deviceSet.safeParse(value, { reportInput: true });
  return parsed.success
    ? listed(parsed.data, lineOf)
    : { ...EMPTY, problems: explained(parsed.error, lineOf) };
}

function listed(
  { metadata, devices = [], pools = [] }: z.infer<typeof deviceSet>,
  lineOf: (path: readonly PropertyKey[]) => Place,
): Read {
  const set = metadata.name;
  return {
    sets: [set],
    devices: devices.map((device, index) => ({ set, device, place: lineOf(['devices', index]) })),
    pools: pools.map((one, index) => ({ set, pool: one, place: lineOf(['pools', index]) })),
    problems: [],
  };
}

function broken(place: Place, reason: string): Read {
  return { ...EMPTY, problems: [{ ...place, path: '', reason }] };
}

function explained(error: z.ZodError, lineOf: (path: readonly PropertyKey[]) => Place): Problem[] {
  return error.issues.map((issue) => {
    const unknown = issue.code === 'unrecognized_keys' ? issue.keys.slice(0, 1) : [];
    const place = lineOf([...issue.path, ...unknown]);
    return { ...place, path: pathText(issue.path), reason: reasonOf(issue) };
  });
}

function reasonOf(issue: z.core.$ZodIssue): string {
  const { code, input } = issue;
  const message = issue.message.replace(/^Invalid input: /, '');
  const unquoted = typeof input === 'number' || typeof input === 'boolean';
  if (code === 'invalid_type' && issue.expected === 'string' && unquoted) {
    return `${message}; write it in quotes`;
  }
  if (code === 'invalid_type' && input === undefined) return 'missing';
  return message;
}

/** `devices[3].attributes[0].name` */
function pathText(path: readonly PropertyKey[]): string {
  const parts = path.map((part) => (typeof part === 'number' ? `[${part}]` : `.${String(part)}`));
  return parts.join('').replace(/^\./, '');
}

function repeated(devices: readonly Listed[]): Problem[] {
  return listedTwice(devices.map(({ device, place }) => ({ key: `${device.host}/${device.uuid}`, place })));
}

function repeatedPools(pools: readonly ListedPool[]): Problem[] {
  return listedTwice(
    pools.map(({ set, pool: { name }, place }) => ({ key: `pool ${name} of set ${set}`, place })),
  );
}

function listedTwice(listed: readonly { readonly key: string; readonly place: Place }[]): Problem[] {
  const first = new Map<string, Place>();
  const problems: Problem[] = [];
  for (const { key, place } of listed) {
    const before = first.get(key);
    if (before === undefined) first.set(key, place);
    else problems.push({ ...place, path: key, reason: `listed twice, first in ${placeText(before)}` });
  }
  return problems;
}

/** `fleet.yaml, document 2, line 14` */
export function placeText(place: Place): string {
  return `${place.file}, document ${place.document}, line ${place.line}`;
}
