/**
 * Why a journal is not opened: a closed list, each with a message that names the way out.
 */
import type { Machine } from '../../events/fact.ts';
import type { HostId } from '../../events/names.ts';
import type { JournalIdentity } from './journal.ts';

export type RefusalReason =
  | 'absent'
  | 'damaged'
  | 'other-host'
  | 'other-machine'
  | 'held'
  | 'no-flock'
  | 'taken'
  | 'newer';

/** The journal exists or not, but must not be used as it is. */
export class JournalRefused extends Error {
  override readonly name = 'JournalRefused';
  readonly reason: RefusalReason;

  constructor(reason: RefusalReason, message: string, options?: ErrorOptions) {
    super(message, options);
    this.reason = reason;
  }
}

/** Throws JournalRefused unless the journal is this host's, on this machine. */
export function assertOwn(
  dir: string,
  identity: JournalIdentity,
  own: { readonly host: HostId; readonly machine: Machine },
): void {
  if (identity.host !== own.host) {
    const message =
      `the journal in ${dir} is of host ${identity.host}, and this agent is host ${own.host}: ` +
      `start it as host ${identity.host}, or give it another data directory`;
    throw new JournalRefused('other-host', message);
  }
  const { machineId, product } = identity.machine;
  if (machineId === own.machine.machineId && product === own.machine.product) return;
  const message =
    `the journal in ${dir} was begun on another machine (${describe(identity.machine)}), this one is ` +
    `${describe(own.machine)}: start the agent there, or, if this machine takes the place of that one, move the journal away and ` +
    `let \`mdevfleet rebind ${identity.host}\` accept the one that the agent begins here`;
  throw new JournalRefused('other-machine', message);
}

function describe(machine: Machine): string {
  return `machine id ${machine.machineId}, product ${machine.product ?? 'unknown'}`;
}
