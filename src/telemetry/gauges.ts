/**
 * What is at hand and need not be counted: read when somebody asks for the metrics.
 */
import { decodeRecord } from '../../events/record.ts';
import type { Clock } from '../../reconciler/clock.ts';
import type { Journal } from '../../store/journal/journal.ts';
import type { AgentStatus } from '../agent/agent.ts';
import { countDevices } from './device-counts.ts';
import type { Verdict } from './health.ts';
import type { Metrics } from './metrics.ts';
import type { Observations } from './observations.ts';

/** How large the journal is, and how large it may still become, in bytes; NaN where that cannot be told. */
export type JournalSpace = { readonly sizeBytes: number; readonly freeBytes: number };

export type Sources = {
  readonly journal: Journal;
  readonly clock: Clock;
  readonly observations: Observations;
  readonly status: AgentStatus;
  readonly health: Verdict;
  readonly readiness: Verdict;
  readonly space: JournalSpace;
};

/** Sets every gauge of the agent to what is the case. */
export function refresh(metrics: Metrics, sources: Sources): void {
  refreshAgent(metrics, sources);
  refreshDevices(metrics, sources.journal);
  refreshStreams(metrics, sources);
  refreshJournal(metrics, sources);
}

function refreshAgent(metrics: Metrics, { journal, status, health, readiness }: Sources): void {
  const { paused, registry } = journal.positions();
  metrics.healthy.set(Number(health.ok));
  metrics.ready.set(Number(readiness.ok));
  metrics.paused.set(Number(paused !== null));
  metrics.rebuilding.set(Number(registry?.state === 'rebuilding'));
  metrics.standstill.set(status.standstillMs / 1000);
  for (const [state, count] of Object.entries(status.queue)) metrics.queue.set({ state }, count);
}

function refreshDevices(metrics: Metrics, journal: Journal): void {
  const { states, waiting, terminal } = countDevices(journal.devices());
  for (const [state, count] of states) metrics.devices.set({ state }, count);
  for (const [reason, count] of waiting) metrics.waiting.set({ reason }, count);
  for (const [reason, count] of terminal) metrics.terminal.set({ reason }, count);
}

function refreshStreams(metrics: Metrics, { journal, clock, observations, status }: Sources): void {
  for (const stream of ['desired', 'command'] as const) {
    metrics.eventsBehind.set({ stream }, observations.behind(stream));
  }
  metrics.unforwarded.set(status.backlog);
  const [oldest] = status.backlog === 0 ? [] : journal.read(journal.positions().forwarded, 1);
  const recordedMs = oldest && Date.parse(decodeRecord(oldest.bytes).envelope.time);
  metrics.forwardingLag.set(recordedMs === undefined ? 0 : secondsSince(recordedMs, clock));
}

function refreshJournal(metrics: Metrics, { journal, observations, space }: Sources): void {
  const { seq } = journal.tail();
  const { checkpoint } = observations;
  metrics.records.set(seq);
  metrics.journalSize.set(space.sizeBytes);
  metrics.diskFree.set(space.freeBytes);
  metrics.checkpoint.set((checkpoint?.timeMs ?? 0) / 1000);
  metrics.unsigned.set(seq - (checkpoint?.seq ?? 0));
}

function secondsSince(thenMs: number, clock: Clock): number {
  return Math.max(0, Date.parse(clock.wall()) - thenMs) / 1000;
}
