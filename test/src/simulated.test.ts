import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { expect, test } from 'vitest';
import { kernelConfig } from '../../reconciler/simulated/kernel-sim-config.ts';
import { parseManifests } from '../../src/declare/manifest.ts';
import { SIMULATED_MACHINE } from '../../src/simulated.ts';

const FLEET = join(dirname(dirname(import.meta.dirname)), 'examples', 'fleet.yaml');

test('the example of a fleet fits on simulated machines', () => {
  const { parents } = kernelConfig.parse(SIMULATED_MACHINE);
  const fleet = parseManifests([{ name: 'fleet.yaml', text: readFileSync(FLEET, 'utf8') }]);
  if (fleet.kind === 'invalid') throw new Error(JSON.stringify(fleet.problems));
  const free = new Map<string, number>();
  for (const { device } of fleet.devices) {
    const parent = parents.find((one) => one.name === device.parent);
    const type = parent?.types.find((one) => one.name === device.type);
    if (parent === undefined || type === undefined)
      throw new Error(`${device.type} is on no ${device.parent}`);
    const key = `${device.host} ${device.parent}`;
    free.set(key, (free.get(key) ?? parent.units) - type.units);
    for (const { name, value } of device.attributes ?? []) {
      const accepts = type.attributes.find((one) => one.name === name)?.accepts;
      expect(value).toMatch(new RegExp(accepts ?? '$^'));
    }
  }
  expect(new Set(fleet.devices.map(({ device }) => device.host)).size).toBe(3);
  for (const left of free.values()) expect(left).toBeGreaterThanOrEqual(0);
});
