/**
 * The unit for systemd: as confined as the documentation says, and of one mind with the program about statuses and times.
 * That it works at all is shown in test/system.
 */
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { expect, test } from 'vitest';
import { EXIT, type Outcome } from '../src/exit.ts';
import { limitSchemas } from '../src/limits.ts';

const ROOT = dirname(import.meta.dirname);
const UNIT = join(ROOT, 'deploy/systemd/mdevfleet.service');
/** How an agent ends that only an operator can help. */
const FOR_OPERATORS = ['usage', 'refused', 'foreign', 'damaged', 'host'] as const satisfies Outcome[];

const settings = new Map(
  [...readFileSync(UNIT, 'utf8').matchAll(/^(\w+)=(.*)$/gm)].map(([, name = '', value = '']) => [
    name,
    value,
  ]),
);

/** What is set, in milliseconds. */
function timeOf(name: string): number {
  const [, count, unit] = /^(\d+)(s|min)$/.exec(settings.get(name) ?? '') ?? [];
  return Number(count) * (unit === 'min' ? 60_000 : 1_000);
}

test('its exposure is the one that the documentation states', () => {
  const argv = ['security', '--offline=true', '--no-pager', UNIT];
  const { stdout, error } = spawnSync('systemd-analyze', argv, { encoding: 'utf8' });
  expect(error, 'systemd is missing: run tools/debian.sh as root').toBeUndefined();
  const [, exposure] = /Overall exposure level for mdevfleet\.service: ([\d.]+)/.exec(stdout) ?? [];
  const [, stated] =
    /exposure of \*\*([\d.]+)\*\*/.exec(readFileSync(join(ROOT, 'docs/service.md'), 'utf8')) ?? [];
  expect(stated).toBe(exposure);
  expect(Number(exposure)).toBeLessThan(3);
});

test('an agent that only an operator can help is not started again', () => {
  const statuses = settings.get('RestartPreventExitStatus')?.split(' ').map(Number);
  expect(statuses).toEqual(FOR_OPERATORS.map((outcome) => EXIT[outcome]));
});

test.each([
  ['TimeoutStartSec', 'readyMsMax'],
  ['TimeoutStopSec', 'stopDeadlineMs'],
] as const)('systemd waits longer, %s, than the agent takes by itself, %s', (setting, limit) => {
  expect(timeOf(setting)).toBeGreaterThan(limitSchemas[limit].parse(undefined));
});
