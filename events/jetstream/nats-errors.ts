/**
 * What an error of the NATS client means to whoever reads or writes a stream.
 *
 * The client wraps errors in one another, so the whole chain of causes is looked at.
 */

import { JetStreamApiCodes, JetStreamApiError } from '@nats-io/jetstream';
import { NoRespondersError, PermissionViolationError } from 'nats';
import { messageOf } from '../message-of.ts';
import { StreamForbidden, StreamMissing, StreamUnavailable } from '../stream.ts';

/** "JetStream not enabled", of a server or for an account. */
const NOT_ENABLED: readonly number[] = [10039, 10076];

/** The error itself, then its cause, and so on. */
function* chain(error: unknown): Generator<unknown> {
  for (let one = error; one !== undefined; one = one instanceof Error ? one.cause : undefined) yield one;
}

/** The code of JetStream's answer, when there was an answer. */
export function apiCode(error: unknown): number | undefined {
  for (const one of chain(error)) if (one instanceof JetStreamApiError) return one.code;
  return undefined;
}

/** True when nobody on the server's side listened to the request. */
export function isUnheard(error: unknown): boolean {
  for (const one of chain(error)) if (one instanceof NoRespondersError) return true;
  return false;
}

/** True when the server, or the account, has no JetStream. */
export function isWithoutJetStream(error: unknown): boolean {
  const code = apiCode(error);
  return code === undefined ? isUnheard(error) : NOT_ENABLED.includes(code);
}

/** True when the server has refused an answer to somebody else's request. */
export function isAnswerRefused(error: unknown): boolean {
  return (
    error instanceof PermissionViolationError &&
    error.operation === 'publish' &&
    error.subject.startsWith('_INBOX.')
  );
}

/** The error that a failed operation on a stream is reported as. */
export function streamError(operation: string, stream: string, cause: unknown): StreamUnavailable {
  if (cause instanceof StreamUnavailable) return cause;
  for (const one of chain(cause)) {
    if (!(one instanceof PermissionViolationError)) continue;
    const verb = one.operation === 'publish' ? 'publish to' : 'subscribe to';
    const hint = `this user may not ${verb} ${one.subject}; grant it in the server's permissions`;
    return new StreamForbidden(`${operation} ${stream}: ${hint}`, { cause });
  }
  if (apiCode(cause) === JetStreamApiCodes.StreamNotFound) {
    const hint = 'there is no such stream on this server; run mdevfleet init';
    return new StreamMissing(`${operation} ${stream}: ${hint}`, { cause });
  }
  if (isWithoutJetStream(cause)) {
    return new StreamUnavailable(`${operation} ${stream}: nobody answers for JetStream`, { cause });
  }
  const reason = messageOf(cause);
  return new StreamUnavailable(`${operation} ${stream}: ${reason}`, { cause });
}
