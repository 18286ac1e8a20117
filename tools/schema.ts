/**
 * Writes the JSON Schema of every event and fact to events/schema/, from the zod schemas that the program itself
 * reads them by, and docs/asyncapi.yaml. They are for whoever publishes or reads events with a program of their own.
 * docs/manifest.schema.json is for editors, that of manifests.
 */
import { execFile } from 'node:child_process';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { z } from 'zod';
import { commandEvents } from '../events/command.ts';
import { ABSENT_TYPE, absentEvent, PRESENT_TYPE, presentEvent } from '../events/declaration.ts';
import { envelope, facts } from '../events/fact.ts';
import { deviceSet } from '../src/declare/manifest.ts';
import { asyncApi } from './asyncapi.ts';

const ROOT = dirname(import.meta.dirname);
export const SCHEMA_FOLDER = join(ROOT, 'events', 'schema');
export const MANIFEST_SCHEMA = join(ROOT, 'docs', 'manifest.schema.json');
export const ASYNCAPI_FILE = join(ROOT, 'docs', 'asyncapi.yaml');

/** Events by their type; a fact, in the record that carries it, as `fact.<kind>.v<version>`. */
export function schemas(): ReadonlyMap<string, object> {
  const found = new Map<string, z.ZodType>([
    [PRESENT_TYPE, presentEvent],
    [ABSENT_TYPE, absentEvent],
    ...Object.values(commandEvents).map((event) => [event.shape.type.value, event] as const),
  ]);
  for (const [kind, { shape }] of Object.entries(facts)) {
    const [version] = shape.v.values;
    found.set(`fact.${kind}.v${version}`, z.strictObject({ ...envelope.shape, ...shape }));
  }
  return new Map([...found].map(([title, schema]) => [`${title}.json`, toJsonSchema(title, schema)]));
}

export function manifestSchema(): object {
  return toJsonSchema('A manifest of mdevfleet', deviceSet);
}

function toJsonSchema(title: string, schema: z.ZodType): object {
  const { $schema, ...rest } = z.toJSONSchema(schema, { io: 'input' });
  return { $schema, title, ...rest };
}

if (import.meta.main) {
  await rm(SCHEMA_FOLDER, { recursive: true, force: true });
  await mkdir(SCHEMA_FOLDER);
  for (const [name, schema] of schemas()) {
    await writeFile(join(SCHEMA_FOLDER, name), JSON.stringify(schema, null, 2));
  }
  await writeFile(ASYNCAPI_FILE, asyncApi(schemas().keys()));
  await writeFile(MANIFEST_SCHEMA, JSON.stringify(manifestSchema(), null, 2));
  const biome = join(ROOT, 'node_modules', '.bin', 'biome');
  await promisify(execFile)(biome, ['format', '--write', SCHEMA_FOLDER, MANIFEST_SCHEMA], { cwd: ROOT });
}
