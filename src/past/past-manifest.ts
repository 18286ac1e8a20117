/**
 * What hosts had accepted at a moment, as a manifest that `apply` takes.
 *
 * A document a set, a device a line. JSON is YAML, and needs no quoting of its own.
 */
import { stringify } from 'yaml';
import type { Uuid } from '../../events/names.ts';
import type { Reached } from '../../store/past/walk.ts';
import { API_VERSION, KIND } from '../declare/manifest.ts';

/** The set of devices that were declared without one. */
export const NO_SET = 'without-a-set';

type Listed = { readonly state: Reached; readonly uuid: Uuid };

/** The lines of the manifest; none when nothing was declared. */
export function* manifestOf(states: readonly Reached[]): Generator<string> {
  const sets = bySet(states);
  for (const name of [...sets.keys()].sort()) {
    yield `---\n${stringify({ apiVersion: API_VERSION, kind: KIND, metadata: { name } })}devices:\n`;
    for (const { state, uuid } of sets.get(name) ?? []) yield `  - ${lineOf(state, uuid)}\n`;
  }
}

function bySet(states: readonly Reached[]): ReadonlyMap<string, readonly Listed[]> {
  const sets = new Map<string, Listed[]>();
  for (const state of states) {
    for (const uuid of [...state.devices.keys()].sort()) {
      const desired = state.devices.get(uuid)?.desired;
      if (desired?.kind !== 'present') continue;
      const name = desired.set ?? NO_SET;
      const listed = sets.get(name) ?? [];
      sets.set(name, listed);
      listed.push({ state, uuid });
    }
  }
  return sets;
}

function lineOf({ devices, labels }: Reached, uuid: Uuid): string {
  const desired = devices.get(uuid)?.desired;
  if (desired?.kind !== 'present') throw new Error(`bug: ${uuid} is not declared`);
  const { claim, attributes } = desired;
  const own = labels.get(uuid);
  return JSON.stringify({
    ...{ uuid, host: claim.host, parent: claim.parent, type: claim.type },
    ...(attributes.length === 0 ? {} : { attributes }),
    ...(own === undefined ? {} : { labels: own }),
  });
}
