/** Many claims for the same UUIDs at once, as each of several clients of one registry makes them. */
import type { Claim, Uuid } from '../../../events/names.ts';
import type { Registry } from '../../../store/registry/registry.ts';
import { type Taken, take } from '../../../store/registry/reserve.ts';
import { cleared } from './cleared.ts';

export const UUIDS: readonly Uuid[] = Array.from(
  { length: 50 },
  (_, index) => `00000000-0000-4000-8000-${String(index).padStart(12, '0')}`,
);
export const CLIENTS = 4;
const CONTENDERS_PER_CLIENT = 5;

export type Answer = { readonly uuid: Uuid; readonly claim: Claim; readonly answer: Taken };

/** Every contender of one client takes every UUID: UUID by UUID, so that clients meet at each, and all at once there. */
export async function contend(registry: Registry, client: number): Promise<readonly Answer[]> {
  const hosts = Array.from({ length: CONTENDERS_PER_CLIENT }, (_, index) => `host-${client}-${index}`);
  const answers: Answer[] = [];
  for (const uuid of UUIDS) {
    const takes = hosts.map((host) => takeFor(registry, uuid, { host, parent: 'p', type: 't' }));
    answers.push(...(await Promise.all(takes)));
  }
  return answers;
}

async function takeFor(registry: Registry, uuid: Uuid, claim: Claim): Promise<Answer> {
  const wish = { claim, generation: { epoch: 1, sequence: 1 }, incarnation: 1, replaces: null };
  return { uuid, claim, answer: await cleared(() => take(registry, uuid, wish)) };
}
