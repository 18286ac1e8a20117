/**
 * What has become of declarations: whether devices are as declared, will not be, or why they are not yet.
 *
 * Pure. A host's row speaks of the generation that it names: an older one is no answer.
 */
import type { HostId, Uuid } from '../../events/names.ts';
import type { Row } from '../../events/row.ts';
import { NOT_REPORTED, UNREPORTED_MESSAGE } from '../look/devices.ts';
import { keyOf } from './diff.ts';

/** What is waited for: a device under a declaration of this sequence, or none any more. */
export type Awaited = {
  readonly host: HostId;
  readonly uuid: Uuid;
  readonly desired: 'present' | 'absent';
  readonly sequence: number;
};

/** `terminal` does not pass by itself. */
export type Verdict = {
  readonly host: HostId;
  readonly uuid: Uuid;
  readonly state: 'settled' | 'waiting' | 'terminal';
  readonly reason: Row['reason'] | typeof NOT_REPORTED;
  readonly message: string | null;
};

/** A verdict for each that is awaited, in their order. */
export function verdicts(awaited: readonly Awaited[], rows: readonly Row[]): readonly Verdict[] {
  const byKey = Map.groupBy(rows, keyOf);
  return awaited.map((one) => ({
    host: one.host,
    uuid: one.uuid,
    ...verdictOn(one, byKey.get(keyOf(one)) ?? []),
  }));
}

function verdictOn({ desired, sequence }: Awaited, rows: readonly Row[]): Omit<Verdict, 'host' | 'uuid'> {
  if (desired === 'absent') return verdictOnAbsent(rows);
  const row = rows.find(({ generation }) => (generation?.sequence ?? 0) >= sequence);
  if (row === undefined) {
    return { state: 'waiting', reason: NOT_REPORTED, message: UNREPORTED_MESSAGE };
  }
  const { reason, message } = row;
  if (row.state === 'ready') return { state: 'settled', reason: null, message: null };
  const terminal = row.state === 'conflict' || row.state === 'failed';
  return { state: terminal ? 'terminal' : 'waiting', reason, message };
}

/** A device that is left and is nobody's is settled, too: it was never this set's to take away. */
function verdictOnAbsent(rows: readonly Row[]): Omit<Verdict, 'host' | 'uuid'> {
  const left = rows.find(({ state }) => state !== 'unmanaged');
  if (left === undefined) return { state: 'settled', reason: null, message: null };
  return { state: 'waiting', reason: left.reason, message: left.message ?? 'the device is not gone yet' };
}
