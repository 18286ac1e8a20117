/**
 * Planted bugs: what the simulation must be able to find. Each spoils a port of every agent, or what an agent is told
 * to do, as a plausible mistake would; no line of the production code knows of them.
 */
import type { AgentPorts } from '../../src/agent/agent.ts';
import type { Bug, Machine, Parts } from './machine.ts';

export type Bugs = Readonly<Record<string, Bug>>;

/** Replaces some of an agent's ports. */
export function spoil(change: (ports: AgentPorts, machine: Machine) => Partial<AgentPorts>): Bug {
  return ({ ports, options }: Parts, machine) => ({
    ports: { ...ports, ...change(ports, machine) },
    options,
  });
}
