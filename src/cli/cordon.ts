/**
 * `cordon` and `uncordon`: keep new devices from parents, and let them be made there again.
 */
import type { Command } from '../../events/command.ts';
import { type HostId, parentName } from '../../events/names.ts';
import { didYouMean } from '../declare/nearest.ts';
import { Failure, type Outcome } from '../exit.ts';
import { readOffers } from '../fleet.ts';
import { createAuthor } from './author.ts';
import { hostsOf, strangers } from './hosts.ts';
import { type Fleet, withFleet } from './open.ts';
import { publishCommands } from './order.ts';
import type { Invocation, Verb } from './verb.ts';

export const cordon: Verb = (invocation) => steer('cordon', invocation);
export const uncordon: Verb = (invocation) => steer('uncordon', invocation);

const TOLD = {
  cordon: 'no new device will be made there; what was made stays',
  uncordon: 'devices may be made there again',
} as const;

async function steer(
  command: keyof typeof TOLD,
  { settings, args, flags, out }: Invocation,
): Promise<Outcome> {
  const [host = ''] = hostsOf(args.slice(0, 1));
  const named = parentsOf(args.slice(1));
  const parents = named.length > 0 ? named : [undefined];
  await withFleet(settings, async (fleet) => {
    const author = createAuthor(fleet.clock, flags['source']);
    for (const warning of await strangers(fleet, [host])) out.warn(warning);
    for (const warning of await unknownParents(fleet, host, named)) out.warn(warning);
    await publishCommands(
      fleet,
      parents.map((parent): Command => {
        const data = { host, ...(parent === undefined ? {} : { parent }) };
        return { command, event: author(), data };
      }),
    );
  });
  if (flags['json'] === true) out.json(parents.map((parent) => ({ host, parent: parent ?? null, command })));
  else for (const parent of parents) out.line(`${parent ?? 'all parents'} of host ${host}: ${TOLD[command]}`);
  return 'ok';
}

function parentsOf(args: readonly string[]): readonly string[] {
  const wrong = args.filter((one) => !parentName.safeParse(one).success);
  if (wrong.length === 0) return [...new Set(args)];
  throw new Failure(`reading the arguments: not a parent's name: ${wrong.join(', ')}`, {
    outcome: 'usage',
    wayOut: 'give it as `mdevfleet get parents` shows it, such as 0000:41:00.0',
  });
}

/** A parent may be told of before it is plugged in, but more often its name is mistyped. */
async function unknownParents(
  { streams, prefix }: Fleet,
  host: HostId,
  parents: readonly string[],
): Promise<readonly string[]> {
  if (parents.length === 0) return [];
  const [offers] = await readOffers(streams.observed, prefix, host);
  const known = offers?.inventory.parents.map(({ name }) => name);
  if (known === undefined) return [];
  return parents
    .filter((parent) => !known.includes(parent))
    .map((parent) => `host ${host} has reported no parent ${parent}${didYouMean(parent, known)}`);
}
