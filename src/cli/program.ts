/**
 * The command line: its verbs in groups, and their help.
 */
import { Argument, Command, Option } from 'commander';
import type { Flags } from '../config.ts';
import { EXIT, EXIT_MEANINGS } from '../exit.ts';
import { flagOf, OPTIONS, type OptionName, variableOf } from '../options.ts';
import type { Load, VerbSpec } from './verb-spec.ts';
import { DECLARE } from './verbs-declare.ts';
import { LOOK } from './verbs-look.ts';
import { RUN } from './verbs-run.ts';
import { STEER } from './verbs-steer.ts';

/** Runs the verb that was asked for. */
export type Run = (load: Load, args: readonly string[], flags: Flags) => Promise<void>;

/** The verbs, as the help groups them; `completion` is made from them. */
export const GROUPS: Readonly<Record<string, readonly VerbSpec[]>> = {
  'Declaring:': DECLARE,
  'Looking:': LOOK,
  'Steering:': STEER,
  'Running:': RUN,
};

/** The program; parsing it ends in `run`, or throws commander's errors. */
export function buildProgram(version: string, run: Run): Command {
  const program = new Command('mdevfleet')
    .description('Reconciles the mediated devices of a fleet of Linux hosts with what is declared.')
    .version(version)
    .option('--config <file>', 'settings in YAML or JSON [MDEVFLEET_CONFIG]')
    .option('--verbose', 'tell the causes of an error, too')
    .configureHelp({ showGlobalOptions: true })
    .showHelpAfterError('  see `mdevfleet help`')
    .addHelpText('after', exitStatuses())
    .exitOverride();
  for (const [group, verbs] of Object.entries(GROUPS)) {
    program.commandsGroup(group);
    for (const spec of verbs) addVerb(program, spec, run);
  }
  addVerb(program, completionOf(program), run);
  return program;
}

/** Made from the other verbs. */
function completionOf(program: Command): VerbSpec {
  return {
    name: 'completion',
    about: 'Print the script by which a shell completes verbs, flags and their values.',
    example: 'source <(mdevfleet completion bash)',
    settings: [],
    args: [new Argument('<shell>', 'the shell').choices(['bash', 'zsh', 'fish'])],
    load: async () => (await import('./completion.ts')).completionOf(program),
  };
}

function addVerb(program: Command, spec: VerbSpec, run: Run): void {
  const command = program.command(spec.name).description(spec.about);
  if (spec.alias !== undefined) command.alias(spec.alias);
  for (const argument of spec.args ?? []) command.addArgument(argument);
  for (const name of spec.settings) command.addOption(settingOption(name));
  for (const option of spec.flags ?? []) command.addOption(option);
  command
    .showHelpAfterError(`  see \`mdevfleet ${spec.name} --help\``)
    .addHelpText('after', `\nExample:\n  ${spec.example}`)
    .action(() => run(spec.load, command.args, command.optsWithGlobals()));
}

function settingOption(name: OptionName): Option {
  const { value, about } = OPTIONS[name];
  return new Option(`${flagOf(name)} ${value}`, `${about} [${variableOf(name)}]`);
}

function exitStatuses(): string {
  const lines = Object.entries(EXIT_MEANINGS).map(([outcome, meaning]) => {
    const status = String(EXIT[outcome as keyof typeof EXIT]).padStart(4);
    return `${status}  ${meaning}`;
  });
  return ['', 'Exit statuses:', ...lines].join('\n');
}
