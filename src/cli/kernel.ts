/**
 * `kernel`: serves a simulated kernel on a socket until it is told to stop.
 *
 * It outlives the agents that use it, so that an agent can be killed without a reboot.
 */

import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { parse } from 'yaml';
import { explain } from '../../events/codec.ts';
import { messageOf } from '../../events/message-of.ts';
import { systemClock, systemRandom } from '../../reconciler/clock-system.ts';
import { serveSimulatedKernel } from '../../reconciler/simulated/host-sim-server.ts';
import { type KernelConfig, kernelConfig } from '../../reconciler/simulated/kernel-sim-config.ts';
import { Failure, type Outcome } from '../exit.ts';
import { SIMULATED_MACHINE } from '../simulated.ts';
import type { Invocation } from './verb.ts';

export async function kernel({ settings, flags, out }: Invocation): Promise<Outcome> {
  const socket = String(flags['socket']);
  const config =
    flags['file'] === undefined ? kernelConfig.parse(SIMULATED_MACHINE) : readConfig(String(flags['file']));
  const { writeDeadlineMs } = settings.limits;
  const parts = { socket, config, clock: systemClock, random: systemRandom, writeDeadlineMs };
  const server = await serveSimulatedKernel(parts).catch((cause: unknown) => {
    throw notServed(socket, cause);
  });
  out.line(`a simulated kernel answers on ${socket}`);
  await Promise.race([once(process, 'SIGTERM'), once(process, 'SIGINT')]);
  await server.close();
  return 'ok';
}

function notServed(socket: string, cause: unknown): Failure {
  return new Failure(messageOf(cause), {
    outcome: 'usage',
    wayOut: `give --socket another path than ${socket}`,
    cause,
  });
}

function readConfig(file: string): KernelConfig {
  try {
    const parsed = kernelConfig.safeParse(parse(readFileSync(file, 'utf8')));
    if (parsed.success) return parsed.data;
    throw new Error(explain(parsed.error), { cause: parsed.error });
  } catch (cause) {
    const reason = messageOf(cause);
    throw new Failure(`reading the simulated kernel's parts from ${file}: ${reason}`, {
      outcome: 'input',
      wayOut: 'give --file a readable YAML or JSON file of parents and faults, or leave it out',
      cause,
    });
  }
}
