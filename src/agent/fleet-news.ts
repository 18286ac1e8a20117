/**
 * What the log says of the way to the fleet: that it is there, and once why it is not, however often it is tried.
 */
import { messageOf } from '../../events/message-of.ts';
import { AnswerForbidden } from '../../events/presence.ts';
import { StreamForbidden, StreamMissing } from '../../events/stream.ts';
import { RegistryMissing } from '../../store/registry/registry-kv.ts';
import type { AgentLog } from './agent.ts';

export class FleetNews {
  readonly #log: AgentLog;
  /** The reason that was told last; null once the fleet was reached. */
  #told: string | null = null;

  constructor(log: AgentLog) {
    this.#log = log;
  }

  /** What needs an operator is a warning; a server that is away comes back. */
  fault(fault: unknown): void {
    const reason = messageOf(fault);
    if (reason === this.#told) return;
    this.#told = reason;
    if (fault instanceof AnswerForbidden) return this.#log.warn({ err: fault }, 'presence cannot be told');
    const lasting = [StreamMissing, StreamForbidden, RegistryMissing].some((kind) => fault instanceof kind);
    if (lasting) this.#log.warn({ err: fault }, 'fleet not reached');
    else this.#log.info({ err: fault }, 'fleet not reached');
  }

  connection(state: 'up' | 'down'): void {
    if (state === 'down') return;
    this.#told = null;
    this.#log.info({}, 'fleet reached');
  }
}
