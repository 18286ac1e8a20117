/**
 * How many devices are in which state, and for which reason they are not (yet) as declared: the rows of `get devices`,
 * counted.
 */
import { terminalReason, waitingReason } from '../../events/reasons.ts';
import { type DeviceState, deviceState } from '../../events/row.ts';
import type { Device } from '../../store/device.ts';
import { rowsOf } from '../../store/rows.ts';

/** Every reason, also where nobody has it. Two kinds of them share a name. */
export type DeviceCounts = {
  readonly states: ReadonlyMap<DeviceState, number>;
  readonly waiting: ReadonlyMap<string, number>;
  readonly terminal: ReadonlyMap<string, number>;
};

export function countDevices(devices: Iterable<Device>): DeviceCounts {
  const states = zeros(deviceState.options);
  const waiting = zeros<string>(waitingReason.options);
  const terminal = zeros<string>(terminalReason.options);
  for (const device of devices) {
    for (const { state, reason } of rowsOf(device)) {
      add(states, state);
      if (reason !== null) add(state === 'conflict' || state === 'failed' ? terminal : waiting, reason);
    }
  }
  return { states, waiting, terminal };
}

function zeros<K extends string>(keys: readonly K[]): Map<K, number> {
  return new Map(keys.map((key) => [key, 0]));
}

function add<K extends string>(counts: Map<K, number>, key: K): void {
  counts.set(key, (counts.get(key) ?? 0) + 1);
}
