/**
 * Callout scripts of mdevctl's protocol as hooks of a host.
 *
 * `SCRIPT -t TYPE -e EVENT -a ACTION -s STATE -u UUID -p PARENT`, with the device's definition as JSON on standard
 * input; exit status 0 is yes, 2 means that the script is for other devices, and all else no. They are asked by name
 * until one feels responsible. Where mdevctl goes on although a script crashed or could not be run, the change is kept
 * from happening here.
 */

import { basename } from 'node:path';
import { messageOf } from '../../events/message-of.ts';
import type { Clock } from '../clock.ts';
import type { Allowed, HookAnswer, HookedChange, Hooks } from '../hooks.ts';
import { definitionJson } from './definition.ts';
import { type Ran, runScript } from './run.ts';
import { scriptsIn } from './scripts.ts';

const NOT_MY_TYPE = 2;

export type CalloutOptions = {
  readonly dir: string;
  /** Time that each script has, whenever it is run. */
  readonly timeoutMs: number;
  readonly clock: Clock;
  /** Constant messages; facts are fields. */
  readonly warn: (fields: object, message: string) => void;
};

type Event = 'pre' | 'post';
type State = 'none' | 'success' | 'failure';
/** What the first script said that felt responsible; null if none did. */
type Answer = { readonly script: string; readonly ran: Ran } | null;

/** Hooks that are the scripts of a folder, as they are there at the time. */
export function createCallouts(options: CalloutOptions): Hooks {
  return new Callouts(options);
}

class Callouts implements Hooks {
  readonly #options: CalloutOptions;

  constructor(options: CalloutOptions) {
    this.#options = options;
  }

  async before(change: HookedChange): Promise<HookAnswer> {
    try {
      const scripts = await scriptsIn(this.#options.dir);
      const answer = await this.#ask(scripts, change, 'pre', 'none');
      if (answer === null) return { kind: 'allowed', by: null };
      const { script, ran } = answer;
      if (isYes(ran)) return { kind: 'allowed', by: script };
      return { kind: 'refused', message: `${basename(script)} ${refusal(ran, change)}` };
    } catch (error) {
      return { kind: 'refused', message: `no callout script is run: ${messageOf(error)}` };
    }
  }

  async after(change: HookedChange, { by }: Allowed, state: 'success' | 'failure'): Promise<void> {
    const { uuid, action } = change;
    const { dir, warn } = this.#options;
    try {
      const scripts = by === null ? await scriptsIn(dir) : [by];
      const answer = await this.#ask(scripts, change, 'post', state);
      if (answer === null || isYes(answer.ran)) return;
      const { script, ran } = answer;
      warn({ uuid, action, script, answer: ran }, 'a callout script failed after the change');
    } catch (error) {
      warn({ uuid, action, err: error }, 'no callout script was told of the change');
    }
  }

  async #ask(scripts: readonly string[], change: HookedChange, event: Event, state: State): Promise<Answer> {
    const { clock, timeoutMs } = this.#options;
    const call = { argv: argvOf(change, event, state), input: definitionJson(change), timeoutMs };
    for (const script of scripts) {
      const ran = await runScript(clock, script, call);
      if (ran.kind === 'failed' || ran.status !== NOT_MY_TYPE) return { script, ran };
    }
    return null;
  }
}

function argvOf({ action, uuid, place }: HookedChange, event: Event, state: State): readonly string[] {
  return ['-t', place.type, '-e', event, '-a', action, '-s', state, '-u', uuid, '-p', place.parent];
}

function isYes(ran: Ran): boolean {
  return ran.kind === 'exited' && ran.status === 0;
}

function refusal(ran: Ran, { action }: HookedChange): string {
  const what = ran.kind === 'failed' ? ran.why : `answered ${ran.status} to ${action}`;
  return ran.said === '' ? what : `${what}: ${ran.said}`;
}
