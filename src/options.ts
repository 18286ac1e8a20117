/**
 * The table of settings: what there is, what is accepted, and how the help calls it.
 *
 * Flags, variables and keys of a configuration file are derived from the names here.
 */
import { z } from 'zod';
import { labels as labelsSchema } from '../events/declaration.ts';
import { hostId } from '../events/names.ts';
import { DEFAULT_PREFIX } from '../events/subject.ts';
import { listenAddress } from './telemetry/listen.ts';

const LOG_LEVELS = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'] as const;

const PREFIX = /^[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*$/;
const SCHEMES: readonly string[] = ['nats:', 'tls:'];

const path = z.string().min(1);

const servers = z
  .string()
  .transform((list) => list.split(',').map((one) => one.trim()))
  .pipe(
    z
      .array(
        z
          .string()
          .refine(
            isServer,
            'a server is nats://host:port or tls://host:port; several are separated by commas',
          ),
      )
      .min(1),
  );

function isServer(text: string): boolean {
  const url = text.includes('://') ? text : `nats://${text}`;
  if (!URL.canParse(url)) return false;
  const { protocol, hostname } = new URL(url);
  return SCHEMES.includes(protocol) && hostname !== '';
}

/** True alone means inside the agent's own process; a path is the socket of `mdevfleet kernel`. */
const simulate = z
  .union([z.boolean(), z.string().min(1)], 'true, or the path of a socket')
  .transform((given) => {
    if (given === true || given === 'true' || given === '1') return { socket: null };
    if (given === false || given === 'false' || given === '0') return null;
    return { socket: given };
  });

/** `gpu=true,rack=a1`, or keys and values in a configuration file. */
const labels = z
  .union(
    [z.string().transform(labelsIn), z.record(z.string(), z.string())],
    'labels are key=value, several are separated by commas',
  )
  .pipe(labelsSchema);

function labelsIn(text: string, problems: z.RefinementCtx): Record<string, string> {
  const pairs = text.split(',').filter((pair) => pair.trim() !== '');
  return Object.fromEntries(
    pairs.map((pair) => {
      const [key = '', ...value] = pair.trim().split('=');
      if (value.length === 0)
        problems.addIssue(`a label is key=value, several are separated by commas: ${pair}`);
      return [key, value.join('=')];
    }),
  );
}

export type OptionSpec = {
  readonly schema: z.ZodType;
  /** How the value is called in the help; a bracketed one may be left out. */
  readonly value: string;
  /** True when a relative path in a configuration file is meant from that file's folder. */
  readonly path?: true;
  readonly about: string;
};

/** All settings but the limits. `tlsCa` is --tls-ca, MDEVFLEET_TLS_CA, and `tlsCa` in a file. */
export const OPTIONS = {
  host: { schema: hostId, value: '<id>', about: 'id of the host' },
  data: { schema: path, value: '<dir>', path: true, about: 'folder of journals and of the embedded stream' },
  nats: { schema: servers, value: '<url>', about: 'NATS server; several are separated by commas' },
  creds: { schema: path, value: '<file>', path: true, about: 'NATS credentials' },
  nkey: { schema: path, value: '<file>', path: true, about: 'NATS NKey seed' },
  tlsCa: { schema: path, value: '<file>', path: true, about: 'certificates to check the server against' },
  tlsCert: { schema: path, value: '<file>', path: true, about: 'certificate to show to the server' },
  tlsKey: { schema: path, value: '<file>', path: true, about: 'key of that certificate' },
  prefix: {
    schema: z.string().regex(PREFIX, 'a prefix has letters, digits, _ and -, in words separated by dots'),
    value: '<name>',
    about: `first part of all subjects (default: ${DEFAULT_PREFIX})`,
  },
  sysfs: { schema: path, value: '<root>', path: true, about: 'where sysfs is mounted (default: /sys)' },
  simulate: {
    schema: simulate,
    value: '[socket]',
    path: true,
    about: 'a simulated kernel instead of sysfs, in the agent or behind the socket of `mdevfleet kernel`',
  },
  labels: {
    schema: labels,
    value: '<key=value>',
    about: 'labels by which pools choose this host; several are separated by commas',
  },
  hooks: {
    schema: path,
    value: '<dir>',
    path: true,
    about: 'folder of callout scripts that are asked before a device is made or removed (default: none)',
  },
  listen: {
    schema: listenAddress,
    value: '<[address:]port>',
    about: 'serve metrics and health there, on 127.0.0.1 if no address is given (default: nowhere)',
  },
  logLevel: {
    schema: z.enum(LOG_LEVELS),
    value: '<level>',
    about: `least level to log: ${LOG_LEVELS.join(', ')} (default: info)`,
  },
} as const satisfies Record<string, OptionSpec>;

export type OptionName = keyof typeof OPTIONS;

/** What was set. */
export type Options = { readonly [K in OptionName]?: z.infer<(typeof OPTIONS)[K]['schema']> };

/** `tlsCa` → `--tls-ca` */
export function flagOf(name: string): string {
  return `--${name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
}

/** `tlsCa` → `MDEVFLEET_TLS_CA`, `limits.resyncMs` → `MDEVFLEET_LIMITS_RESYNC_MS` */
export function variableOf(name: string): string {
  const words = name.replaceAll('.', '_').replace(/[A-Z]/g, (letter) => `_${letter}`);
  return `MDEVFLEET_${words.toUpperCase()}`;
}
