/**
 * `init`: makes a fleet's streams and registry, and says what the server made of them.
 */
import { connectNats } from '../../events/jetstream/connection.ts';
import { type InitReport, initFleet, type StreamReport } from '../../events/jetstream/init.ts';
import { bucketStreamOf } from '../../events/jetstream/settings.ts';
import { beginRebuilding, openFirst } from '../../store/registry/fleet.ts';
import { fleetAddress } from '../config.ts';
import { Failure, type Outcome } from '../exit.ts';
import { createAuthor } from './author.ts';
import { type Fleet, withFleet } from './open.ts';
import type { Output } from './output.ts';
import type { Invocation } from './verb.ts';

/** Most servers that JetStream keeps copies of one stream on. */
const REPLICAS_MAX = 5;

export async function init({ settings, flags, out }: Invocation): Promise<Outcome> {
  const replicas = replicasOf(flags['replicas']);
  const address = fleetAddress(settings);
  if (address.kind === 'embedded') {
    await withFleet(settings, openRegistry, { create: true });
    out.line(`the embedded fleet in ${address.data} is ready`);
    return 'ok';
  }
  const { prefix, timeoutMs } = address;
  const connection = await connectNats({ ...address, name: 'mdevfleet init' });
  const options = { prefix, timeoutMs, ...(replicas === null ? {} : { replicas }) };
  const report = await initFleet(connection, options).finally(() => connection.close());
  show(report, out);
  const isNew = actionOf(report, bucketStreamOf(prefix)) === 'created';
  await withFleet(settings, async (fleet) => {
    const { lastSequence } = await fleet.streams.observed.info();
    await (isNew && lastSequence > 0 ? closeRegistry(fleet, out) : openRegistry(fleet));
  });
  return 'ok';
}

function actionOf({ streams }: InitReport, stream: string): StreamReport['action'] | undefined {
  return streams.find((one) => one.stream === stream)?.action;
}

/** Hosts have reported, so there was a registry: before they have noticed that it is lost, others could take what they hold. */
async function closeRegistry({ registry, clock }: Fleet, out: Output): Promise<void> {
  const by = createAuthor(clock, undefined)().source;
  const what = 'the registry was made anew in a fleet that has hosts';
  const fleet = await beginRebuilding(registry, { by, what, at: clock.wall() });
  if (fleet.kind === 'unknown') throw fleet.cause;
  out.warn(`${what}: UUIDs are taken again after \`mdevfleet reopen\``);
}

/** A registry that is rebuilding stays so. */
async function openRegistry({ registry, clock }: Fleet): Promise<void> {
  const by = createAuthor(clock, undefined)().source;
  const fleet = await openFirst(registry, { by, what: 'the fleet was made', at: clock.wall() });
  if (fleet.kind === 'unknown') throw fleet.cause;
}

function replicasOf(given: unknown): number | null {
  if (given === undefined) return null;
  const replicas = Number(given);
  if (Number.isInteger(replicas) && replicas >= 1 && replicas <= REPLICAS_MAX) return replicas;
  throw new Failure(`reading the settings: --replicas: not a number of servers: ${given}`, {
    outcome: 'usage',
    wayOut: `give a whole number from 1 to ${REPLICAS_MAX}; clusters have 3 or 5`,
  });
}

function show({ server, streams }: InitReport, out: Output): void {
  for (const { stream, action, changed } of streams) {
    const settings = changed.map(({ setting }) => setting).join(', ');
    out.line(`${stream} ${action}${settings === '' ? '' : `: ${settings}`}`);
  }
  const ignored = streams.filter((one) => one.ignored.length > 0);
  if (ignored.length === 0) return;
  throw new Failure(
    `making the streams: the server, ${server}, did not take all settings:${ignoredText(ignored)}`,
    {
      outcome: 'server',
      wayOut: 'upgrade the server, or let its operator allow these settings',
    },
  );
}

function ignoredText(streams: readonly StreamReport[]): string {
  const text = (value: unknown) => JSON.stringify(value) ?? 'nothing';
  const lines = streams.flatMap(({ stream, ignored }) =>
    ignored.map(
      ({ setting, wanted, found }) => `\n  ${stream}: ${setting} is ${text(found)}, not ${text(wanted)}`,
    ),
  );
  return lines.join('');
}
