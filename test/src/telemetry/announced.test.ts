import { expect, test } from 'vitest';
import { ANNOUNCED_MAX, Announced } from '../../../src/telemetry/announced.ts';

test('what was announced beyond the cursor is behind, once however often it was', () => {
  const announced = new Announced();
  for (const sequence of [3, 5, 5, 9]) announced.rang(sequence);
  expect(announced.behind(3)).toBe(2);
  expect(announced.behind(9)).toBe(0);
  announced.rang(12);
  announced.forget();
  expect(announced.behind(0)).toBe(0);
});

test('no more are counted than there is room for, and these are the newest', () => {
  const announced = new Announced();
  const last = ANNOUNCED_MAX + 5;
  for (let sequence = 1; sequence <= last; sequence += 1) announced.rang(sequence);
  expect(announced.behind(0)).toBe(ANNOUNCED_MAX);
  expect(announced.behind(last - 1)).toBe(1);
});
