/**
 * `rebind`: another journal, or another machine, may speak for a host: whichever comes next.
 *
 * It is for a machine that was replaced, whose identity changed, or whose journal is lost for good; and for a host
 * that was forgotten and is back. What was released from it by force stays fenced until it is withdrawn.
 */
import type { Outcome } from '../exit.ts';
import { createAuthor } from './author.ts';
import { isAlive, isThere } from './call.ts';
import { oneHost, takeTheWord } from './forget.ts';
import { withFleet } from './open.ts';
import { publishCommands } from './order.ts';
import { reasonOf } from './reason.ts';
import type { Invocation } from './verb.ts';

export async function rebind({ settings, args, flags, out }: Invocation): Promise<Outcome> {
  const host = oneHost(args);
  const why = reasonOf(flags['reason'], `rebinding host ${host}`);
  const status = await withFleet(settings, async (fleet) => {
    const author = createAuthor(fleet.clock, flags['source']);
    const isForced = flags['force'] === true;
    if (!isForced && (await isThere(fleet, host, author, flags['wait']))) {
      throw isAlive(
        'rebinding',
        host,
        'stop the agent that speaks for it, or add --force: it is overtaken then',
      );
    }
    const event = author();
    await publishCommands(fleet, [{ command: 'rebind', event, data: { host, why } }]);
    const vacated = await takeTheWord(fleet, host, { as: 'open', by: event.source, why, at: event.time });
    return vacated === 'never' ? 'nobody spoke for it' : 'open';
  });
  if (flags['json'] === true) out.json({ host, status });
  else if (status === 'open') out.line(`host ${host} is spoken for by the next agent that starts for it`);
  else out.line(`nobody ever spoke for host ${host}; there is nothing to rebind`);
  return 'ok';
}
