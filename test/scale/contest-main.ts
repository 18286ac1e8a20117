/**
 * `npm run contest -- --hosts 200 --uuids 1000 --contenders 5`: hosts that declare the same UUIDs at once, on one
 * server and on three replicas.
 */
import { parseArgs } from 'node:util';
import { Contest, type ContestResult } from './contest.ts';
import { type Replicas, startFleetServer } from './fleet-server.ts';

const SETTLE_MS_MAX = 300_000;

const { values } = parseArgs({
  options: {
    hosts: { type: 'string', default: '200' },
    uuids: { type: 'string', default: '1000' },
    contenders: { type: 'string', default: '5' },
  },
});
const hosts = Number(values.hosts);

for (const replicas of [1, 3] as const) await contestOn(replicas);

async function contestOn(replicas: Replicas): Promise<void> {
  const server = await startFleetServer(replicas);
  const contest = await Contest.open(server.urls, hosts);
  console.log(`${hosts} hosts on ${replicas} replica(s), nats-server ${server.servers[0]?.version}`);
  const rounds = [
    { uuids: 1, contenders: hosts },
    { uuids: Number(values.uuids), contenders: Number(values.contenders) },
  ];
  for (const round of rounds) print(round, await contest.run({ ...round, settleMsMax: SETTLE_MS_MAX }));
  await contest.close();
  await server.stop();
}

function print({ uuids }: { readonly uuids: number }, result: ContestResult): void {
  const { declarations, conflicts, settledMs, inFlight } = result;
  const time = `${(settledMs / 1000).toFixed(1)} s`;
  console.log(
    `  ${uuids} UUID(s), ${declarations} declarations: ${uuids} holder(s), ${conflicts} conflicts,` +
      ` settled in ${time}; ${inFlight} writes met another in flight`,
  );
}
