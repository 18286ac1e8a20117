/**
 * `completion`: prints the script by which a shell completes verbs, flags and their values.
 *
 * It is made from the command line itself, so that it cannot lag behind, and it is all that the
 * shell needs: nothing of ours is started while somebody types.
 */
import type { Command } from 'commander';
import { completedVerbs } from './completed.ts';
import { bash, fish, zsh } from './shells.ts';
import type { Verb } from './verb.ts';

const SCRIPTS = { bash, zsh, fish } as const;

/** The verb, for that program. */
export function completionOf(program: Command): Verb {
  return async ({ args, out }) => {
    const script = SCRIPTS[args[0] as keyof typeof SCRIPTS];
    await out.raw([script(completedVerbs(program))]);
    return 'ok';
  };
}
