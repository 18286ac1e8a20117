/**
 * From whatever was thrown to how the run ends: the one place that knows every error by name.
 *
 * An error that is not listed is a fault of the program, and says so.
 */

import { EmbeddedUnavailable } from '../../events/embedded/embedded.ts';
import { ConnectFailed, type ConnectFailure } from '../../events/jetstream/connection.ts';
import { InitFailed } from '../../events/jetstream/init.ts';
import { StreamForbidden, StreamMissing, StreamUnavailable } from '../../events/stream.ts';
import { ConnectionLost } from '../../reconciler/simulated/host-sim-client.ts';
import { JournalRefused, type RefusalReason } from '../../store/journal/journal-refused.ts';
import { RegistryUnavailable } from '../../store/registry/registry.ts';
import { RegistryMissing } from '../../store/registry/registry-kv.ts';
import { causes, Failure, type Outcome } from '../exit.ts';
import { paint, printable } from './terminal.ts';

const CONNECT = {
  unreachable: 'unreachable',
  credentials: 'server',
  tls: 'server',
  'no-jetstream': 'server',
  'too-old': 'server',
} as const satisfies Record<ConnectFailure, Outcome>;

const JOURNAL = {
  absent: 'usage',
  damaged: 'damaged',
  'other-host': 'foreign',
  'other-machine': 'foreign',
  held: 'locked',
  'no-flock': 'host',
  taken: 'usage',
  newer: 'refused',
} as const satisfies Record<RefusalReason, Outcome>;

/** How a run ends that threw this. */
export function outcomeOf(error: unknown): Outcome {
  if (error instanceof Failure) return error.outcome;
  if (error instanceof ConnectFailed) return CONNECT[error.reason];
  if (error instanceof JournalRefused) return JOURNAL[error.reason];
  if (error instanceof StreamMissing || error instanceof RegistryMissing) return 'uninitialised';
  if (error instanceof StreamForbidden || error instanceof InitFailed) return 'server';
  if (error instanceof ConnectionLost) return 'host';
  const unreachable = [StreamUnavailable, RegistryUnavailable, EmbeddedUnavailable];
  return unreachable.some((kind) => error instanceof kind) ? 'unreachable' : 'unexpected';
}

export type ErrorView = { readonly terminal: boolean; readonly verbose: boolean };

/** The lines that are printed for an error: what, the way out, and with `verbose` what it came from. */
export function errorLines(error: unknown, { terminal, verbose }: ErrorView): readonly string[] {
  const [first = '', ...details] = (error instanceof Error ? error.message : String(error)).split('\n');
  const fault = outcomeOf(error) === 'unexpected' ? 'a fault of mdevfleet: ' : '';
  const wayOut = error instanceof Failure ? [`  ${error.wayOut}`] : [];
  return [
    `${paint('error:', 'red', terminal)} ${fault}${printable(first)}`,
    ...details.map((line) => `  ${printable(line.trimStart())}`),
    ...wayOut,
    ...(verbose ? causes(error).map((cause) => `  caused by ${printable(cause)}`) : []),
  ];
}
