/**
 * Definitions as mdevctl itself writes them, to the byte.
 *
 * Pure. Parents and UUIDs are put in order here and printed one by one: a JavaScript object would
 * bring a parent whose name is a number to the front.
 */
import { compare } from '../compare.ts';
import type { Definition } from './definition.ts';

/** The content of a definition's file. */
export function definitionText({ type, start, attributes }: Definition): string {
  const attrs = attributes.map(({ name, value }) => ({ [name]: value }));
  return JSON.stringify({ mdev_type: type, start, attrs }, null, 2);
}

/** What `mdevctl list --dumpjson` prints, less its last line feed. UUIDs are distinct on a parent. */
export function dumpText(definitions: readonly Definition[]): string {
  if (definitions.length === 0) return '[]';
  const sorted = definitions.toSorted((a, b) => compare(a.parent, b.parent) || compare(a.uuid, b.uuid));
  const parents = [...Map.groupBy(sorted, ({ parent }) => parent)].map(([parent, own]) => {
    const devices = own.map((one) => braced([`${JSON.stringify(one.uuid)}: ${definitionText(one)}`]));
    return `${JSON.stringify(parent)}: ${enclosed('[', devices, ']')}`;
  });
  return enclosed('[', [braced(parents)], ']');
}

function braced(members: readonly string[]): string {
  return enclosed('{', members, '}');
}

function enclosed(open: string, parts: readonly string[], close: string): string {
  return `${open}\n${parts.map((part) => `  ${part.replaceAll('\n', '\n  ')}`).join(',\n')}\n${close}`;
}
