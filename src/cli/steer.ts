/**
 * `pause` and `resume`: hosts that look and report but change nothing, until they are told to go on.
 */
import type { HostId } from '../../events/names.ts';
import { hostId } from '../../events/names.ts';
import { Failure, type Outcome } from '../exit.ts';
import { knownHosts } from '../fleet.ts';
import { nearest } from '../nearest.ts';
import { createAuthor } from './author.ts';
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
    for (const warning of strangers(hosts, await knownHosts(fleet.streams, fleet.prefix))) out.warn(warning);
    await publishCommands(
      fleet,
      hosts.map((host) => ({ command, event: author(), data: { host } })),
    );
  });
  if (flags['json'] === true) out.json(hosts.map((host) => ({ host, command })));
  else for (const host of hosts) out.line(`host ${host} is ${TOLD[command]}`);
  return 'ok';
}

function hostsOf(args: readonly string[]): readonly HostId[] {
  const wrong = args.filter((one) => !hostId.safeParse(one).success);
  if (wrong.length === 0) return [...new Set(args)];
  throw new Failure(`reading the arguments: not a host id: ${wrong.join(', ')}`, {
    outcome: 'usage',
    wayOut: 'a host id is lower case letters, digits, dots and dashes',
  });
}

/** A host may be told something before its agent ever ran, but more often its name is mistyped. */
function strangers(hosts: readonly HostId[], known: ReadonlySet<HostId>): readonly string[] {
  return hosts
    .filter((host) => !known.has(host))
    .map((host) => {
      const [meant] = nearest(host, [...known]);
      const hint = meant === undefined ? '' : `; did you mean ${meant}?`;
      return `nothing was ever declared for or reported by host ${host}${hint}`;
    });
}
