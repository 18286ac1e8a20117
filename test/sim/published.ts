/**
 * What operators of the simulated fleet really said: the truth against which journals are checked.
 */
import { eventKey } from '../../events/codec.ts';
import type { Declaration, EventMeta } from '../../events/declaration.ts';
import { type Attribute, type Claim, sameAttributes, sameClaim, type Uuid } from '../../events/names.ts';

/** A declaration as it was published. */
export type Said = {
  readonly claim: Claim | null;
  readonly replaces: Claim | null;
  readonly attributes: readonly Attribute[];
};

export class Published {
  readonly #said = new Map<string, Said>();
  readonly #commands = new Set<string>();

  declared({ desired, event, data }: Declaration): void {
    const said: Said =
      desired === 'absent'
        ? { claim: null, replaces: null, attributes: [] }
        : {
            claim: { host: data.host, parent: data.parent, type: data.type },
            replaces: data.replaces ?? null,
            attributes: data.attributes ?? [],
          };
    this.#said.set(keyOf(data.host, data.uuid, event), said);
  }

  commanded(host: string, uuid: Uuid, event: EventMeta): void {
    this.#commands.add(keyOf(host, uuid, event));
  }

  said(host: string, uuid: Uuid, event: EventMeta): Said | undefined {
    return this.#said.get(keyOf(host, uuid, event));
  }

  hasCommand(host: string, uuid: Uuid, event: EventMeta): boolean {
    return this.#commands.has(keyOf(host, uuid, event));
  }
}

export function sameSaid(a: Said, b: Said): boolean {
  return (
    sameOrNone(a.claim, b.claim) &&
    sameOrNone(a.replaces, b.replaces) &&
    sameAttributes(a.attributes, b.attributes)
  );
}

function sameOrNone(a: Claim | null, b: Claim | null): boolean {
  return a === null || b === null ? a === b : sameClaim(a, b);
}

function keyOf(host: string, uuid: Uuid, event: EventMeta): string {
  return `${host} ${uuid} ${eventKey(event)}`;
}
