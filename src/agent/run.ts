/**
 * Runs an agent until it is told to stop, or must.
 */
import { once } from 'node:events';
import type { AgentConfig } from '../config.ts';
import { Failure, type Outcome } from '../exit.ts';
import type { Logger } from '../logger.ts';
import { openPages } from '../telemetry/pages.ts';
import { Agent } from './agent.ts';
import { openParts } from './compose.ts';
import { FleetNews } from './fleet-news.ts';
import type { LinkEnd } from './link.ts';
import { living, serviceLife } from './service-agent.ts';
import type { ServiceLife } from './service-life.ts';

/** Runs the agent. Resolves after SIGTERM or SIGINT; throws when it cannot start or must not go on. */
export async function runAgent(config: AgentConfig, log: Logger): Promise<Outcome> {
  const service = serviceLife(config, log);
  try {
    return await run(config, log, service);
  } finally {
    await service?.stop();
  }
}

async function run(config: AgentConfig, log: Logger, service: ServiceLife | null): Promise<Outcome> {
  const stopped = Promise.race([once(process, 'SIGTERM'), once(process, 'SIGINT')]).then(() => null);
  const { ports, options, fleet, close } = await openParts(config, log);
  const pages = await openPages(config, { ports, options });
  const agent = new Agent(pages?.ports ?? ports, options);
  try {
    const news = new FleetNews(log);
    fleet.onFault((fault) => news.fault(fault));
    fleet.reached.catch((fault: unknown) => news.fault(fault));
    fleet.streams.onConnection((state) => news.connection(state));
    await pages?.serve(() => agent.status);
    await agent.start();
    service?.watch(living(agent, ports.journal));
    log.info({ host: config.host, fleet: config.fleet.kind }, 'agent started');
    const end = await Promise.race([stopped, agent.ended]);
    void service?.stop();
    await agent.stop();
    if (end !== null) throw failed(end);
    log.info({ host: config.host, unforwarded: agent.status.backlog }, 'agent stopped');
    return 'ok';
  } finally {
    await pages?.stop();
    await close();
  }
}

function failed({ kind, message }: LinkEnd): Failure {
  switch (kind) {
    case 'overtaken':
      return new Failure(message, {
        outcome: 'foreign',
        wayOut: 'give this agent a host id of its own, or stop the other one',
      });
    case 'rolled-back':
      return new Failure(message, {
        outcome: 'damaged',
        wayOut:
          'put the newest copy of the journal back in its place; or move this one away, and run `mdevfleet rebuild`',
      });
    default:
      return kind satisfies never;
  }
}
