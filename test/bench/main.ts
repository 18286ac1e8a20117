/**
 * `npm run bench`: each row is a ratio, both sides measured in one run on this machine.
 */
import { parseArgs } from 'node:util';
import { connectNats } from '../../events/jetstream/connection.ts';
import { initFleet } from '../../events/jetstream/init.ts';
import { bucketNameOf } from '../../events/jetstream/settings.ts';
import { openJetStreams } from '../../events/jetstream/stream-jetstream.ts';
import { openUplink } from '../../events/jetstream/uplink.ts';
import { systemClock, systemRandom } from '../../reconciler/clock-system.ts';
import { openKvRegistry } from '../../store/registry/registry-kv.ts';
import { startNats } from '../nats.ts';
import { benchIntake } from './intake.ts';
import { benchJournal } from './journal.ts';
import { benchKernel } from './kernel.ts';
import { benchLatency } from './latency.ts';
import { PREFIX } from './names.ts';

const server = await startNats();
const NO_SECRETS = { creds: null, nkey: null, tlsCa: null, tlsCert: null, tlsKey: null };
const options = { servers: [server.url], timeoutMs: 10_000, ...NO_SECRETS };
const connection = await connectNats(options);
await initFleet(connection, { prefix: PREFIX, timeoutMs: options.timeoutMs });
await connection.close();
const uplink = openUplink({ ...options, after: systemClock.after, random: systemRandom });
await uplink.first;
const streams = openJetStreams(uplink, PREFIX);
console.log(`nats-server ${server.version}, Node ${process.version}`);
const registry = openKvRegistry(uplink, bucketNameOf(PREFIX));
const { values } = parseArgs({ options: { facts: { type: 'string' } } });
const facts = values.facts === undefined ? undefined : Number(values.facts);
const kept = [
  await benchIntake(streams),
  await benchJournal(facts),
  await benchLatency(streams, registry),
  await benchKernel(),
];
await streams.close();
await uplink.close();
await server.stop();
process.exitCode = kept.every(Boolean) ? 0 : 1;
