/**
 * What the machine says of itself: which one it is, which kernel runs, since which boot.
 */
import { accessSync, constants, existsSync, readFileSync } from 'node:fs';
import { release } from 'node:os';
import { join } from 'node:path';
import type { Machine } from '../events/fact.ts';
import { explainErrno } from '../reconciler/errno.ts';
import { Failure } from './exit.ts';

/** Where the id of a machine is: the first that is there and not empty counts. */
export const MACHINE_ID_FILES = ['/etc/machine-id', '/var/lib/dbus/machine-id'] as const;

/** Ids of the machine: the one of its system, and the product UUID of its firmware where there is one. */
export function readMachine(): Machine {
  const [systems, bus] = MACHINE_ID_FILES;
  const machineId = readLine(systems) ?? readLine(bus);
  if (machineId === null) {
    throw new Failure('reading the identity of this machine: /etc/machine-id is missing or empty', {
      outcome: 'host',
      wayOut: 'make one with systemd-machine-id-setup; a journal belongs to one machine',
    });
  }
  return { machineId, product: readLine('/sys/class/dmi/id/product_uuid') };
}

/**
 * Throws a Failure unless devices can be made below `root`, where sysfs is mounted. Parents stand in its `devices`, of
 * which a service may have been left that alone to write to.
 */
export function assertSysfsWritable(root: string): void {
  const devices = join(root, 'devices');
  try {
    accessSync(existsSync(devices) ? devices : root, constants.W_OK);
  } catch (cause) {
    const { errno = 0, message } = cause as NodeJS.ErrnoException;
    const { leadsTo, hint } = explainErrno('create', -errno, 'open');
    const isForbidden = leadsTo.reason === 'NotPermitted';
    const wayOut = isForbidden ? hint : 'give --sysfs the folder where sysfs is mounted';
    throw new Failure(`looking at sysfs in ${root}: ${message}`, { outcome: 'host', wayOut, cause });
  }
}

/** Id of the running boot. */
export function readBoot(): string {
  return readLine('/proc/sys/kernel/random/boot_id') ?? 'unknown';
}

/** Release of the running kernel, as uname -r prints it. */
export function readKernel(): string {
  return release();
}

function readLine(path: string): string | null {
  try {
    return readFileSync(path, 'utf8').trim() || null;
  } catch {
    return null;
  }
}
