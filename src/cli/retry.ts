/**
 * `retry`: publishes the command by which a host tries again what ended in a conflict or a failure.
 */
import type { HostId } from '../../events/names.ts';
import type { Outcome } from '../exit.ts';
import { readStandings } from '../fleet.ts';
import { createAuthor } from './author.ts';
import { withFleet } from './open.ts';
import { publishCommands } from './order.ts';
import { targetsOf, uuidsOf } from './targets.ts';
import type { Invocation } from './verb.ts';

export async function retry({ settings, args, flags, out }: Invocation): Promise<Outcome> {
  const uuids = uuidsOf(args);
  const targets = await withFleet(settings, async (fleet) => {
    const author = createAuthor(fleet.clock, flags['source']);
    const standings = await readStandings(fleet.streams.desired, fleet.prefix, { uuids: new Set(uuids) });
    const found = targetsOf(uuids, standings, flags['host'] as HostId | undefined);
    await publishCommands(
      fleet,
      found.map((data) => ({ command: 'retry', event: author(), data })),
    );
    return found;
  });
  if (flags['json'] === true) out.json(targets);
  else for (const { host, uuid } of targets) out.line(`asked host ${host} to try ${uuid} again`);
  return 'ok';
}
