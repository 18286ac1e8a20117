/**
 * What hosts last reported of each device: the rows in the last fact about it.
 *
 * A message that this program cannot read is a report without rows: it hides nothing else.
 */
import type { HostId, Uuid } from '../../events/names.ts';
import { rowsQuickly } from '../../events/record-quick.ts';
import type { Row } from '../../events/row.ts';
import type { Message, Stream } from '../../events/stream.ts';
import { parseSubject } from '../../events/subject.ts';

/** The word of a host on one device; of no rows, there is no such device. */
export type Report = {
  readonly host: HostId;
  readonly uuid: Uuid;
  readonly sequence: number;
  readonly rows: readonly Row[];
};

/** The last report on each device. Throws StreamUnavailable. */
export async function readReports(
  observed: Stream,
  prefix: string,
  filter: string | readonly string[],
): Promise<readonly Report[]> {
  const reports: Report[] = [];
  for await (const message of observed.lastPerSubject(filter)) {
    const report = reportIn(prefix, message);
    if (report !== null) reports.push(report);
  }
  return reports;
}

/** Null for what is about no device. */
export function reportIn(prefix: string, { sequence, subject, data }: Message): Report | null {
  const about = parseSubject(prefix, subject);
  if (!about?.host || about.uuid === null) return null;
  return { host: about.host, uuid: about.uuid, sequence, rows: rowsIn(data) };
}

function rowsIn(data: Uint8Array): readonly Row[] {
  try {
    return rowsQuickly(data);
  } catch {
    return [];
  }
}
