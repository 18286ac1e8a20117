/**
 * The fold of the facts that are about no device: how far streams were read, and under
 * which incarnation this journal speaks.
 *
 * Cursors and the forwarded position also move without a fact, so the log alone gives a
 * lower bound of them; the incarnation comes from facts only.
 */
import type { Fact } from '../../events/fact.ts';
import type { Positions } from './journal.ts';

/** Nothing read, nothing forwarded. */
export const NO_POSITIONS: Positions = {
  desired: null,
  command: null,
  forwarded: 0,
  witnessed: 0,
  incarnation: 0,
};

/** The positions after the fact. */
export function advance(positions: Positions, fact: Fact): Positions {
  switch (fact.kind) {
    case 'incarnated':
      return { ...positions, incarnation: fact.incarnation };
    case 'epoch':
      return { ...positions, [fact.stream]: fact.cursor };
    default:
      return positions;
  }
}
