/**
 * The AsyncAPI document of the fleet: which messages are on which subjects, for whoever writes a program of their own.
 *
 * What a message holds is said once, in events/schema; here it is only referred to. tools/schema.ts writes both.
 */
import { stringify } from 'yaml';
import manifest from '../package.json' with { type: 'json' };

type Channel = {
  readonly name: 'desired' | 'command' | 'observed';
  readonly subject: string;
  readonly about: string;
  /** Which side sends, seen from a program beside the fleet. */
  readonly action: 'send' | 'receive';
  readonly does: string;
  readonly id: string;
  readonly messages: RegExp;
};

const CHANNELS: readonly Channel[] = [
  {
    name: 'desired',
    subject: 'mdev.desired.{host}.{uuid}',
    about: 'Declarations: what should exist. The last one on a subject is the one that counts.',
    action: 'send',
    does: 'Declare a device, or that it should not exist',
    id: 'Nats-Msg-Id: the source, a slash, and the id of the event; a repeat within two minutes is dropped.',
    messages: /^io\.mdevfleet\.device\./,
  },
  {
    name: 'command',
    subject: 'mdev.command.{host}.{uuid}',
    about: 'What operators ask of hosts beside declarations.',
    action: 'send',
    does: 'Ask something of a host',
    id: 'Nats-Msg-Id: the source, a slash, and the id of the event; a repeat within two minutes is dropped.',
    messages: /^io\.mdevfleet\.command\./,
  },
  {
    name: 'observed',
    subject: 'mdev.observed.{host}.{uuid}',
    about:
      "The records of the hosts' journals, in their order. The last one on a subject has the device's rows.",
    action: 'receive',
    does: 'Hear what became of devices',
    id: 'Nats-Msg-Id: the id of the journal, the number and the hash of the record; a record may come twice.',
    messages: /^fact\./,
  },
];

const PARAMETERS = {
  host: { description: 'Id of the host, its dots as _; _ for the whole fleet' },
  uuid: { description: 'UUID of the device; _ for none, and `inventory` for what a host offers' },
};

/** The document, for these files of events/schema. */
export function asyncApi(schemaFiles: Iterable<string>): string {
  const titles = [...schemaFiles].map((file) => file.replace(/\.json$/, '')).sort();
  const of = ({ messages }: Channel) => titles.filter((title) => messages.test(title));
  const document = {
    asyncapi: '3.0.0',
    info: {
      title: 'mdevfleet',
      version: manifest.version,
      description:
        'JSON over NATS. Declarations and commands are CloudEvents 1.0 in structured mode, and any NATS client may ' +
        'publish one; subjects begin with the prefix of the fleet, `mdev` unless it was made with another.',
      license: { name: manifest.license },
    },
    defaultContentType: 'application/json',
    channels: entries(CHANNELS, (one) => [one.name, channelOf(one, of(one))]),
    operations: entries(CHANNELS, (one) => [
      `${one.action}_${one.name}`,
      { action: one.action, channel: { $ref: `#/channels/${one.name}` }, summary: one.does },
    ]),
    components: {
      messages: entries(
        CHANNELS.flatMap((one) => of(one).map((title) => ({ one, title }))),
        ({ one, title }) => [
          title,
          { name: title, description: one.id, payload: { $ref: `../events/schema/${title}.json` } },
        ],
      ),
    },
  };
  return `# Written by \`npm run schema\`.\n${stringify(document, { lineWidth: 110, aliasDuplicateObjects: false })}`;
}

function channelOf({ subject, about }: Channel, titles: readonly string[]): object {
  return {
    address: subject,
    description: about,
    parameters: PARAMETERS,
    messages: entries(titles, (title) => [title, { $ref: `#/components/messages/${title}` }]),
  };
}

function entries<T>(items: readonly T[], entry: (item: T) => readonly [string, object]): object {
  return Object.fromEntries(items.map(entry));
}
