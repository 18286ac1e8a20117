/**
 * Which version of a server is needed for what.
 */
import type { NatsConnection } from 'nats';

/** The least version of a server: older ones ignore settings that we rely on, in silence. */
export const SERVER_VERSION_MIN = '2.10.27';
/** From here on a server answers a direct get with a batch. */
export const BATCH_VERSION_MIN = '2.11.0';

/** The version of the server at the other end. */
export function serverVersion(connection: NatsConnection): string {
  return connection.info?.version ?? 'unknown';
}

/** True when the version is the least or a later one; what comes after its third number does not count. */
export function atLeast(version: string, least: string): boolean {
  const found = numbers(version);
  const wanted = numbers(least);
  const differs = found.findIndex((part, index) => part !== wanted[index]);
  if (differs === -1) return found.length > 0;
  return (found[differs] ?? 0) > (wanted[differs] ?? 0);
}

function numbers(version: string): readonly number[] {
  return /^v?(\d+)\.(\d+)\.(\d+)/.exec(version)?.slice(1).map(Number) ?? [];
}
