/**
 * The metrics of an agent: names, units, labels and meaning, by Prometheus' conventions.
 *
 * Every series is there from the start, at 0, so that a rate or an alert sees the first of something. What a label can be
 * is a closed list: never a UUID, a host or the text of an error. docs/metrics.md is written from here.
 */
import { Counter, Gauge, Histogram, Registry } from 'prom-client';
import { driftCause, facts } from '../../events/fact.ts';
import { terminalReason, waitingReason } from '../../events/reasons.ts';
import { deviceState } from '../../events/row.ts';
import { OPERATIONS } from '../../reconciler/errno.ts';

/** Why a pass is done again, beside the reasons to wait: the kernel, the registry or the journal asked for it. */
export const REQUEUED = 'Requeued';

/** `labels` has all values of each label; none where they are only known at the start. */
export type MetricSpec = {
  readonly type: 'counter' | 'gauge' | 'histogram';
  readonly name: string;
  readonly help: string;
  readonly labels?: Readonly<Record<string, readonly string[]>>;
  readonly buckets?: readonly number[];
};

const STREAMS = ['desired', 'command'];

export const METRICS = {
  buildInfo: {
    type: 'gauge',
    name: 'mdevfleet_build_info',
    help: 'Always 1; the versions of mdevfleet and of Node are labels.',
    labels: { version: [], node: [] },
  },
  healthy: {
    type: 'gauge',
    name: 'mdevfleet_healthy',
    help: '1 while /healthz answers 200.',
  },
  ready: {
    type: 'gauge',
    name: 'mdevfleet_ready',
    help: '1 while /readyz answers 200: declarations are heard, and were all read once.',
  },
  paused: {
    type: 'gauge',
    name: 'mdevfleet_paused',
    help: '1 while an operator has paused the host.',
  },
  rebuilding: {
    type: 'gauge',
    name: 'mdevfleet_registry_rebuilding',
    help: '1 while the registry takes no new UUID until an operator opens it, as far as this host has heard.',
  },
  devices: {
    type: 'gauge',
    name: 'mdevfleet_devices',
    help: 'Rows of `get devices` for this host, by state.',
    labels: { state: deviceState.options },
  },
  waiting: {
    type: 'gauge',
    name: 'mdevfleet_waiting_devices',
    help: 'Devices that wait, by the reason that is recorded.',
    labels: { reason: waitingReason.options },
  },
  terminal: {
    type: 'gauge',
    name: 'mdevfleet_terminal_devices',
    help: 'Declarations that are not carried out, by reason: a new one or a `retry` is needed.',
    labels: { reason: terminalReason.options },
  },
  readySeconds: {
    type: 'histogram',
    name: 'mdevfleet_declaration_ready_seconds',
    help: 'Time from the storage of a declaration at the stream until its device is as declared.',
    buckets: [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300],
  },
  queue: {
    type: 'gauge',
    name: 'mdevfleet_queue_devices',
    help: 'Devices whose turn it could be, that have a pass, or that are due later.',
    labels: { state: ['ready', 'running', 'delayed'] },
  },
  standstill: {
    type: 'gauge',
    name: 'mdevfleet_standstill_seconds',
    help: 'How long no pass has begun or ended though devices wait for one.',
  },
  passes: {
    type: 'counter',
    name: 'mdevfleet_passes_total',
    help: 'Passes, by how they ended; `failed` is a fault of the program.',
    labels: { end: ['settled', 'waiting', 'requeue', 'terminal', 'failed'] },
  },
  retries: {
    type: 'counter',
    name: 'mdevfleet_retries_total',
    help: `Passes after which another is due, by the reason to wait; ${REQUEUED} is one that usually passes at once.`,
    labels: { reason: [...waitingReason.options, REQUEUED] },
  },
  foundByResync: {
    type: 'counter',
    name: 'mdevfleet_found_by_resync_total',
    help: 'Devices of which only the periodic pass found that there was something to do.',
  },
  drifts: {
    type: 'counter',
    name: 'mdevfleet_drifts_total',
    help: 'Devices that were whole and are not any more, by cause.',
    labels: { cause: driftCause.options },
  },
  writes: {
    type: 'counter',
    name: 'mdevfleet_writes_total',
    help: 'Writes to sysfs, by what for and how they ended; `stuck` did not return within the deadline.',
    labels: { operation: OPERATIONS, result: ['ok', 'errno', 'in-use', 'no-attribute', 'stuck'] },
  },
  writeSeconds: {
    type: 'histogram',
    name: 'mdevfleet_write_duration_seconds',
    help: 'Time that writes to sysfs took; of a stuck one, until it was given up.',
    labels: { operation: OPERATIONS },
    buckets: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10],
  },
  eventsBehind: {
    type: 'gauge',
    name: 'mdevfleet_events_behind',
    help: 'Events that were announced to this host and that it has not taken yet.',
    labels: { stream: STREAMS },
  },
  streamRead: {
    type: 'gauge',
    name: 'mdevfleet_stream_read_timestamp_seconds',
    help: 'When the stream was last read with success, by the clock of this host; 0 before the first time.',
    labels: { stream: STREAMS },
  },
  rejected: {
    type: 'counter',
    name: 'mdevfleet_rejected_events_total',
    help: 'Events for this host that cannot be read, or lie.',
    labels: { stream: STREAMS },
  },
  unforwarded: {
    type: 'gauge',
    name: 'mdevfleet_unforwarded_facts',
    help: 'Facts that the stream has not acknowledged.',
  },
  forwardingLag: {
    type: 'gauge',
    name: 'mdevfleet_forwarding_lag_seconds',
    help: 'Age of the oldest fact that the stream has not acknowledged; 0 if there is none.',
  },
  facts: {
    type: 'counter',
    name: 'mdevfleet_facts_total',
    help: 'Facts that were recorded since the agent began, by kind.',
    labels: { kind: Object.keys(facts) },
  },
  appendFailures: {
    type: 'counter',
    name: 'mdevfleet_journal_append_failures_total',
    help: 'Times that the journal could not be written.',
  },
  records: {
    type: 'gauge',
    name: 'mdevfleet_journal_records',
    help: 'Number of the last record of the journal.',
  },
  journalSize: {
    type: 'gauge',
    name: 'mdevfleet_journal_size_bytes',
    help: 'Size of the journal’s file.',
  },
  diskFree: {
    type: 'gauge',
    name: 'mdevfleet_journal_disk_free_bytes',
    help: 'What is left for the journal on its file system.',
  },
  checkpoint: {
    type: 'gauge',
    name: 'mdevfleet_last_checkpoint_timestamp_seconds',
    help: 'When the end of the journal was last signed; 0 if it is not known to have been.',
  },
  unsigned: {
    type: 'gauge',
    name: 'mdevfleet_unsigned_records',
    help: 'Records after the last that was signed.',
  },
  delay: {
    type: 'histogram',
    name: 'mdevfleet_event_loop_delay_seconds',
    help: 'By how much a timer that rings each second was late.',
    buckets: [0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5],
  },
  started: {
    type: 'gauge',
    name: 'process_start_time_seconds',
    help: 'When the process was started.',
  },
  cpu: {
    type: 'counter',
    name: 'process_cpu_seconds_total',
    help: 'CPU time of the process, user and system, without its helpers.',
  },
  memory: {
    type: 'gauge',
    name: 'process_resident_memory_bytes',
    help: 'Memory of the process, without its helpers.',
  },
  descriptors: {
    type: 'gauge',
    name: 'process_open_fds',
    help: 'Open file descriptors of the process.',
  },
} as const satisfies Record<string, MetricSpec>;

