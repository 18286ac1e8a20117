/**
 * The fold of the facts that are about no device: how far streams were read, under which
 * incarnation this journal speaks, whether its host is paused and which parents are cordoned, how the registry was seen, and where the host's inventory stands.
 *
 * Cursors and the forwarded position also move without a fact, so the log alone gives a
 * lower bound of them; all else comes from facts only.
 */
import type { Fact } from '../../events/fact.ts';
import { cordonsAfter } from '../cordons.ts';
import type { Positions } from './journal.ts';

/** Nothing read, nothing forwarded. */
export const NO_POSITIONS: Positions = {
  desired: null,
  command: null,
  forwarded: 0,
  witnessed: 0,
  incarnation: 0,
  paused: null,
  cordons: [],
  registry: null,
  inventory: null,
};

/** The positions after the fact with sequence `seq`. */
export function advance(positions: Positions, fact: Fact, seq: number): Positions {
  switch (fact.kind) {
    case 'incarnated':
      return { ...positions, incarnation: fact.incarnation };
    case 'epoch':
      return { ...positions, [fact.stream]: fact.cursor };
    case 'steered':
      return { ...positions, paused: fact.command === 'pause' ? fact.event : null };
    case 'cordoned':
      return { ...positions, cordons: cordonsAfter(positions.cordons, fact) };
    case 'registry':
      return { ...positions, registry: { state: fact.state, revision: fact.revision } };
    case 'inventory':
      return { ...positions, inventory: seq };
    default:
      return positions;
  }
}
