import { describe, expect, test } from 'vitest';
import { allowance, REJECTION_REFILL_MS, REJECTIONS_BURST_MAX } from '../../store/rejections.ts';

function bucket() {
  let nowMs = 0;
  const { admit } = allowance(() => nowMs);
  return {
    admit: (times = 1) => Array.from({ length: times }, admit),
    pass: (ms: number) => {
      nowMs += ms;
    },
  };
}

const zeros = (length: number) => Array.from({ length }, () => 0);

describe('the allowance for rejections', () => {
  test('admits a burst, and suppresses what is beyond', () => {
    const { admit } = bucket();
    expect(admit(REJECTIONS_BURST_MAX)).toEqual(zeros(REJECTIONS_BURST_MAX));
    expect(admit(2)).toEqual([undefined, undefined]);
  });

  test('tells the next that is admitted how many were suppressed, once', () => {
    const { admit, pass } = bucket();
    admit(REJECTIONS_BURST_MAX + 7);
    pass(2 * REJECTION_REFILL_MS);
    expect(admit(3)).toEqual([7, 0, undefined]);
  });

  test('refills with time, and is never fuller than a burst', () => {
    const { admit, pass } = bucket();
    admit(REJECTIONS_BURST_MAX);
    pass(REJECTION_REFILL_MS - 1);
    expect(admit()).toEqual([undefined]);
    pass(1);
    expect(admit()).toEqual([1]);
    pass(1_000 * REJECTION_REFILL_MS);
    expect(admit(REJECTIONS_BURST_MAX + 1)).toEqual([...zeros(REJECTIONS_BURST_MAX), undefined]);
  });

  test('loses no part of a refill to looks in between', () => {
    const { admit, pass } = bucket();
    admit(REJECTIONS_BURST_MAX);
    for (let part = 0; part < 3; part += 1) {
      pass(REJECTION_REFILL_MS / 4);
      expect(admit()).toEqual([undefined]);
    }
    pass(REJECTION_REFILL_MS / 4);
    expect(admit()).toEqual([3]);
  });
});
