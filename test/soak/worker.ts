/** A process with several agents, each with its journal on the disk: `worker.ts <data> <servers> <host>…`. */
import { once } from 'node:events';
import { join } from 'node:path';
import { systemClock } from '../../reconciler/clock-system.ts';
import { Agent } from '../../src/agent/agent.ts';
import { openParts, type Parts } from '../../src/agent/compose.ts';
import { agentConfig, readSettings } from '../../src/config.ts';
import { createLogger } from '../../src/logger.ts';
import { until } from '../scale/contest.ts';

const TOLD_MS_MAX = 30_000;

const [folder = '', nats = '', ...hosts] = process.argv.slice(2);
const stopped = once(process, 'SIGTERM');
const log = createLogger('silent', false);
const running = await Promise.all(hosts.map(start));
for (const { agent } of running)
  void agent.ended.then((end) => console.error(`ended: ${JSON.stringify(end)}`));
console.error('ready');
await stopped;
await Promise.all(
  running.map(async ({ agent, parts }) => {
    await told(agent);
    await agent.stop();
    await parts.close();
  }),
);

/** What was recorded is compared with the stream; a server that was killed a moment ago may take some time. */
function told(agent: Agent): Promise<void> {
  return until(() => agent.status.backlog === 0, systemClock.monotonicMs() + TOLD_MS_MAX);
}

async function start(host: string): Promise<{ readonly agent: Agent; readonly parts: Parts }> {
  const flags = { host, nats, data: join(folder, host), simulate: join(folder, `${host}.sock`) };
  const parts = await openParts(agentConfig(readSettings(flags, process.env)), log);
  parts.fleet.reached.catch(() => undefined);
  const agent = new Agent(parts.ports, parts.options);
  await agent.start();
  return { agent, parts };
}
