/**
 * The pools of a fleet, from the labels that their devices carry, beside what hosts reported of these.
 */

import type { HostId } from '../../events/names.ts';
import type { Row } from '../../events/row.ts';
import { compare } from '../compare.ts';
import { keyOf, type Standings } from '../declare/diff.ts';
import { POOL_LABEL } from '../declare/expand.ts';

export type PoolRow = {
  readonly set: string;
  readonly pool: string;
  readonly types: readonly string[];
  /** Devices that stand declared, and those of them that are there. */
  readonly devices: number;
  readonly ready: number;
  readonly hosts: readonly HostId[];
};

/** By set and name. */
export function poolRows(standings: Standings, rows: readonly Row[]): readonly PoolRow[] {
  const ready = new Set(rows.filter(({ state }) => state === 'ready').map(keyOf));
  const pooled = [...standings.values()].flatMap(({ declaration }) => {
    if (declaration?.desired !== 'present') return [];
    const { set, labels } = declaration.data;
    const pool = labels?.[POOL_LABEL];
    return set === undefined || pool === undefined ? [] : [{ set, pool, data: declaration.data }];
  });
  const pools = [...Map.groupBy(pooled, ({ set, pool }) => JSON.stringify([set, pool])).values()];
  return pools
    .flatMap((devices): PoolRow[] => {
      const [first] = devices;
      if (first === undefined) return [];
      return [
        {
          ...{ set: first.set, pool: first.pool },
          types: distinct(devices.map(({ data }) => data.type)),
          devices: devices.length,
          ready: devices.filter(({ data }) => ready.has(keyOf(data))).length,
          hosts: distinct(devices.map(({ data }) => data.host)),
        },
      ];
    })
    .sort((a, b) => compare(a.set, b.set) || compare(a.pool, b.pool));
}

function distinct(words: readonly string[]): readonly string[] {
  return [...new Set(words)].sort();
}
