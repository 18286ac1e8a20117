/**
 * What every reason means, what ends it, and what an operator does about it: the texts, each once.
 *
 * Planner and executor put the hint behind what was seen just now; `mdevfleet explain` and docs/reasons.md show the
 * rest. Before a hint stands a semicolon, so it begins in lower case and ends without a full stop. A reason without a
 * text does not compile.
 */
import type { FactOf } from './fact.ts';
import type { TerminalReason, WaitingReason } from './reasons.ts';

/** What may end a wait before its timer does. */
export type Wake = 'parent' | 'device' | 'registry' | 'command' | 'hook' | 'timer';

export type Guidance = {
  /** What is the case. */
  readonly meaning: string;
  /** What has to happen for it to be over. */
  readonly ends: string;
  /** The way out: what the operator does, or that there is nothing to do. */
  readonly hint: string;
};

/** These pass without another declaration. */
export const WAITING = {
  HostUnreadable: {
    meaning: 'sysfs gave no answer about the device, and nothing destructive follows from that',
    ends: 'sysfs can be read',
    hint: "see that /sys is mounted, that the agent may read it, and what the kernel's log says",
    wake: 'timer',
  },
  Paused: {
    meaning: 'an operator paused the host: it looks and reports, and changes nothing',
    ends: 'the host is told to go on',
    hint: '`mdevfleet resume` lets the host go on',
    wake: 'command',
  },
  Cordoned: {
    meaning:
      'an operator cordoned the parent, or its whole host: no new device is made there; one that was made stays, and is made again if it goes',
    ends: 'the parent is uncordoned',
    hint: '`mdevfleet uncordon` lets devices be made there; or declare this one on another parent',
    wake: 'command',
  },
  Busy: {
    meaning: 'a helper process, of this agent or of an earlier one, still writes to sysfs for this UUID',
    ends: 'the helper ends',
    hint: 'nothing is written until it ends; if it never does, see what its driver waits for',
    wake: 'timer',
  },
  HookRefused: {
    meaning:
      'a callout script of the host refused that the device is made, or removed; or it failed, took too long, or may not be run',
    ends: 'the script answers 0',
    hint: 'see what the script says, and why; it is asked again by itself, or at once by `mdevfleet retry`',
    wake: 'hook',
  },
  ParentAbsent: {
    meaning: 'the host has no such parent device',
    ends: 'the parent registers with the kernel',
    hint: 'plug it in or load its driver, or declare the device on another parent',
    wake: 'parent',
  },
  TypeAbsent: {
    meaning: 'the parent is there, but does not offer the type',
    ends: 'the parent registers with a driver that offers it',
    hint: 'declare one of the types below its mdev_supported_types, or set up its driver for this one',
    wake: 'parent',
  },
  NoCapacity: {
    meaning: 'the parent has no instance of the type left; its types share what it has',
    ends: 'another device of the parent is gone',
    hint: 'remove another device of this parent, or declare this one on another parent',
    wake: 'timer',
  },
  NotPermitted: {
    meaning: 'the host does not let the agent write to sysfs (EACCES, EPERM, EROFS)',
    ends: 'the agent is permitted to',
    hint: 'run the agent as root, not confined by SELinux or a container, and with /sys mounted read-write: `mount -o remount,rw /sys`, or in a container `--volume /sys:/sys:rw`',
    wake: 'timer',
  },
  CreateInProgress: {
    meaning:
      'a create of the device has not returned: removing it now would leave one that cannot be removed',
    ends: 'the create returns',
    hint: 'it passes by itself; if it does not, see what the driver waits for',
    wake: 'device',
  },
  RemovalInProgress: {
    meaning: 'the device is off the bus, but its UUID and its instance are still taken',
    ends: 'the removal is finished',
    hint: 'it passes by itself; if it does not, see who has the device open',
    wake: 'device',
  },
  InUse: {
    meaning: 'a process has the device open, so it is not removed, or its driver does not change it',
    ends: 'the process closes it',
    hint: 'stop the virtual machine that uses the device; the rest follows by itself',
    wake: 'timer',
  },
  Unremovable: {
    meaning:
      'the device is whole, but has no remove file: another program wrote remove while the device was being created',
    ends: 'the parent is unregistered',
    hint: 'unregister its parent, which takes all its devices: unload or rebind its driver, or reboot',
    wake: 'parent',
  },
  ForeignDevice: {
    meaning:
      'what is held here was withdrawn, but the UUID stands on another parent or type, made by somebody else',
    ends: 'that device is gone',
    hint: 'remove that device yourself: what is not ours is never removed',
    wake: 'device',
  },
  NeedsRecreate: {
    meaning: 'other attributes are declared than the device has, and they cannot be changed on a live device',
    ends: 'the device is made anew, or declared with attributes that can be reached',
    hint: 'delete the device and declare it again',
    wake: 'timer',
  },
  HolderLeaving: {
    meaning: 'another claim holds the UUID in the fleet, and is on its way out',
    ends: 'the holder has removed its device and given the UUID back',
    hint: 'it passes by itself; if it does not, see why the device of the holder stays, and that its agent runs',
    wake: 'registry',
  },
  RegistryUnreachable: {
    meaning:
      'the registry of the fleet cannot be asked, and without it nothing new is reserved or given back',
    ends: 'the registry answers',
    hint: 'see that the server runs and that this host reaches it; what the host holds, it keeps',
    wake: 'registry',
  },
  RegistryRebuilding: {
    meaning:
      'the registry has lost writes that it had acknowledged: hosts assert anew what they hold, and nothing new is taken',
    ends: 'an operator opens the registry again',
    hint: 'wait until every host that holds devices has connected, then run `mdevfleet reopen`',
    wake: 'registry',
  },
  KernelBusy: {
    meaning: "the kernel's answer was one that usually passes, and it came again and again",
    ends: 'the kernel gives another answer',
    hint: 'it is tried again; if it does not pass, look for another program that works on this UUID',
    wake: 'timer',
  },
  KernelError: {
    meaning: 'the kernel or the driver answered with an errno that says nothing about the declaration',
    ends: 'the driver takes the write',
    hint: "it is tried again; the kernel's log may say more",
    wake: 'timer',
  },
  WriteStuck: {
    meaning: 'a write to sysfs has not returned within its deadline; it goes on in a process of its own',
    ends: 'the write returns',
    hint: 'see what the driver waits for, and who has the device open; other devices are not held up',
    wake: 'timer',
  },
} as const satisfies Record<WaitingReason, Guidance & { wake: Wake }>;

