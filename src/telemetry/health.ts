/**
 * What an agent answers to whoever asks how it is: whether it is healthy, and whether it is ready.
 *
 * Healthy: it answers, and its reconciler has not come to a standstill; else a restart may help. Ready: it hears what is
 * declared, and had read all of it once; else the server or the way to it needs a look, and a restart is of no use.
 * Reasons are constant sentences: no address and no credential is in them.
 */
import type { AgentStatus } from '../agent/agent.ts';

export type Verdict = { readonly ok: boolean; readonly text: string };

/** What is known of the way to the fleet's streams. */
export type Connection = 'never' | 'up' | 'down';

/** @param maxMs see standstill.ts */
export function health({ standstillMs }: Pick<AgentStatus, 'standstillMs'>, maxMs: number): Verdict {
  if (standstillMs <= maxMs) return { ok: true, text: 'healthy' };
  const seconds = Math.floor(standstillMs / 1000);
  return { ok: false, text: `no pass has begun or ended for ${seconds} s though devices wait for one` };
}

export function readiness(
  connection: Connection,
  { hasSynced, reached }: Pick<AgentStatus, 'hasSynced' | 'reached'>,
): Verdict {
  const no = (text: string): Verdict => ({ ok: false, text });
  if (connection === 'never') return no('the streams have not been reached yet');
  if (connection === 'down') return no('the connection to the streams is lost');
  if (!hasSynced) return no('what is declared has not been read yet');
  if (!reached) return no('the registry has not confirmed yet that this agent speaks for its host');
  return { ok: true, text: 'ready' };
}
