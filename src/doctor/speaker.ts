/**
 * Whether this machine may speak for the host that it is told to be: a cloned machine, or an id that is given twice, is told
 * before an agent starts. Pure.
 */
import type { Machine } from '../../events/fact.ts';
import type { HostId } from '../../events/names.ts';
import type { Incarnation } from '../../store/registry/hold.ts';
import { type Found, fault, ok, warning } from './finding.ts';

export type Self = { readonly host: HostId; readonly machine: Machine };

/** `identity` is who speaks for the host, or last did; null if nobody ever has. */
export function speakerFound(identity: Incarnation | null, { host, machine }: Self): Found {
  const rebind = `\`mdevfleet rebind --reason "why" ${host}\``;
  if (identity === null) return ok(`nobody has spoken for host ${host} yet`);
  const { vacant } = identity;
  if (vacant?.as === 'open') return ok(`host ${host} is spoken for by the next agent that starts`);
  if (vacant !== undefined)
    return fault(
      `host ${host} was forgotten by ${vacant.by} at ${vacant.at}: ${vacant.why}`,
      'its agent ends, and changes nothing',
      `${rebind} lets it speak again`,
    );
  const { machineId, product } = identity.machine;
  if (machineId === machine.machineId && product === machine.product)
    return ok(`this machine speaks for host ${host}`);
  return warning(
    `host ${host} is spoken for by another machine: ${machineId}, product ${product ?? 'unknown'}`,
    'an agent of this machine ends at once, so that no device is on two',
    `another \`host\` in the settings; or, if this machine takes the place of that one, ${rebind}`,
  );
}
