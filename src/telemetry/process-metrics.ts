/**
 * What the process itself costs, under the names that every client library of Prometheus uses.
 */
import { readdirSync } from 'node:fs';
import type { Metrics } from './metrics.ts';

const MICROSECONDS = 1e6;

/** @param nowMs the wall clock */
export function processMetrics(metrics: Metrics, nowMs: number): () => void {
  const startedSeconds = nowMs / 1000 - process.uptime();
  let counted = 0;
  return () => {
    const { user, system } = process.cpuUsage();
    const cpu = (user + system) / MICROSECONDS;
    metrics.cpu.inc(cpu - counted);
    counted = cpu;
    metrics.started.set(startedSeconds);
    metrics.memory.set(process.memoryUsage.rss());
    metrics.descriptors.set(openDescriptors());
  };
}

/** NaN where /proc does not tell. */
function openDescriptors(): number {
  try {
    return readdirSync('/proc/self/fd').length;
  } catch {
    return Number.NaN;
  }
}
