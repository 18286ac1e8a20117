/**
 * `replay --check`: a host's journal against its projections, and against the machine that it runs on.
 */
import type { Survey } from '../../reconciler/host.ts';
import { connectSimulatedHost } from '../../reconciler/simulated/host-sim-client.ts';
import { surveySysfs } from '../../reconciler/sysfs/read.ts';
import { required, type Settings } from '../config.ts';
import { Failure, type Outcome } from '../exit.ts';
import { type Difference, projectionDifferences, sysfsDifferences } from '../past/past-check.ts';
import { JournalSource } from '../past/source.ts';
import type { Opened } from './from.ts';
import type { Invocation } from './verb.ts';

const HEADER = ['UUID', 'DIFFERS', 'THE JOURNAL SAYS', 'FOUND'] as const;

export async function checkJournal(
  { settings, flags, out }: Invocation,
  { source }: Opened,
): Promise<Outcome> {
  if (!(source instanceof JournalSource)) {
    throw new Failure('reading the arguments: --check is about the journal and the devices of this machine', {
      outcome: 'usage',
      wayOut: 'add --from journal, --host and --data',
    });
  }
  const host = required(settings, 'host');
  const { folded, stored } = await source.foldedAndStored(host);
  if (folded.fault !== null) throw damaged(host, folded.fault);
  const projections = [...projectionDifferences(folded.devices, stored)];
  const survey = await surveyOf(settings);
  if (survey.kind === 'unreadable') throw unreadable(survey.message);
  const found = [...projections, ...sysfsDifferences(folded.devices, survey.devices)];
  const { seq, time } = folded;
  if (flags['json'] === true) out.json({ host, seq, time, differences: found });
  else if (found.length > 0) out.table(HEADER, found.map(cellsOf));
  else
    out.line(
      `host ${host}: projections and ${survey.devices.length} devices are as ${seq} records say, up to ${time}`,
    );
  if (projections.length > 0) throw damaged(host, 'its projections are not what its records fold to');
  return found.length > 0 ? 'changes' : 'ok';
}

function cellsOf({ uuid, what, journal, found }: Difference) {
  return [uuid, what, journal, found].map((text) => ({ text }));
}

async function surveyOf({ sysfs = '/sys', simulate }: Settings): Promise<Survey> {
  if (!simulate) return surveySysfs(sysfs);
  const { socket } = simulate;
  if (socket === null) {
    throw new Failure("reading the settings: a kernel inside an agent's process cannot be looked at", {
      outcome: 'usage',
      wayOut: 'give --simulate the socket of `mdevfleet kernel`',
    });
  }
  const host = await connectSimulatedHost({ socket });
  try {
    return await host.survey();
  } finally {
    await host.close();
  }
}

function unreadable(message: string): Failure {
  return new Failure(`looking at the devices of this machine: ${message}`, {
    outcome: 'host',
    wayOut: 'name the folder where sysfs is mounted with --sysfs',
  });
}

function damaged(host: string, what: string): Failure {
  return new Failure(`checking the journal of host ${host}: ${what}`, {
    outcome: 'damaged',
    wayOut: 'see what `mdevfleet verify` says of it',
  });
}
