/**
 * A verb as the command line has it, and the flags that several verbs share.
 *
 * A verb's code is loaded when the verb is run, so that the help needs no database and no
 * network. What a setting may be is not decided here but in options.ts.
 */
import { type Argument, Option } from 'commander';
import type { OptionName } from '../options.ts';
import type { Verb } from './verb.ts';

export type Load = () => Promise<Verb>;

export type VerbSpec = {
  readonly name: string;
  readonly alias?: string;
  readonly about: string;
  readonly example: string;
  readonly settings: readonly OptionName[];
  readonly args?: readonly Argument[];
  readonly flags?: readonly Option[];
  readonly load: Load;
};

/** Where the fleet is. */
export const FLEET: readonly OptionName[] = [
  'nats',
  'creds',
  'nkey',
  'tlsCa',
  'tlsCert',
  'tlsKey',
  'prefix',
  'data',
];

export const json = () => new Option('--json', 'print JSON');
export const host = (about: string) => new Option('--host <id>', about);
export const files = (about: string) =>
  new Option('-f, --file <path>', `${about}; - is stdin; may be repeated`).argParser(
    (value: string, before: readonly string[] | undefined) => [...(before ?? []), value],
  );
export const source = () =>
  new Option('--source <name>', 'who declares (default: mdevfleet/<user>@<machine>)');

/** How declarations are published that a plan was shown of. */
export const publishing = (): readonly Option[] => [
  new Option('--dry-run', 'show the plan, and publish nothing'),
  new Option('--yes', 'do not ask on a terminal'),
  new Option('--wait', 'until the devices are as declared, or cannot be'),
  new Option('--timeout <time>', 'wait for so long, as 90s or 5m (default: 5m)').implies({ wait: true }),
];

export const from = () =>
  new Option(
    '--from <what>',
    'where to read it: stream, journal (with --data), or an exported file, which may be repeated (default: stream)',
  ).argParser((value: string, before: readonly string[] | undefined) => [...(before ?? []), value]);
