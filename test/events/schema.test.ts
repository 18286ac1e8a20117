import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { z } from 'zod';
import { decodeEvent, encodeCommand, encodeDeclaration } from '../../events/codec.ts';
import { parseSubject } from '../../events/subject.ts';
import { asyncApi } from '../../tools/asyncapi.ts';
import {
  ASYNCAPI_FILE,
  MANIFEST_SCHEMA,
  manifestSchema,
  SCHEMA_FOLDER,
  schemas,
} from '../../tools/schema.ts';
import { anyCommand, anyDeclaration } from './arbitraries.ts';

test('the JSON Schemas that are kept are those of the program; `npm run schema` writes them', () => {
  const kept = readdirSync(SCHEMA_FOLDER).map((name) => [name, read(name)] as const);
  expect(new Map(kept)).toEqual(schemas());
});

describe('the AsyncAPI document', () => {
  const text = readFileSync(ASYNCAPI_FILE, 'utf8');

  test('is that of the program; `npm run schema` writes it', () => {
    expect(text).toBe(asyncApi(schemas().keys()));
  });

  test('has every event and fact on a subject of its kind, and refers to nothing that is not there', () => {
    const { channels, components } = parse(text);
    const messages = Object.keys(components.messages);
    expect(messages.map((name) => `${name}.json`).toSorted()).toEqual([...schemas().keys()].toSorted());
    const placed = Object.values<{ messages: object }>(channels).flatMap((one) => Object.keys(one.messages));
    expect(placed.toSorted()).toEqual(messages.toSorted());
    const files = Object.values<{ payload: { $ref: string } }>(components.messages).map(
      (one) => one.payload.$ref,
    );
    expect(files.filter((file) => !existsSync(join(dirname(ASYNCAPI_FILE), file)))).toEqual([]);
  });
});

test('so is that of manifests', () => {
  expect(JSON.parse(readFileSync(MANIFEST_SCHEMA, 'utf8'))).toEqual(manifestSchema());
});

function read(name: string): object {
  return JSON.parse(readFileSync(join(SCHEMA_FOLDER, name), 'utf8'));
}

describe('the JSON Schema of an event', () => {
  const schema = (type: string) => z.fromJSONSchema(read(`${type}.json`) as z.core.JSONSchema.JSONSchema);
  const byType = new Map(
    ['io.mdevfleet.device.present.v1', 'io.mdevfleet.device.absent.v1', 'io.mdevfleet.command.retry.v1'].map(
      (type) => [type, schema(type)],
    ),
  );

  const anyEvent = fc.oneof(
    anyDeclaration.map((declaration) => encodeDeclaration('mdev', declaration)),
    anyCommand.map((command) => encodeCommand('mdev', command)),
  );

  test('takes every event that the program makes', () => {
    fc.assert(
      fc.property(anyEvent, ({ data }) => {
        const event = JSON.parse(new TextDecoder().decode(data));
        expect(byType.get(event.type)?.safeParse(event).error).toBeUndefined();
      }),
    );
  });

  test('takes no event in which a name was changed to one that the program rejects', () => {
    const name = fc.constantFrom('..', '.', 'a/b', '', 'remove', 'a b', 'x'.repeat(256), '\n');
    fc.assert(
      fc.property(anyDeclaration, name, (declaration, parent) => {
        const { data, subject } = encodeDeclaration('mdev', declaration);
        const event = JSON.parse(new TextDecoder().decode(data));
        event.data.parent = parent;
        const bytes = new TextEncoder().encode(JSON.stringify(event));
        expect(decodeEvent(parseSubject('mdev', subject), bytes).kind).toBe('rejected');
        expect(byType.get(event.type)?.safeParse(event).success).toBe(false);
      }),
    );
  });
});
