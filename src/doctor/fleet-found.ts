/**
 * What is said of a fleet's server, streams and clock, given what was seen of them. Pure.
 */
import type { Difference } from '../../events/jetstream/init.ts';
import type { StreamLook, StreamSeen } from '../../events/jetstream/inspect.ts';
import { type Found, fault, ok, warning } from './finding.ts';

/** Clocks that differ by more make it hard to tell what came first on which host. */
const SKEW_MS_MAX = 2_000;

type Reached = {
  readonly servers: readonly string[];
  readonly tlsCa: string | null;
  readonly tlsCert: string | null;
};

/** Who on the way can read, and who can connect. On this machine nobody is on the way. */
export function secrecyFound(
  { servers, tlsCa, tlsCert }: Reached,
  isAuthRequired: boolean,
): readonly Found[] {
  const away = servers.filter((server) => !isLoopback(server));
  if (away.length === 0) return [];
  const found: Found[] = [];
  if (tlsCa === null && tlsCert === null && !servers.some((server) => server.startsWith('tls://')))
    found.push(
      warning(
        'the connection is not encrypted',
        'who is on the way can read what is declared, and declare',
        'set up TLS on the server, and name it as tls://HOST:PORT',
      ),
    );
  if (!isAuthRequired)
    found.push(
      warning(
        'the server lets anybody in',
        'who can connect can declare devices on every host, and take UUIDs',
        'give the server accounts or users: docs/operations.md#secure',
      ),
    );
  return found;
}

function isLoopback(server: string): boolean {
  const { hostname } = new URL(server.includes('://') ? server : `nats://${server}`);
  return hostname === 'localhost' || hostname === '[::1]' || hostname.startsWith('127.');
}

export function streamFound(look: StreamLook, isCluster: boolean): readonly Found[] {
  const { stream } = look;
  switch (look.kind) {
    case 'missing':
      return [
        fault(
          `${stream} is missing, though others are there`,
          'what was in it is lost, or init was not finished',
          '`mdevfleet init`, and then docs/operations.md#lose-the-server',
        ),
      ];
    case 'unknown':
      return [
        warning(
          look.cause.message,
          'how the stream is set is not known',
          `let this user ask $JS.API.STREAM.INFO.${stream}, or run this as one who may`,
        ),
      ];
    case 'seen':
      return seenFound(look, isCluster);
    default:
      return look satisfies never;
  }
}

function seenFound(look: StreamSeen, isCluster: boolean): readonly Found[] {
  const { stream, messages, replicas, offline } = look;
  const found: Found[] = look.differences.map((one) => differs(stream, one));
  if (offline.length > 0)
    found.push(
      warning(
        `${stream}: its copies on ${offline.join(', ')} are away or behind`,
        'one more server that goes, and nothing can be declared or taken',
        'bring these servers back',
      ),
    );
  if (isCluster && replicas === 1)
    found.push(
      warning(
        `${stream} is kept on one server of the cluster`,
        'it is away whenever that server is, and lost with its disk',
        '`mdevfleet init --replicas 3`',
      ),
    );
  if (found.length > 0) return found;
  const copies = replicas === 1 ? '1 copy' : `${replicas} copies`;
  return [ok(`${stream}: as init makes it, ${messages} messages, ${copies}`)];
}

function differs(stream: string, { setting, wanted, found }: Difference): Found {
  const text = (value: unknown): string => JSON.stringify(value) ?? 'nothing';
  return fault(
    `${stream}: ${setting} is ${text(found)}, not ${text(wanted)}`,
    'the stream may lose what it has acknowledged, or hosts may not hear of it',
    '`mdevfleet init` sets it; if it does not stay, see who else changes it',
  );
}

/** What an account has stored, and may; -1 for as much as there is. */
type Stored = { readonly storage: number; readonly limits: { readonly max_storage: number } };

/** Share of what an account may store above which somebody should be told. */
const STORED_SHARE_MAX = 0.8;

export function storedFound({ storage, limits }: Stored): readonly Found[] {
  const { max_storage: most } = limits;
  if (most <= 0 || storage < most * STORED_SHARE_MAX) return [];
  const percent = Math.floor((100 * storage) / most);
  return [
    warning(
      `${percent} % of what this account may store on the server is used`,
      'once it is full nothing can be declared, and hosts keep to themselves what they do',
      "raise the account's max_file on the server",
    ),
  ];
}

type Asked = { readonly before: number; readonly after: number };

/** Times in milliseconds; the server's answer was made at some moment in between. */
export function clocksFound(serverMs: number, { before, after }: Asked): Found {
  const skewMs = serverMs < before ? serverMs - before : Math.max(0, serverMs - after);
  if (Math.abs(skewMs) <= SKEW_MS_MAX) return ok('this machine and the server agree about the time');
  const seconds = Math.round(Math.abs(skewMs) / 1000);
  return warning(
    `the server's clock is ${seconds} s ${skewMs > 0 ? 'ahead of' : 'behind'} this one`,
    'records of hosts cannot be put in order of time; nothing else goes by the clock',
    '`timedatectl set-ntp true` on the machine that is wrong',
  );
}
