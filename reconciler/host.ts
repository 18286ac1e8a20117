/**
 * The port to a host's mediated devices, as the kernel offers them.
 *
 * Narrow on purpose: observe one UUID, survey all, take stock, and three writes. A write's answer is the
 * kernel's errno and nothing more; what it means is decided elsewhere. "Cannot tell" is an
 * answer of its own (`unreadable`) and nothing destructive ever follows from it.
 */
import type { Attribute, Uuid } from '../events/names.ts';

/** Where a device is or should be, on this host. */
export type Place = { readonly parent: string; readonly type: string };

/** A device that stands on a parent; its type is null while it comes or goes. */
export type Standing = { readonly uuid: Uuid; readonly type: string | null };

/** What stands on a parent: how many devices of any type, and at most `STANDING_MAX` of them, by UUID. */
export type Taken = { readonly count: number; readonly first: readonly Standing[] };

/** Most devices that are told one by one of those that stand on a parent. */
export const STANDING_MAX = 8;

/**
 * What can be said of a place before a create there. `instances` is a hint. `taken` is told when no instance is left,
 * and when it was asked for; types share their parent's pool, so it is what stands on the parent, of any type.
 */
export type Room =
  | { readonly kind: 'parent-absent' }
  | { readonly kind: 'type-absent' }
  | { readonly kind: 'available'; readonly instances: number; readonly taken: Taken | null };

/** A process that has a device open; `command` is its name as the kernel keeps it. */
export type DeviceUser = { readonly pid: number; readonly command: string };

/** Somebody uses the device. `by` is empty when it cannot be found out who. */
export type InUse = { readonly kind: 'in-use'; readonly by: readonly DeviceUser[] };

/** Whether a device is in use; `unknown` also when that was not asked. */
export type Use = { readonly kind: 'free' } | { readonly kind: 'unknown' } | InUse;

/** A UUID as seen in sysfs just now. */
export type Observed =
  | { readonly kind: 'unreadable'; readonly errno: number | null; readonly message: string }
  /** A helper, of this agent or an earlier one, still writes for this UUID. */
  | { readonly kind: 'busy'; readonly pid: number }
  /** `parentReturned`: its parent went away since the device was seen there, and is back. */
  | { readonly kind: 'absent'; readonly room: Room | null; readonly parentReturned?: true }
  /** On the bus, but `mdev_type` does not resolve yet: a create has not finished. */
  | { readonly kind: 'incomplete'; readonly parent: string }
  /** Gone from the bus, still in its parent's directory: a removal has not finished. */
  | { readonly kind: 'removing'; readonly parent: string }
  | {
      readonly kind: 'present';
      readonly place: Place;
      /** What tells it from every other device of this host since the boot, also at the same place; null if nothing does. */
      readonly identity: string | null;
      readonly iommuGroup: number | null;
      /** False when its `remove` file is gone for good. */
      readonly removable: boolean;
      readonly use: Use;
      /** What was asked for and could be read; what is missing cannot be told, and nothing follows from that. */
      readonly attributes: readonly Attribute[];
    };

/** What to look at beside the UUID itself. */
export type Look = {
  /** The room at this place is reported when the UUID is absent; the parent's directory is looked into. */
  readonly place: Place | null;
  /** Also find out whether the device is in use. */
  readonly use: boolean;
  /** Also tell what stands on the parent, whatever `instances` says; not unless given. */
  readonly taken?: boolean | undefined;
  /** Also read these attributes of the device back; none unless given. */
  readonly attributes?: readonly string[] | undefined;
};

/**
 * The answer to a write. `errno` is positive, as in errno.h.
 * `in-use`: the guard refused, nothing was written. `stuck`: no answer within the deadline; the write goes on in its helper.
 */
export type WriteResult =
  | { readonly kind: 'ok' }
  /** The device stands complete, and has no attribute of that name. */
  | { readonly kind: 'no-attribute'; readonly file: string }
  | { readonly kind: 'errno'; readonly errno: number; readonly call: 'open' | 'write'; readonly file: string }
  | InUse
  | { readonly kind: 'stuck'; readonly afterMs: number };

/** Every device on the bus; one that is still being made has a null type. */
export type Survey =
  | { readonly kind: 'unreadable'; readonly errno: number | null; readonly message: string }
  | { readonly kind: 'devices'; readonly devices: readonly Surveyed[] };

export type Surveyed = { readonly uuid: Uuid; readonly parent: string; readonly type: string | null };

/** A type that a parent offers; null is what could not be read, or is not there. */
export type Offer = {
  readonly id: string;
  readonly name: string | null;
  readonly api: string | null;
  readonly available: number | null;
};

/** A parent, what it offers, and how many devices of each type stand on it, by `countByType`. */
export type Offering = {
  readonly name: string;
  readonly driver: string | null;
  readonly offers: readonly Offer[];
  readonly standing: Readonly<Record<string, number>>;
};

/** Devices by type, `''` for those that have none yet, or no more. */
export function countByType(
  devices: readonly { readonly type: string | null }[],
): Readonly<Record<string, number>> {
  const counts: Record<string, number> = {};
  for (const { type } of devices) counts[type ?? ''] = (counts[type ?? ''] ?? 0) + 1;
  return counts;
}

/** Every parent that is registered, in no order. */
export type Stock =
  | { readonly kind: 'unreadable'; readonly errno: number | null; readonly message: string }
  | { readonly kind: 'parents'; readonly parents: readonly Offering[] };

/** Something changed; what exactly is found out by looking. */
export type Change =
  | { readonly kind: 'device'; readonly uuid: Uuid }
  | { readonly kind: 'parent'; readonly parent: string }
  | { readonly kind: 'unknown' };

export interface Host {
  observe(uuid: Uuid, look: Look): Promise<Observed>;
  survey(): Promise<Survey>;
  /** What the parents offer. Dearer than a survey: drivers are asked. */
  stock(): Promise<Stock>;
  create(uuid: Uuid, place: Place): Promise<WriteResult>;
  /** Removes under the guard: opens the iommu group first and refuses when it is in use. */
  remove(uuid: Uuid, place: Place): Promise<WriteResult>;
  setAttribute(uuid: Uuid, place: Place, attribute: Attribute): Promise<WriteResult>;
  /** Calls back on changes until the returned function is called; may miss some. */
  onChange(listener: (change: Change) => void): () => void;
  /** Ends helpers that are idle; ones that are stuck are left to the kernel. */
  close(): Promise<void>;
}
