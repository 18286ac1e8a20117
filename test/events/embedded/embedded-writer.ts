/**
 * A process of its own that appends to an embedded stream, for the tests of several processes.
 *
 * `node embedded-writer.ts <dir> <name> <count>`: so many declarations for the host `name`, several
 * in a turn; says `stored <sequence>` after each, in order, once it is durable.
 */
import { openEmbedded } from '../../../events/embedded/embedded.ts';
import { openEmbeddedStreams } from '../../../events/embedded/streams-embedded.ts';
import { formatSubject } from '../../../events/subject.ts';
import { systemClock } from '../../../reconciler/clock-system.ts';

/** Appends in one turn of the event loop. */
const TURN_APPENDS = 3;
const DEVICES = 10;

const [dir = '', host = '', count = '0'] = process.argv.slice(2);
const embedded = await openEmbedded(dir, { after: systemClock.after, now: systemClock.wall });
const { desired } = await openEmbeddedStreams(embedded, 'mdev');
for (let from = 0; from < Number(count); from += TURN_APPENDS) {
  const turn = Array.from({ length: TURN_APPENDS }, (_, at) => from + at);
  const answers = await Promise.all(turn.map((at) => desired.append(outgoing(at))));
  for (const answer of answers) {
    if (answer.kind !== 'stored') throw new Error(`not stored: ${answer.kind}`);
    process.stdout.write(`stored ${answer.sequence}\n`);
  }
}
await embedded.close();

function outgoing(at: number) {
  const uuid = `00000000-0000-4000-8000-${String(at % DEVICES).padStart(12, '0')}`;
  const subject = formatSubject('mdev', { kind: 'desired', host, uuid });
  return { subject, id: `${host}-${at}`, data: new TextEncoder().encode(`data of ${host}-${at}`) };
}
