/**
 * Commands: acts of an operator that are not declarations.
 *
 * They travel on a stream of their own, so that a command never shadows what is
 * declared, and are audited like everything else. An agent keeps a command that it
 * does not know as `unsupported`.
 */
import { z } from 'zod';
import { type CloudEvent, cloudEvent, type EventMeta, TEXT_CHARS_MAX } from './declaration.ts';
import { hostId, parentName, uuid } from './names.ts';

const oneDevice = z.strictObject({ host: hostId, uuid });
const wholeHost = z.strictObject({ host: hostId });
const parents = z.strictObject({
  host: hostId,
  parent: parentName.optional().describe('All parents of the host, those to come, too, unless given'),
});
const wholeFleet = z.strictObject({
  unconfirmed: z.array(hostId).describe('Hosts that were known not to have confirmed what they hold'),
});

/** Why an operator does what cannot be undone, in a few words. */
const why = z.string().min(1).max(TEXT_CHARS_MAX);

/** The CloudEvent of each command. */
export const commandEvents = {
  /** Re-arms a device whose generation ended in a conflict or a failure. */
  retry: event('retry', oneDevice),
  /** The UUID is taken from this host by force, since the operator states that the host does not use it any more. */
  release: event('release', oneDevice.extend({ why })),
  /** The host observes and reports, and changes nothing until `resume`. */
  pause: event('pause', wholeHost),
  resume: event('resume', wholeHost),
  /** No new device is made there until `uncordon`; those that were made stay, and are made again if they go. */
  cordon: event('cordon', parents),
  /** Without a parent it ends every cordon of the host. */
  uncordon: event('uncordon', parents),
  /** Asks whether the host is there: that it has recorded the question is the answer. */
  call: event('call', wholeHost),
  /** The host will not come back: it may not speak any more, and what it held is released. */
  forget: event('forget', wholeHost.extend({ why })),
  /** Whoever speaks next for the host may be another journal on another machine. */
  rebind: event('rebind', wholeHost.extend({ why })),
  /** Ends the rebuilding of the registry. It is about no host, and no agent reads it: the registry tells them. */
  reopen: event('reopen', wholeFleet),
};

function event<D extends z.ZodType>(command: string, data: D) {
  return cloudEvent.extend({ type: z.literal(`io.mdevfleet.command.${command}.v1`), data });
}

export type CommandName = keyof typeof commandEvents;
export type CommandData<C extends CommandName> = z.infer<(typeof commandEvents)[C]>['data'];

/** A command as the rest of the program sees it. */
export type Command = {
  readonly [C in CommandName]: {
    readonly command: C;
    readonly event: EventMeta;
    readonly data: CommandData<C>;
  };
}[CommandName];

/** The type of a command's CloudEvent. */
export function typeOfCommand(command: CommandName): string {
  return commandEvents[command].shape.type.value;
}

/** The command that an event's type names; undefined when it is none that this program knows. */
export function commandNamed(type: CloudEvent['type']): CommandName | undefined {
  return (Object.keys(commandEvents) as CommandName[]).find((one) => typeOfCommand(one) === type);
}
