/**
 * A program: the agent, put together as in production, in a process that may have a point at which it dies.
 */
import { once } from 'node:events';
import { Agent } from '../../src/agent/agent.ts';
import { openParts } from '../../src/agent/compose.ts';
import { agentConfig, readSettings } from '../../src/config.ts';
import { createLogger } from '../../src/logger.ts';
import { mortal } from './mortal.ts';
import type { Point } from './points.ts';

/** What the program is told, as JSON in its only argument. */
export type Orders = { readonly flags: Readonly<Record<string, string>>; readonly point: Point | null };

const { flags, point } = JSON.parse(process.argv[2] ?? '') as Orders;
const stopped = once(process, 'SIGTERM').then(() => null);
const config = agentConfig(readSettings(flags, process.env));
/** A journal is signed often, so that it is before the end. */
const CHECKPOINT_MS = 500;

const { ports, options, close } = await openParts(config, createLogger('warn', false));
const agent = new Agent(point === null ? ports : mortal(ports, point), {
  ...options,
  limits: { ...options.limits, checkpointMs: CHECKPOINT_MS },
});
await agent.start();
const end = await Promise.race([stopped, agent.ended]);
await agent.stop();
await close();
if (end !== null) throw new Error(end.message);