/** These end a generation: nothing more is done for it. */
export const TERMINAL = {
  UuidHeld: {
    meaning: 'another claim holds the UUID in the registry of the fleet',
    ends: 'a new declaration, or `mdevfleet retry` once the holder has given the UUID back',
    hint: 'delete one of the two declarations; `mdevfleet retry` asks again for this one',
  },
  ClaimDiffers: {
    meaning: 'the UUID was declared on this host before, with another parent or type, and that claim stays',
    ends: 'the first claim is withdrawn, or replaced by name',
    hint: 'withdraw that first, or declare with replaces',
  },
  ForeignDevice: {
    meaning: 'the UUID exists on this host already, on another parent or type than declared',
    ends: 'a new declaration, or `mdevfleet retry` once that device is gone',
    hint: 'remove that device and run `mdevfleet retry`, or withdraw this declaration',
  },
  Fenced: {
    meaning: 'the UUID was taken from this host by force: its device is not created or changed any more',
    ends: 'the declaration is withdrawn',
    hint: 'delete this declaration to clean up',
  },
  InvalidArgument: {
    meaning: 'the kernel or the driver refuses to create such a device (EINVAL)',
    ends: 'a new declaration, or `mdevfleet retry`',
    hint: 'correct the declaration; `mdevfleet retry` tries this one again',
  },
  AttributeRefused: {
    meaning: 'an attribute could not be applied; a device that was made for it was taken back',
    ends: 'a new declaration, or `mdevfleet retry`',
    hint: 'correct the attribute in the declaration; `mdevfleet retry` tries this one again',
  },
} as const satisfies Record<TerminalReason, Guidance>;

const MADE_AGAIN = 'nothing is to be done: it is made again';

/** Why a device that was whole is not, or not as it was: recorded once, and made good. */
export const DRIFT = {
  Rebooted: {
    meaning: 'the device is gone, since the machine booted anew',
    ends: 'the device is made again',
    hint: MADE_AGAIN,
  },
  ParentGone: {
    meaning: 'the device is gone together with its parent',
    ends: 'the parent is back, and the device is made again',
    hint: 'bring the parent back: then the device is made again',
  },
  Removed: {
    meaning: 'the device is gone, and this agent did not remove it',
    ends: 'the device is made again',
    hint: `${MADE_AGAIN}; to keep it away, delete its declaration`,
  },
  AttributesChanged: {
    meaning: 'somebody else has changed attributes of the device',
    ends: 'they are written again',
    hint: 'nothing is to be done; to have other values, declare them',
  },
} as const satisfies Record<FactOf<'drift'>['cause'], Guidance>;

/** What was seen just now, and the way out of it. */
export function withHint(seen: string, { hint }: Guidance): string {
  return `${seen}; ${hint}`;
}
