import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { systemClock } from '../../reconciler/clock-system.ts';

const DAY_MS = 86_400_000;

describe('the system clock', () => {
  beforeEach(() => vi.useFakeTimers());
  afterEach(() => vi.useRealTimers());

  test('rings once, after the delay and not before', () => {
    const ring = vi.fn();
    systemClock.after(10, ring);
    vi.advanceTimersByTime(9);
    expect(ring).not.toHaveBeenCalled();
    vi.advanceTimersByTime(1000);
    expect(ring).toHaveBeenCalledTimes(1);
  });

  test('a delay longer than a timer of Node can take does not ring at once', () => {
    const ring = vi.fn();
    systemClock.after(60 * DAY_MS, ring);
    vi.advanceTimersByTime(59 * DAY_MS);
    expect(ring).not.toHaveBeenCalled();
    vi.advanceTimersByTime(DAY_MS);
    expect(ring).toHaveBeenCalledTimes(1);
  });

  test('a cancelled timer never rings, not even between its turns', () => {
    const ring = vi.fn();
    const cancel = systemClock.after(60 * DAY_MS, ring);
    vi.advanceTimersByTime(30 * DAY_MS);
    cancel();
    vi.advanceTimersByTime(60 * DAY_MS);
    expect(ring).not.toHaveBeenCalled();
    expect(vi.getTimerCount()).toBe(0);
  });

  test('the wall clock is RFC 3339 in UTC with milliseconds', () => {
    vi.setSystemTime(Date.UTC(2026, 0, 2, 3, 4, 5, 6));
    expect(systemClock.wall()).toBe('2026-01-02T03:04:05.006Z');
  });
});
