/**
 * `pause` and `resume`: hosts that look and report but change nothing, until they are told to go on.
 */
import type { Outcome } from '../exit.ts';
import { createAuthor } from './author.ts';
import { hostsOf, strangers } from './hosts.ts';
import { withFleet } from './open.ts';
import { publishCommands } from './order.ts';
import type { Invocation, Verb } from './verb.ts';

export const pause: Verb = (invocation) => steer('pause', invocation);
export const resume: Verb = (invocation) => steer('resume', invocation);

const TOLD = {
  pause: 'told to change nothing; it goes on to look and report',
  resume: 'told to go on',
} as const;

async function steer(
  command: 'pause' | 'resume',
  { settings, args, flags, out }: Invocation,
): Promise<Outcome> {
  const hosts = hostsOf(args);
  await withFleet(settings, async (fleet) => {
    const author = createAuthor(fleet.clock, flags['source']);
    for (const warning of await strangers(fleet, hosts)) out.warn(warning);
    await publishCommands(
      fleet,
      hosts.map((host) => ({ command, event: author(), data: { host } })),
    );
  });
  if (flags['json'] === true) out.json(hosts.map((host) => ({ host, command })));
  else for (const host of hosts) out.line(`host ${host} is ${TOLD[command]}`);
  return 'ok';
}
