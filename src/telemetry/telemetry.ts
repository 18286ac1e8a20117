/**
 * An agent's metrics and health, and where they are served. The agent knows nothing of it: its ports are watched, and its
 * status is read.
 */
import { statfsSync, statSync } from 'node:fs';
import type { Cancel, Clock } from '../../reconciler/clock.ts';
import { dataFile } from '../../store/journal/journal-files.ts';
import type { AgentPorts, AgentStatus } from '../agent/agent.ts';
import { type Deadlines, standstillMsMax } from '../agent/standstill.ts';
import { type JournalSpace, refresh } from './gauges.ts';
import { health, readiness, type Verdict } from './health.ts';
import { createMetrics, type Metrics } from './metrics.ts';
import { Observations } from './observations.ts';
import { processMetrics } from './process-metrics.ts';
import { type Page, type Pages, text } from './server.ts';
import { watchedPorts } from './watcher.ts';

/** Between two looks at whether timers ring in time. */
const DELAY_LOOK_MS = 1_000;

export type TelemetryParts = {
  /** The agent's, as they were opened. */
  readonly ports: AgentPorts;
  readonly deadlines: Deadlines;
  /** Name and version of this program. */
  readonly software: string;
  readonly space: () => JournalSpace;
};

export class Telemetry {
  /** What the agent is given instead of its ports. */
  readonly ports: AgentPorts;
  readonly #parts: TelemetryParts;
  readonly #made = createMetrics();
  readonly #observations: Observations;
  readonly #ofProcess: () => void;
  #cancelDelay: Cancel = () => {};

  constructor(parts: TelemetryParts) {
    const { ports, software } = parts;
    const { metrics } = this.#made;
    this.#parts = parts;
    this.#observations = new Observations(metrics, ports.journal, ports.clock);
    this.ports = watchedPorts(ports, this.#observations);
    this.#ofProcess = processMetrics(metrics, Date.parse(ports.clock.wall()));
    metrics.buildInfo.set({ version: software.split(' ').at(-1) ?? software, node: process.version }, 1);
  }

  /** Begins to look whether timers ring in time, until it is stopped. */
  start(): void {
    this.#cancelDelay = watchDelay(this.#parts.ports.clock, this.#made.metrics);
  }

  stop(): void {
    this.#cancelDelay();
  }

  /** What is served about an agent with this status. */
  pages(status: () => AgentStatus): Pages {
    return {
      '/metrics': () => this.#scrape(status()),
      '/healthz': () => page(this.#health(status())),
      '/readyz': () => page(this.#readiness(status())),
    };
  }

  async #scrape(status: AgentStatus): Promise<Page> {
    const { metrics, registry } = this.#made;
    const { ports, space } = this.#parts;
    const { journal, clock } = ports;
    const verdicts = { health: this.#health(status), readiness: this.#readiness(status) };
    const observations = this.#observations;
    refresh(metrics, { journal, clock, observations, status, ...verdicts, space: space() });
    this.#ofProcess();
    return { status: 200, type: registry.contentType, body: await registry.metrics() };
  }

  #health(status: AgentStatus): Verdict {
    return health(status, standstillMsMax(this.#parts.deadlines));
  }

  #readiness(status: AgentStatus): Verdict {
    return readiness(this.#observations.way, status);
  }
}

function page({ ok, text: line }: Verdict): Page {
  return text(ok ? 200 : 503, line);
}

/** Each look begins when the one before has ended, so that a loop that was blocked is seen once. */
function watchDelay(clock: Clock, { delay }: Metrics): Cancel {
  let cancel: Cancel = () => {};
  const look = (): void => {
    const dueMs = clock.monotonicMs() + DELAY_LOOK_MS;
    cancel = clock.after(DELAY_LOOK_MS, () => {
      delay.observe(Math.max(0, clock.monotonicMs() - dueMs) / 1000);
      look();
    });
  };
  look();
  return () => cancel();
}

/** What the journal in a folder takes of the disk, and what is left there. */
export function journalSpace(dir: string): JournalSpace {
  try {
    const { bavail, bsize } = statfsSync(dir);
    return { sizeBytes: statSync(dataFile(dir)).size, freeBytes: bavail * bsize };
  } catch {
    return { sizeBytes: Number.NaN, freeBytes: Number.NaN };
  }
}
