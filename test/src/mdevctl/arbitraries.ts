/**
 * Definitions that mdevctl can hold and that can be declared.
 */
import fc from 'fast-check';
import type { Definition } from '../../../src/mdevctl/definition.ts';

/** Names that JSON, YAML or an object of JavaScript might mistake for something else are among them. */
const awkward = fc.constantFrom('10', '2', '0x1f', '1e3', 'null', 'true', '__proto__', '-', '0000:00:02.0');
const name = fc.oneof(awkward, fc.stringMatching(/^[A-Za-z][A-Za-z0-9_:-]{0,12}$/)).filter(isFree);
const segment = fc.stringMatching(/^[a-z][a-z0-9_.-]{0,10}$/).filter(isFree);
const value = fc.oneof(
  fc.constantFrom('5', '0xab', 'no', '~', ' a ', '"', '\\', '#', 'a: b', '\n', '\u007f\u2028é😀'),
  fc.string({ unit: 'grapheme', minLength: 1, maxLength: 20 }).filter((one) => !one.includes('\0')),
);

const attribute = fc.record({
  name: fc.array(segment, { minLength: 1, maxLength: 3 }).map((parts) => parts.join('/')),
  value,
});

function isFree(one: string): boolean {
  return !/^(remove|uevent|power|driver|subsystem|iommu_group|mdev_type)$/.test(one);
}

const definition: fc.Arbitrary<Definition> = fc.record({
  parent: name,
  uuid: fc.uuid(),
  type: name,
  start: fc.constantFrom('auto', 'manual'),
  attributes: fc.array(attribute, { maxLength: 4 }),
});

/** Of one host: a UUID is defined once. */
export const definitions = fc.uniqueArray(definition, { maxLength: 12, selector: ({ uuid }) => uuid });
