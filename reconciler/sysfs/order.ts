/**
 * What a helper is told to do, and what it answers.
 */
import type { Attribute } from '../../events/names.ts';
import type { InUse } from '../host.ts';

/** What a helper can be told to do. A device's folder is given by way of its parent. */
export type Task =
  | { readonly op: 'create'; readonly file: string; readonly data: string }
  | ({ readonly op: 'remove'; readonly type: string } & Guarded)
  | {
      readonly op: 'attribute';
      readonly device: string;
      readonly type: string;
      readonly name: string;
      readonly data: string;
    }
  /** Reads a file behind which a driver's code runs. */
  | { readonly op: 'read'; readonly file: string }
  /** Reads those of a device's attributes that can be read. */
  | {
      readonly op: 'read-attributes';
      readonly device: string;
      readonly type: string;
      readonly names: readonly string[];
    }
  /** Finds out whether a device is in use, by guarding it for a moment. */
  | ({ readonly op: 'probe' } & Guarded);

/** A device, the folder of the nodes by which devices are opened (/dev/vfio), and where /proc is. */
export type Guarded = { readonly device: string; readonly nodes: string; readonly proc: string };

/** A task, and the UUID for which it is done; null when that does not matter. */
export type Order = { readonly task: Task; readonly uuid: string | null };

export type Answer =
  | { readonly kind: 'ok' }
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'attributes'; readonly attributes: readonly Attribute[] }
  /** The device stands complete, and has no such file. */
  | { readonly kind: 'no-attribute'; readonly file: string }
  | { readonly kind: 'errno'; readonly errno: number; readonly call: 'open' | 'write'; readonly file: string }
  | InUse;

export const OK: Answer = { kind: 'ok' };

export function refusal(errno: number, call: 'open' | 'write', file: string): Answer {
  return { kind: 'errno', errno, call, file };
}

/** The file at which a task aims. */
export function targetOf(task: Task): string {
  switch (task.op) {
    case 'remove':
      return `${task.device}/remove`;
    case 'attribute':
      return `${task.device}/${task.name}`;
    case 'probe':
      return `${task.device}/iommu_group`;
    case 'read-attributes':
      return task.device;
    default:
      return task.file;
  }
}
