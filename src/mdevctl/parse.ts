/**
 * Reads what mdevctl has written: the file of a definition, or a dump of many.
 *
 * Pure, and stricter than mdevctl: a definition that could not be declared is refused, for each
 * reason with file and line, and the others are read all the same. What mdevctl itself would
 * ignore is left out and told.
 */
import type { z } from 'zod';
import { ATTRIBUTES_MAX } from '../../events/declaration.ts';
import { type Attribute, declaredAttribute, parentName, typeName, uuid } from '../../events/names.ts';
import type { Definition } from './definition.ts';
import { type PlacedJson, parseJsonWithLines } from './json-places.ts';

export type Finding = { readonly file: string; readonly line: number; readonly what: string };

/** `refused`: no definition came of it. `ignored`: something that mdevctl does not mind either. */
export type Parsed = {
  readonly definitions: readonly (Definition & { readonly place: Omit<Finding, 'what'> })[];
  readonly refused: readonly Finding[];
  readonly ignored: readonly Finding[];
};

/** A text, and what messages call it. */
export type Source = { readonly file: string; readonly text: string };

/** Where a definition is for; the file's path says so, or the dump around it. */
type Identity = { readonly parent: string; readonly uuid: string };

type Json = Extract<PlacedJson, { kind: 'valid' }>;
type Path = Parameters<Json['lineOf']>[0];
type Members = Readonly<Record<string, unknown>>;

const KEYS: ReadonlySet<string> = new Set(['mdev_type', 'start', 'attrs']);

/** Reads the file of one definition; a UUID and a parent are given by its path. */
export function parseDefinition(source: Source, identity: Identity): Parsed {
  return read(source, (reader, value) => reader.definition(value, [], identity));
}

/** Reads what `mdevctl list --dumpjson` prints, with or without `--defined`. */
export function parseDump(source: Source): Parsed {
  return read(source, (reader, value) => reader.dump(value));
}

function read(source: Source, walk: (reader: Reader, value: unknown) => void): Parsed {
  const json = parseJsonWithLines(source.text);
  if (json.kind === 'invalid') {
    const what = `not JSON: ${json.reason}`;
    return { definitions: [], refused: [{ file: source.file, line: json.line, what }], ignored: [] };
  }
  const reader = new Reader(source.file, json);
  walk(reader, json.value);
  return reader;
}

class Reader implements Parsed {
  readonly definitions: Parsed['definitions'][number][] = [];
  readonly refused: Finding[] = [];
  readonly ignored: Finding[] = [];
  readonly #file: string;
  readonly #json: Json;

  constructor(file: string, json: Json) {
    this.#file = file;
    this.#json = json;
    for (const { key, line } of json.repeated) {
      this.refused.push({
        file,
        line,
        what: `${key} stands twice in one object; what came first is left out`,
      });
    }
  }

  dump(value: unknown): void {
    if (isMembers(value) && Object.hasOwn(value, 'mdev_type')) {
      return this.#refuse([], 'a definition alone does not say its parent and UUID; dump without --uuid');
    }
    if (!Array.isArray(value)) return this.#refuse([], 'expected what `mdevctl list --dumpjson` prints');
    for (const [index, parents] of value.entries()) this.#parents(parents, [index]);
  }

