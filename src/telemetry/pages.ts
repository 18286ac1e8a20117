/**
 * What an agent that was told to listen shows of itself, and nothing of it for any other: the library for metrics is
 * loaded only then.
 */
import type { AgentPorts, AgentStatus } from '../agent/agent.ts';
import type { Parts } from '../agent/compose.ts';
import { type AgentConfig, journalFolder } from '../config.ts';
import { PageServer } from './server.ts';

/** Metrics and health of one agent. */
export type AgentPages = {
  /** What the agent is given instead of its ports. */
  readonly ports: AgentPorts;
  /** Begins to serve; what is asked is answered from the status. Resolves after the first attempt to listen. */
  serve(status: () => AgentStatus): Promise<void>;
  stop(): Promise<void>;
};

/** Null unless the settings say where to listen. */
export async function openPages(
  config: AgentConfig,
  { ports, options }: Pick<Parts, 'ports' | 'options'>,
): Promise<AgentPages | null> {
  const { listen, limits, data, host } = config;
  if (listen === null) return null;
  const { Telemetry, journalSpace } = await import('./telemetry.ts');
  const space = () => journalSpace(journalFolder(data, host));
  const telemetry = new Telemetry({ ports, deadlines: limits, software: options.software, space });
  const { clock, log } = ports;
  let server: PageServer | undefined;
  return {
    ports: telemetry.ports,
    async serve(status) {
      telemetry.start();
      server = new PageServer({ listen, pages: telemetry.pages(status), clock, log });
      await server.start();
    },
    async stop() {
      telemetry.stop();
      await server?.stop();
    },
  };
}
