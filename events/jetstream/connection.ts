/**
 * Connections to a NATS server: what the operator gave, one attempt, and why it failed.
 *
 * A connection, once made, is kept by the client library, which reconnects for ever with jitter.
 * A server that would ignore our settings, or has no JetStream, is refused here, by name.
 */
import { readFileSync } from 'node:fs';
import { isIP } from 'node:net';
import { checkServerIdentity } from 'node:tls';
import { jetstreamManager } from '@nats-io/jetstream';
import {
  type Authenticator,
  type ConnectionOptions,
  connect,
  credsAuthenticator,
  errors,
  type NatsConnection,
  nkeyAuthenticator,
  TimeoutError,
  tokenAuthenticator,
  usernamePasswordAuthenticator,
} from 'nats';
import { leavingNoSocket } from './attempt.ts';
import { isWithoutJetStream } from './nats-errors.ts';
import { atLeast, SERVER_VERSION_MIN, serverVersion } from './server-version.ts';

/** A reconnection waits this long, and up to RECONNECT_JITTER_MS longer, lest a fleet returns all at once. */
const RECONNECT_DELAY_MS = 250;
const RECONNECT_JITTER_MS = 2_000;
/** Unanswered pings after which a silent connection counts as lost, PING_INTERVAL_MS apart. */
const PINGS_OUT_MAX = 2;
const PING_INTERVAL_MS = 20_000;

/** Where the server is and how to be let in. Paths are of files; null when not given. */
export type NatsOptions = {
  /** `nats://` or `tls://` URLs; a user and password, or a token, may stand before an @. */
  readonly servers: readonly string[];
  /** Shown in the server's list of connections. */
  readonly name?: string;
  /** How long an attempt to connect, and each request, waits for the server. */
  readonly timeoutMs: number;
  readonly creds: string | null;
  readonly nkey: string | null;
  readonly tlsCa: string | null;
  readonly tlsCert: string | null;
  readonly tlsKey: string | null;
};

type TlsOptions = NonNullable<ConnectionOptions['tls']> & {
  readonly checkServerIdentity: typeof checkServerIdentity;
};

export type ConnectFailure = 'unreachable' | 'credentials' | 'tls' | 'no-jetstream' | 'too-old';

/** Why there is no connection; the message names the server and the way out. */
export class ConnectFailed extends Error {
  override readonly name = 'ConnectFailed';
  readonly reason: ConnectFailure;

  constructor(message: string, options: ErrorOptions & { readonly reason: ConnectFailure }) {
    super(message, options);
    this.reason = options.reason;
  }
}

/** Connects once. Throws ConnectFailed. */
export async function connectNats(options: NatsOptions): Promise<NatsConnection> {
  const where = serversShown(options.servers);
  const client = clientOptions(options);
  const connection = await leavingNoSocket(() => connect(client)).catch((cause: unknown) => {
    throw notConnected(where, cause);
  });
  try {
    requireVersion(connection, where);
    await requireJetStream(connection, where, options.timeoutMs);
    return connection;
  } catch (cause) {
    await connection.close();
    throw cause;
  }
}

/** The servers as they may be shown: without credentials. */
export function serversShown(servers: readonly string[]): string {
  return servers.map((server) => toUrl(server).host || server).join(', ');
}

function toUrl(server: string): URL {
  return new URL(server.includes('://') ? server : `nats://${server}`);
}

function clientOptions(options: NatsOptions): ConnectionOptions {
  const { servers, name, timeoutMs } = options;
  const authenticator = authenticators(options);
  const tls = tlsOptions(options);
  return {
    servers: servers.map((server) => toUrl(server).host),
    timeout: timeoutMs,
    maxReconnectAttempts: -1,
    ignoreAuthErrorAbort: true,
    reconnectTimeWait: RECONNECT_DELAY_MS,
    reconnectJitter: RECONNECT_JITTER_MS,
    reconnectJitterTLS: RECONNECT_JITTER_MS,
    pingInterval: PING_INTERVAL_MS,
    maxPingOut: PINGS_OUT_MAX,
    noAsyncTraces: true,
    ...(name === undefined ? {} : { name }),
    ...(authenticator.length === 0 ? {} : { authenticator }),
    ...(tls === undefined ? {} : { tls }),
  };
}

function authenticators({ servers, creds, nkey }: NatsOptions): Authenticator[] {
  const found: Authenticator[] = [];
  if (creds !== null) found.push(named(creds, credsAuthenticator(rereadable(creds))));
  if (nkey !== null) found.push(named(nkey, nkeyAuthenticator(rereadable(nkey, trimmed))));
  const url = servers.map(toUrl).find(({ username }) => username !== '');
  if (url === undefined) return found;
  const user = decodeURIComponent(url.username);
  const password = decodeURIComponent(url.password);
  const tokenOnly = url.password === '';
  return [...found, tokenOnly ? tokenAuthenticator(user) : usernamePasswordAuthenticator(user, password)];
}

