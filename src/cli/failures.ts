/**
 * From whatever was thrown to how the run ends: the one place that knows every error by name.
 *
 * An error that is not listed is a fault of the program, and says so.
 */

import { EmbeddedUnavailable } from '../../events/embedded/embedded.ts';
import { ConnectFailed, type ConnectFailure } from '../../events/jetstream/connection.ts';
import { InitFailed } from '../../events/jetstream/init.ts';
import { messageOf } from '../../events/message-of.ts';
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
  const [first = '', ...details] = messageOf(error).split('\n');
  const fault = faultOf(error);
  return [
    `${paint('error:', 'red', terminal)} ${fault}${printable(first)}`,
    ...details.map((line) => `  ${printable(line.trimStart())}`),
    ...wayOut(error).map((line) => `  ${line}`),
    ...(verbose ? causes(error).map((cause) => `  caused by ${printable(cause)}`) : []),
  ];
}

/** Whose fault it is that nobody foresaw: the machine's, when a call to it failed. */
function faultOf(error: unknown): string {
  if (outcomeOf(error) !== 'unexpected') return '';
  return isOfMachine(error) ? 'the machine refused: ' : 'a fault of mdevfleet: ';
}

function isOfMachine(error: unknown): boolean {
  return error instanceof Error && 'syscall' in error;
}

/** What to do about it, where the message does not say that already. */
function wayOut(error: unknown): readonly string[] {
  if (error instanceof Failure) return [error.wayOut];
  if (isOfMachine(error)) return ['check the path, who may use it, and that there is room'];
  switch (outcomeOf(error)) {
    case 'unreachable':
      return ['run the same command again when it can be reached; doing it twice does no harm'];
    case 'unexpected':
      return ['run it again with --verbose, and report what it says'];
    default:
      return [];
  }
}