  #parents(value: unknown, at: Path): void {
    if (!isMembers(value)) return this.#refuse(at, 'expected an object of parents');
    for (const [parent, devices] of Object.entries(value)) {
      const path = [...at, parent];
      if (!Array.isArray(devices)) this.#refuse(path, `${parent}: expected an array of devices`);
      else for (const [index, one] of devices.entries()) this.#devices(one, [...path, index], parent);
    }
  }

  #devices(value: unknown, at: Path, parent: string): void {
    if (!isMembers(value)) return this.#refuse(at, 'expected an object of one device');
    for (const [id, one] of Object.entries(value)) this.definition(one, [...at, id], { parent, uuid: id });
  }

  /** Keeps the definition if nothing in it is refused. */
  definition(value: unknown, at: Path, identity: Identity): void {
    if (!isMembers(value)) return this.#refuse(at, 'expected an object: a definition');
    const before = this.refused.length;
    const parent = this.#checked(parentName, identity.parent, at, 'the parent');
    const id = this.#checked(uuid, identity.uuid, at, 'the UUID');
    const type = this.#checked(typeName, value['mdev_type'], [...at, 'mdev_type'], 'mdev_type');
    const start = this.#start(value['start'], [...at, 'start']);
    const attributes = this.#attributes(value['attrs'], [...at, 'attrs']);
    for (const key of Object.keys(value))
      if (!KEYS.has(key)) this.#ignore([...at, key], `${key} is left out`);
    if (this.refused.length > before) return;
    const place = { file: this.#file, line: this.#json.lineOf(at) };
    this.definitions.push({ parent, uuid: id, type, start, attributes, place });
  }

  /** Only the exact word is automatic to mdevctl; it refuses a definition without any. */
  #start(value: unknown, at: Path): Definition['start'] {
    if (value === 'auto' || value === 'manual') return value;
    if (value == null) this.#refuse(at, 'start is missing');
    else this.#ignore(at, `start is ${JSON.stringify(value)}, which means manual`);
    return 'manual';
  }

  #attributes(value: unknown, at: Path): readonly Attribute[] {
    if (value == null) return [];
    if (!Array.isArray(value)) {
      this.#refuse(at, 'attrs is not an array');
      return [];
    }
    if (value.length > ATTRIBUTES_MAX) this.#refuse(at, `attrs has more than ${ATTRIBUTES_MAX} attributes`);
    return value.flatMap((one: unknown, index) => this.#attribute(one, [...at, index]));
  }

  #attribute(value: unknown, at: Path): readonly Attribute[] {
    const [member, ...more] = isMembers(value) ? Object.entries(value) : [];
    if (member === undefined || more.length > 0) {
      this.#refuse(at, 'an attribute is not an object with exactly one key');
      return [];
    }
    const [name, written] = member;
    const parsed = declaredAttribute.safeParse({ name, value: written });
    if (parsed.success) return [parsed.data];
    this.#refuse([...at, name], `attribute ${name}: ${problems(parsed.error)}`);
    return [];
  }

  #checked(schema: z.ZodType<string>, value: unknown, at: Path, name: string): string {
    const parsed = schema.safeParse(value);
    if (parsed.success) return parsed.data;
    const given = typeof value === 'string' ? ` ${value}` : '';
    this.#refuse(
      at,
      value === undefined ? `${name} is missing` : `${name}${given}: ${problems(parsed.error)}`,
    );
    return '';
  }

  #refuse(at: Path, what: string): void {
    this.refused.push({ file: this.#file, line: this.#json.lineOf(at), what });
  }

  #ignore(at: Path, what: string): void {
    this.ignored.push({ file: this.#file, line: this.#json.lineOf(at), what });
  }
}

function isMembers(value: unknown): value is Members {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function problems({ issues }: z.ZodError): string {
  return issues.map(({ message }) => message).join('; ');
}

/** All of them together; a UUID that is defined on two parents is refused on both. */
export function merged(parts: readonly Parsed[]): Parsed {
  const all = parts.flatMap(({ definitions }) => definitions);
  const byUuid = Map.groupBy(all, (one) => one.uuid);
  const only = (id: string) => byUuid.get(id)?.length === 1;
  const ambiguous = all.filter((one) => !only(one.uuid));
  return {
    definitions: all.filter((one) => only(one.uuid)),
    refused: [
      ...parts.flatMap(({ refused }) => refused),
      ...ambiguous.map(({ place, uuid: id }) => ({ ...place, what: `${id} is defined more than once` })),
    ],
    ignored: parts.flatMap(({ ignored }) => ignored),
  };
}