/** What is in a file may be no credentials at all; then it is named. */
function named(path: string, authenticator: Authenticator): Authenticator {
  return (nonce) => {
    try {
      return authenticator(nonce);
    } catch (cause) {
      const message = `using the credentials in ${path}: give a file made for this purpose`;
      throw new ConnectFailed(message, { reason: 'credentials', cause });
    }
  };
}

/** A file of secrets, read again at each attempt so that it may be renewed; should it be gone, as it was last. */
function rereadable(path: string, change = (data: Uint8Array) => data): () => Uint8Array {
  const read = () => change(readFileSync(path));
  let last: Uint8Array;
  try {
    last = read();
  } catch (cause) {
    throw new ConnectFailed(`reading ${path}: give the path of a readable file`, {
      reason: 'credentials',
      cause,
    });
  }
  return () => {
    try {
      last = read();
    } catch {
      // Without the file, what it last held is still the best answer.
    }
    return last;
  };
}

function trimmed(data: Uint8Array): Uint8Array {
  return new TextEncoder().encode(new TextDecoder().decode(data).trim());
}

function tlsOptions({ servers, tlsCa, tlsCert, tlsKey }: NatsOptions): TlsOptions | undefined {
  const wanted = servers.some((server) => toUrl(server).protocol === 'tls:');
  if (!wanted && tlsCa === null && tlsCert === null && tlsKey === null) return undefined;
  return {
    ...(tlsCa === null ? {} : { caFile: tlsCa }),
    ...(tlsCert === null ? {} : { certFile: tlsCert }),
    ...(tlsKey === null ? {} : { keyFile: tlsKey }),
    checkServerIdentity: identityOf(servers),
  };
}

/** The client library has an address checked as if it were `localhost`; it must be one of those given. */
function identityOf(servers: readonly string[]): typeof checkServerIdentity {
  const addresses = servers.map((server) => toUrl(server).hostname.replace(/^\[(.*)\]$/, '$1')).filter(isIP);
  return (host, certificate) => {
    const mismatch = checkServerIdentity(host, certificate);
    if (host !== 'localhost') return mismatch;
    const fits = addresses.some((address) => checkServerIdentity(address, certificate) === undefined);
    return fits ? undefined : mismatch;
  };
}

function notConnected(where: string, cause: unknown): ConnectFailed {
  if (cause instanceof ConnectFailed) return cause;
  const refused =
    cause instanceof errors.AuthorizationError || cause instanceof errors.UserAuthenticationExpiredError;
  if (refused) {
    const hint = 'check the credentials, the key, or the user and password that were given';
    const message = `the NATS server at ${where} refused who we are: ${hint}`;
    return new ConnectFailed(message, { reason: 'credentials', cause });
  }
  if (isTls(cause)) {
    const hint = 'check the certificates given, and that both sides use TLS';
    return new ConnectFailed(`no TLS with the NATS server at ${where}: ${hint}`, { reason: 'tls', cause });
  }
  const hint = hintFor(cause);
  return new ConnectFailed(`no NATS server answers at ${where}: ${hint}`, { reason: 'unreachable', cause });
}

/** A server that wants a certificate, and is shown none, just leaves; the client library waits on. */
function hintFor(cause: unknown): string {
  const basic = 'check the address, and that the server is running';
  return cause instanceof TimeoutError ? `${basic}; or it wants a certificate that was not given` : basic;
}

/** OpenSSL's and node:tls's own errors; the files that were named; a server without TLS. */
function isTls(cause: unknown): boolean {
  if (!(cause instanceof Error)) return false;
  const code = 'code' in cause ? String(cause.code) : '';
  return /CERT|TLS|SSL|SIGNATURE|EPROTO/.test(code) || /tls|certificate|doesn't exist/i.test(cause.message);
}

function requireVersion(connection: NatsConnection, where: string): void {
  const found = serverVersion(connection);
  if (atLeast(found, SERVER_VERSION_MIN)) return;
  const message = `the NATS server at ${where} is ${found}: upgrade it to ${SERVER_VERSION_MIN} or later`;
  throw new ConnectFailed(message, { reason: 'too-old' });
}

/** Any other failure than "not there" says nothing: this user may not be allowed to ask. */
async function requireJetStream(connection: NatsConnection, where: string, timeout: number): Promise<void> {
  await jetstreamManager(connection, { timeout }).catch((cause: unknown) => {
    if (!isWithoutJetStream(cause)) return;
    const hint = 'start it with JetStream enabled, for this account too';
    const message = `the NATS server at ${where} has no JetStream: ${hint}`;
    throw new ConnectFailed(message, { reason: 'no-jetstream', cause });
  });
}
