/**
 * Whether a host's agent is there: the one thing about it that no stream can tell, since an agent with nothing to do
 * records nothing.
 */
import type { HostId } from './names.ts';

/**
 * `mute`: it is connected, and did not answer in time. `absent`: nobody is connected. `unknown`: it could not be asked.
 */
export type Presence = 'there' | 'mute' | 'absent' | 'unknown';

/** Asks whether the host's agent is there. Answers 'unknown', and does not throw, when that cannot be asked. */
export type AskPresence = (host: HostId) => Promise<Presence>;

/** True of an agent that should have answered and did not. */
export function isMissed(presence: Presence): presence is 'mute' | 'absent' {
  return presence === 'mute' || presence === 'absent';
}

/** For a fleet in which nobody can be asked. */
export const nobodyToAsk: AskPresence = async () => 'unknown';

/** The server does not let an agent answer. It works all the same, and looks mute. */
export class AnswerForbidden extends Error {
  override readonly name = 'AnswerForbidden';

  constructor(options: ErrorOptions) {
    super(
      'this user may not answer who asks; allow_responses in its permissions on the server grants it',
      options,
    );
  }
}
