/**
 * What a simulated kernel answers to a write: ok, or an errno by number, from which call and of which file.
 */
import type { Uuid } from '../../events/names.ts';
import type { WriteResult } from '../host.ts';
import { busLink, deviceFolder } from '../sysfs/paths.ts';

/** The kernel's answer to a write. */
export type KernelAnswer = Extract<WriteResult, { kind: 'ok' | 'errno' }>;

/** Only shown, never opened. */
export const SYS = '/sys';

export const OK: KernelAnswer = { kind: 'ok' };

export function failed(errno: number, call: 'open' | 'write', file: string): KernelAnswer {
  return { kind: 'errno', errno, call, file };
}

/** A file in a device's folder; below the bus for a device that is nowhere. */
export function fileOf(device: { readonly parent: string } | undefined, uuid: Uuid, name: string): string {
  const folder = device === undefined ? busLink(SYS, uuid) : deviceFolder(SYS, device.parent, uuid);
  return `${folder}/${name}`;
}
