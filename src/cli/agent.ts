/**
 * `agent`: looks after the devices of one host until it is told to stop.
 */

import { runAgent } from '../agent/run.ts';
import { agentConfig } from '../config.ts';
import type { Outcome } from '../exit.ts';
import { createLogger } from '../logger.ts';
import type { Invocation } from './verb.ts';

export function agent({ settings }: Invocation): Promise<Outcome> {
  const log = createLogger(settings.logLevel ?? 'info', process.stderr.isTTY === true);
  return runAgent(agentConfig(settings), log);
}
