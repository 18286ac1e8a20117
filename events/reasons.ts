/**
 * Why a device is not (yet) as declared: two closed lists.
 *
 * A waiting reason may pass by itself; a terminal one ends its generation until a new
 * declaration or a `retry`. They are the answer to "why is my device not there?",
 * so every one of them is shown to operators under this name.
 */
import { z } from 'zod';

export const waitingReason = z.enum([
  'HostUnreadable', // sysfs gave no answer; nothing destructive follows from that
  'Paused', // an operator paused the host
  'Cordoned', // an operator lets no new device be made on the parent
  'Busy', // a helper, of this agent or an earlier one, still writes for this UUID
  'HookRefused', // a script of the host keeps the change from happening
  'ParentAbsent',
  'TypeAbsent',
  'NoCapacity',
  'NotPermitted', // EACCES, EPERM, EROFS: a condition of the host
  'CreateInProgress',
  'RemovalInProgress',
  'InUse',
  'Unremovable', // complete, but its `remove` file is gone for good
  'ForeignDevice', // withdrawn here, but the UUID stands on another parent or type
  'NeedsRecreate', // attributes differ and cannot be changed on a live device
  'HolderLeaving', // another claim holds the UUID and is on its way out
  'RegistryUnreachable',
  'RegistryRebuilding', // the registry lost acknowledged writes: nothing new is taken until an operator opens it
  'KernelBusy', // EAGAIN or EEXIST with nothing visible, again and again
  'KernelError', // an errno without a rule of its own; tried again with backoff
  'WriteStuck', // a write to sysfs did not return within its deadline
]);

export const terminalReason = z.enum([
  'UuidHeld', // another claim holds the UUID in the fleet's registry
  'ClaimDiffers', // this host declared the UUID before, with another parent or type
  'ForeignDevice', // the UUID exists on this host, on another parent or type
  'Fenced', // force-released: this host must not create or change it again
  'InvalidArgument', // the kernel refused the create with EINVAL
  'AttributeRefused', // an attribute could not be applied
]);

export type WaitingReason = z.infer<typeof waitingReason>;
export type TerminalReason = z.infer<typeof terminalReason>;
