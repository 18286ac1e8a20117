/**
 * The manual page of the program, made from its command line, so that it says what the help says.
 *
 * Every text is escaped: what begins with a dot or holds a backslash is text, too.
 */
import type { Argument, Command, Option } from 'commander';
import { GROUPS } from '../../src/cli/program.ts';
import { EXIT, EXIT_MEANINGS } from '../../src/exit.ts';

export type Release = { readonly version: string; readonly date: Date };

/** Section 1, in the macros of man(7). */
export function manPage(program: Command, { version, date }: Release): string {
  const day = date.toISOString().slice(0, 10);
  return [
    `.TH MDEVFLEET 1 "${day}" "mdevfleet ${version}" "User Commands"`,
    '.SH NAME',
    roff(`mdevfleet - ${program.description().replace(/\.$/, '')}`),
    '.SH SYNOPSIS',
    bold('mdevfleet'),
    roff('[options] verb [options] [arguments]'),
    '.SH OPTIONS',
    ...program.options.flatMap(optionLines),
    ...Object.keys(GROUPS).flatMap((group) => groupLines(program, group)),
    '.SH SETTINGS',
    roff(
      'A flag comes before a variable of the environment, which stands in brackets behind it, and a variable before ' +
        'a key of the configuration file: --tls-ca is MDEVFLEET_TLS_CA and tlsCa.',
    ),
    '.SH EXIT STATUS',
    ...Object.entries(EXIT_MEANINGS).flatMap(([outcome, meaning]) =>
      tagged(String(EXIT[outcome as keyof typeof EXIT]), meaning),
    ),
    '.SH FILES',
    ...tagged('/etc/mdevfleet/config.yaml', 'settings of the agent that the system starts'),
    ...tagged('/var/lib/mdevfleet', 'its journal'),
    '.SH SEE ALSO',
    '.BR mdevctl (8),',
    '.BR systemctl (1)',
    '',
  ].join('\n');
}

function groupLines(program: Command, group: string): readonly string[] {
  const verbs = program.commands.filter((command) => command.helpGroup() === group);
  return [`.SH ${group.replace(':', '').toUpperCase()}`, ...verbs.flatMap(verbLines)];
}

function verbLines(command: Command): readonly string[] {
  const example = examples().get(command.name());
  return [
    `.SS ${roff([command.name(), ...command.aliases()].join(', '))}`,
    bold(`mdevfleet ${command.name()}`),
    roff(command.usage()),
    '.PP',
    roff(command.description()),
    ...command.registeredArguments.flatMap(argumentLines),
    ...command.options.flatMap(optionLines),
    ...(example === undefined
      ? []
      : ['.PP', 'Example:', '.PP', '.nf', ...example.split('\n').map(roff), '.fi']),
  ];
}

function examples(): ReadonlyMap<string, string> {
  return new Map(Object.values(GROUPS).flatMap((verbs) => verbs.map(({ name, example }) => [name, example])));
}

function argumentLines(argument: Argument): readonly string[] {
  const { argChoices: choices, description } = argument;
  const name = argument.required ? `<${argument.name()}>` : `[${argument.name()}]`;
  return tagged(name, choices === undefined ? description : `${description}: ${choices.join(', ')}`);
}

function optionLines({ flags, description, argChoices: choices }: Option): readonly string[] {
  return tagged(flags, choices === undefined ? description : `${description}: ${choices.join(', ')}`);
}

function tagged(tag: string, text: string): readonly string[] {
  return ['.TP', bold(tag), roff(text)];
}

function bold(text: string): string {
  return `.B ${roff(text)}`;
}

/** A text that may hold anything, as one line of roff. */
function roff(text: string): string {
  const escaped = text
    .replaceAll('\\', '\\e')
    .replaceAll('-', '\\-')
    .replaceAll("'", '\\(aq')
    .replaceAll('\n', ' ');
  return /^[.']/.test(escaped) ? `\\&${escaped}` : escaped;
}
