/**
 * `retry`: publishes the command by which a host tries again what ended in a conflict or a failure.
 */
import { encodeCommand } from '../../events/codec.ts';
import type { HostId } from '../../events/names.ts';
import { Failure, type Outcome } from '../exit.ts';
import { readStandings } from '../fleet.ts';
import { createAuthor } from './author.ts';
import { withFleet } from './open.ts';
import { targetsOf, uuidsOf } from './targets.ts';
import type { Invocation } from './verb.ts';

export async function retry({ settings, args, flags, out }: Invocation): Promise<Outcome> {
  const uuids = uuidsOf(args);
  const targets = await withFleet(settings, async ({ streams, prefix, clock }) => {
    const author = createAuthor(clock, flags['source']);
    const standings = await readStandings(streams.desired, prefix, { uuids: new Set(uuids) });
    const found = targetsOf(uuids, standings, flags['host'] as HostId | undefined);
    const commands = found.map((data) => encodeCommand(prefix, { command: 'retry', event: author(), data }));
    const answers = await Promise.all(commands.map((one) => streams.command.append(one)));
    const lost = answers.find((answer) => answer.kind !== 'stored');
    if (lost !== undefined) throw notAsked(lost.kind === 'unknown' ? lost.cause : undefined);
    return found;
  });
  if (flags['json'] === true) out.json(targets);
  else for (const { host, uuid } of targets) out.line(`asked host ${host} to try ${uuid} again`);
  return 'ok';
}

function notAsked(cause: unknown): Failure {
  return new Failure('asking for another try: it is not known whether every command was stored', {
    outcome: 'incomplete',
    wayOut: 'run the same command again; asking twice does no harm',
    cause,
  });
}
