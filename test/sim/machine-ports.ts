/**
 * The ports of an agent on a simulated machine: each ends with the agent's life, and what the agent asks of the registry is
 * held against what its journal knows.
 */

import type { SimulatedKernel } from '../../reconciler/simulated/kernel-sim.ts';
import type { AgentPorts } from '../../src/agent/agent.ts';
import type { Journal } from '../../store/journal/journal.ts';
import type { MemoryDisk } from '../../store/journal/journal-memory.ts';
import { type Life, mortalClock } from './mortal.ts';
import { mortalHost } from './mortal-host.ts';
import type { Server } from './server.ts';
import type { FactWatch } from './watched-facts.ts';
import type { WatchedKernel } from './watched-kernel.ts';
import type { Wire } from './wire.ts';
import { WiredRegistry } from './wired-registry.ts';
import { WiredStreams } from './wired-streams.ts';
import type { World } from './world.ts';

/** What ports need of a machine. */
type Owner = {
  readonly world: World;
  readonly name: string;
  readonly wire: Wire;
  readonly kernel: SimulatedKernel;
  readonly watched: WatchedKernel;
  readonly facts: FactWatch;
  readonly disk: MemoryDisk;
  readonly clockOffMs: number;
  readonly isPutBack: boolean;
  readonly isStranger: boolean;
  readonly isForgotten: boolean;
};

export function agentPorts(machine: Owner, server: Server, life: Life, journal: Journal): AgentPorts {
  const { world, wire, name, watched } = machine;
  const clock = { ...mortalClock(world, life), wall: () => world.wallAt(machine.clockOffMs) };
  const ifAlive = (told: () => void): void => void (life.alive && told());
  return {
    ...{ journal, clock },
    host: mortalHost({ world, name, kernel: watched.kernel }, life),
    random: world.random,
    streams: new WiredStreams(server, wire, life),
    registry: new WiredRegistry(server.registry, wire, life, {
      asks: (key, value) => ifAlive(() => checkAsked(machine, server, key, value)),
      decides: (key, { kind }) => {
        if (kind === 'written' && key.startsWith('host.') && machine.isForgotten)
          world.violation(`${name} speaks for a host that was forgotten`);
        const standing = server.registry.holdOf(key);
        if (kind === 'refused' && standing !== undefined) machine.facts.refused(key, standing);
      },
    }),
    log: { debug() {}, info() {}, warn: () => {}, error: (fields) => ifAlive(() => logged(machine, fields)) },
  };
}

/** No UUID is asked for before the journal says that it may be; none is given back while its device stands. */
function checkAsked(machine: Owner, { registry }: Server, key: string, value: Uint8Array | null): void {
  const { world, name, disk, kernel } = machine;
  const wrong = (what: string): void => world.violation(`${name} ${what}`);
  if (machine.isPutBack) wrong(`writes ${key} in the registry from an older journal`);
  if (machine.isStranger) wrong(`writes ${key} in the registry, but another journal speaks for the host`);
  if (key.startsWith('host.') || key === 'fleet' || machine.isPutBack || machine.isStranger) return;
  const reservation = disk.projections().devices.get(key)?.reservation;
  const isStray = value === null && registry.disputed.has(key);
  if (!reservation && !isStray) wrong(`writes ${key} in the registry before its journal knows`);
  const there = kernel.device(key);
  const ours = there?.parent === reservation?.claim.parent && there?.type === reservation?.claim.type;
  const stands = there !== undefined && ours && reservation?.phase !== 'claiming';
  if (value === null && stands) wrong(`gives ${key} back while its device stands`);
}

function logged({ world, name }: Owner, fields: object): void {
  if ('end' in fields) return;
  const text =
    'err' in fields && fields.err instanceof Error ? (fields.err.stack ?? '') : JSON.stringify(fields);
  world.violation(`${name}: an agent logged an error: ${text.split('\n').slice(0, 3).join(' ')}`);
}