type MetricOf<T extends MetricSpec['type']> = T extends 'counter'
  ? Counter
  : T extends 'gauge'
    ? Gauge
    : Histogram;

/** The metrics by the names of the table. */
export type Metrics = {
  readonly [K in keyof typeof METRICS]: MetricOf<(typeof METRICS)[K]['type']>;
};

/** All metrics, at 0, and the registry that prints them. */
export function createMetrics(): { readonly metrics: Metrics; readonly registry: Registry } {
  const registry = new Registry();
  const made = Object.entries(METRICS).map(([key, spec]) => [key, create(spec, registry)] as const);
  return { metrics: Object.fromEntries(made) as unknown as Metrics, registry };
}

function create({ type, name, help, labels = {}, buckets = [] }: MetricSpec, registry: Registry): unknown {
  const about = { name, help, labelNames: Object.keys(labels), registers: [registry] };
  const series = combinations(Object.entries(labels));
  switch (type) {
    case 'counter': {
      const counter = new Counter(about);
      for (const one of series) counter.inc(one, 0);
      return counter;
    }
    case 'gauge': {
      const gauge = new Gauge(about);
      for (const one of series) gauge.set(one, 0);
      return gauge;
    }
    case 'histogram': {
      const histogram = new Histogram({ ...about, buckets: [...buckets] });
      for (const one of series) histogram.zero(one);
      return histogram;
    }
    default:
      return type satisfies never;
  }
}

function combinations(labels: readonly (readonly [string, readonly string[]])[]): Record<string, string>[] {
  const [first, ...rest] = labels;
  if (first === undefined) return [{}];
  const [name, values] = first;
  return values.flatMap((value) => combinations(rest).map((others) => ({ [name]: value, ...others })));
}
