/**
 * What there is to complete: verbs, flags and values, read from the command line itself.
 */
import type { Command, Option } from 'commander';

/** What follows a flag or is an argument: one of several words, a path, or something of which the shell knows nothing. */
export type Value =
  | { readonly kind: 'words'; readonly words: readonly string[] }
  | { readonly kind: 'path' }
  | { readonly kind: 'any' };

/** `value` is null for a flag that takes none. */
export type Flag = {
  readonly names: readonly string[];
  readonly about: string;
  readonly value: Value | null;
};

export type CompletedVerb = {
  readonly name: string;
  readonly about: string;
  readonly flags: readonly Flag[];
  readonly args: readonly Value[];
  /** Any number of the last argument may be given. */
  readonly variadic: boolean;
};

/** All verbs of the program under all their names, with the flags that stand before any verb, too. */
export function completedVerbs(program: Command): readonly CompletedVerb[] {
  return program.commands.flatMap((command) =>
    [command.name(), ...command.aliases()].map((name) => completedVerb(program, command, name)),
  );
}

function completedVerb(program: Command, command: Command, name: string): CompletedVerb {
  return {
    name,
    about: firstSentence(command.description()),
    flags: [...command.options, ...program.options].filter((one) => one.long !== '--version').map(flagOf),
    args: command.registeredArguments.map(({ argChoices, description }) =>
      valueFrom(argChoices, description),
    ),
    variadic: command.registeredArguments.at(-1)?.variadic === true,
  };
}

function flagOf({ short, long, flags, description, argChoices }: Option): Flag {
  const names = [short, long].filter((name) => name !== undefined);
  const takes = /[<[]/.test(flags);
  return { names, about: firstSentence(description), value: takes ? valueFrom(argChoices, flags) : null };
}

/** A path says so in what stands for it, as do all of ours. */
function valueFrom(choices: readonly string[] | undefined, text: string): Value {
  if (choices !== undefined) return { kind: 'words', words: choices };
  return /\b(file|path|folder|dir|root|socket)\b/.test(text) ? { kind: 'path' } : { kind: 'any' };
}

/** The first sentence, without what stands in brackets behind it. */
function firstSentence(text: string): string {
  const [sentence = ''] = text.split(/\.(?:\s|$)/);
  return sentence.replace(/\s*[[(].*$/, '');
}
