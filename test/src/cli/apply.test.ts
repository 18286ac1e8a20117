/**
 * What was confirmed is published, and nothing else.
 */
import { expect, test } from 'vitest';
import { publicationsOf, refuseOther } from '../../../src/cli/saved-plan.ts';
import { diffPresent } from '../../../src/declare/diff.ts';
import { declaredBy, published, wishOf } from '../declared.ts';

const MOVE = [wishOf({ host: 'host-b' })];

test('a plan that was cut short goes on', () => {
  const standings = declaredBy(wishOf());
  const confirmed = diffPresent(MOVE, standings);
  const half = published(
    standings,
    confirmed.map((change) => ({ ...change, publications: change.publications.slice(0, 1) })),
  );
  expect(() => refuseOther(diffPresent(MOVE, half), publicationsOf(confirmed))).not.toThrow();
});

test('a plan that the fleet has moved past is refused', () => {
  const confirmed = diffPresent(MOVE, declaredBy(wishOf()));
  const elsewhere = diffPresent(MOVE, declaredBy(wishOf(), wishOf({ labels: { owner: 'them' } })));
  expect(() => refuseOther(elsewhere, publicationsOf(confirmed))).toThrow(
    'the fleet has moved past the plan',
  );
});
