/**
 * Settings: from flags, else the environment, else a configuration file, else a default.
 *
 * One table says what there is; flags, variables and keys of the file are derived from it. A wrong
 * value is told with the source it came from, and all wrong values are told at once.
 */

import { readFileSync, statSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { parse } from 'yaml';
import { z } from 'zod';
import type { Labels } from '../events/declaration.ts';
import type { NatsOptions } from '../events/jetstream/connection.ts';
import { messageOf } from '../events/message-of.ts';
import type { HostId } from '../events/names.ts';
import { DEFAULT_PREFIX } from '../events/subject.ts';
import { Failure } from './exit.ts';
import { type Limits, limitSchemas } from './limits.ts';
import { flagOf, OPTIONS, type OptionName, type OptionSpec, type Options, variableOf } from './options.ts';
import type { Listen } from './telemetry/listen.ts';

/** Most bytes in a configuration file. */
const CONFIG_BYTES_MAX = 1024 * 1024;

/** What was set, and the limits with their defaults. */
export type Settings = Options & { readonly limits: Limits };

/** Where the fleet's streams and registry are: a NATS server, or a folder of this machine. */
export type FleetAddress =
  | ({ readonly kind: 'nats'; readonly prefix: string } & Omit<NatsOptions, 'name'>)
  | { readonly kind: 'embedded'; readonly data: string; readonly prefix: string; readonly pollMs: number };

/** Whose devices an agent looks after: a kernel's, or those of a simulated one; `socket` is null inside the agent. */
export type KernelAddress =
  | { readonly kind: 'sysfs'; readonly root: string }
  | { readonly kind: 'simulated'; readonly socket: string | null };

/** All that an agent is told. Its journal is in `data`/hosts/`host`. */
export type AgentConfig = {
  readonly host: HostId;
  readonly data: string;
  readonly fleet: FleetAddress;
  readonly kernel: KernelAddress;
  readonly labels: Labels;
  /** Folder of callout scripts; null if none are run. */
  readonly hooks: string | null;
  /** Where metrics and health are served; null for nowhere. */
  readonly listen: Listen | null;
  readonly limits: Limits;
};

/** Flags as parsed from the command line, by name; `config` names a file. */
export type Flags = Readonly<Record<string, unknown>>;
export type Env = Readonly<Record<string, string | undefined>>;

/** A value, and where it came from, as an error names it. */
type Sourced = { readonly value: unknown; readonly source: string };
type Values = Readonly<Record<string, unknown>>;

/** Reads the settings. Throws a Failure that lists every wrong value with its source. */
export function readSettings(flags: Flags, env: Env): Settings {
  const named = flags['config'] ?? nonEmpty(env['MDEVFLEET_CONFIG']);
  const file = typeof named === 'string' ? readConfigFile(named) : NO_FILE;
  const problems: string[] = [...file.problems];
  const checked = (name: string, schema: z.ZodType, given: Sourced | undefined) => {
    const parsed = schema.safeParse(given?.value);
    if (!parsed.success)
      problems.push(...parsed.error.issues.map((one) => `${given?.source}: ${one.message}`));
    return [name, parsed.data] as const;
  };
  const options = Object.entries(OPTIONS).flatMap(([name, { schema }]) => {
    const given = sourced(flags[name], flagOf(name)) ?? fromEnv(env, name) ?? file.option(name);
    return given === undefined ? [] : [checked(name, schema, given)];
  });
  const limits = Object.entries(limitSchemas).map(([name, schema]) =>
    checked(name, schema, fromEnv(env, `limits.${name}`) ?? file.limit(name)),
  );
  if (problems.length > 0) throw wrongSettings(problems);
  return { ...Object.fromEntries(options), limits: Object.fromEntries(limits) } as Settings;
}

function wrongSettings(problems: readonly string[]): Failure {
  const text = problems.length === 1 ? ` ${problems[0]}` : problems.map((one) => `\n  ${one}`).join('');
  const wayOut = 'correct what is named, or leave it out';
  return new Failure(`reading the settings:${text}`, { outcome: 'usage', wayOut });
}

/** The fleet that the settings mean. */
export function fleetAddress(settings: Settings): FleetAddress {
  const { nats, data, limits, prefix = DEFAULT_PREFIX } = settings;
  if (nats !== undefined) {
    const { creds = null, nkey = null, tlsCa = null, tlsCert = null, tlsKey = null } = settings;
    if (creds !== null && nkey !== null) throw contradiction('--creds and --nkey are both given', 'keep one');
    if ((tlsCert === null) !== (tlsKey === null)) {
      throw contradiction('only one of --tls-cert and --tls-key is given', 'give both');
    }
    const timeoutMs = limits.natsTimeoutMs;
    return { kind: 'nats', servers: nats, prefix, timeoutMs, creds, nkey, tlsCa, tlsCert, tlsKey };
  }
  if (data === undefined) {
    throw contradiction(
      'neither a server nor a folder is given',
      'give --nats URL, or --data DIR for the embedded stream of one machine',
    );
  }
  return { kind: 'embedded', data, prefix, pollMs: limits.embeddedPollMs };
}

/** The agent that the settings mean. */
export function agentConfig(settings: Settings): AgentConfig {
  const { sysfs, simulate = null, labels = {}, hooks = null, listen = null, limits } = settings;
  const host = required(settings, 'host');
  const data = required(settings, 'data');
  if (sysfs !== undefined && simulate !== null) {
    throw contradiction('--sysfs and --simulate are both given', 'keep one');
  }
  const kernel: KernelAddress =
    simulate === null
      ? { kind: 'sysfs', root: sysfs ?? '/sys' }
      : { kind: 'simulated', socket: simulate.socket };
  return { host, data, fleet: fleetAddress(settings), kernel, labels, hooks, listen, limits };
}

/** The folder of a host's journal. */
export function journalFolder(data: string, host: HostId): string {
  return join(journalsFolder(data), host);
}

/** The folder of all journals of this machine. */
export function journalsFolder(data: string): string {
  return join(data, 'hosts');
}

/** A setting that the verb cannot do without. */
export function required<K extends OptionName>(settings: Settings, name: K): NonNullable<Settings[K]> {
  const value = settings[name];
  if (value !== undefined && value !== null) return value;
  throw contradiction(`${flagOf(name)} is missing`, `give it, or set ${variableOf(name)}`);
}

function contradiction(what: string, wayOut: string): Failure {
  return new Failure(`reading the settings: ${what}`, { outcome: 'usage', wayOut });
}

function fromEnv(env: Env, name: string): Sourced | undefined {
  const variable = variableOf(name);
  return sourced(nonEmpty(env[variable]), variable);
}

/** Compose files pass variables that are not set as empty ones. */
function nonEmpty(value: string | undefined): string | undefined {
  return value === '' ? undefined : value;
}

function sourced(value: unknown, source: string): Sourced | undefined {
  return value === undefined ? undefined : { value, source };
}

type ConfigFile = {
  option(name: string): Sourced | undefined;
  limit(name: string): Sourced | undefined;
  readonly problems: readonly string[];
};

const NO_FILE: ConfigFile = { option: () => undefined, limit: () => undefined, problems: [] };

const mapping = z.record(z.string(), z.unknown(), 'expected keys and values');
const configFile = z.looseObject({ limits: mapping.default({}) }, 'expected keys and values');

function readConfigFile(file: string): ConfigFile {
  const parsed = configFile.safeParse(parseYaml(file) ?? {});
  if (!parsed.success) {
    throw wrongSettings(parsed.error.issues.map((one) => [file, ...one.path, one.message].join(': ')));
  }
  const { limits, ...options } = parsed.data;
  return {
    option: (name) => sourced(fromFolder(file, name, options), `${file}: ${name}`),
    limit: (name) => sourced(limits[name], `${file}: limits.${name}`),
    problems: [
      ...unknownKeys(options, OPTIONS).map((key) => `${file}: there is no setting ${key}`),
      ...unknownKeys(limits, limitSchemas).map((key) => `${file}: there is no limit ${key}`),
    ],
  };
}

function unknownKeys(values: Values, known: object): string[] {
  return Object.keys(values).filter((key) => !Object.hasOwn(known, key));
}

/** The value; a relative path is made to begin at the file's folder. */
function fromFolder(file: string, name: string, values: Values): unknown {
  const value = values[name];
  const spec: OptionSpec | undefined = Object.entries(OPTIONS).find(([key]) => key === name)?.[1];
  const isPath = spec?.path === true && typeof value === 'string' && value !== '';
  return isPath ? resolve(dirname(file), value) : value;
}

function parseYaml(file: string): unknown {
  try {
    if (statSync(file).size > CONFIG_BYTES_MAX) throw new Error(`larger than ${CONFIG_BYTES_MAX} bytes`);
    return parse(readFileSync(file, 'utf8'), { prettyErrors: true });
  } catch (cause) {
    const reason = messageOf(cause);
    const wayOut = 'give --config or MDEVFLEET_CONFIG the path of a readable YAML or JSON file';
    throw new Failure(`reading the configuration file ${file}: ${reason}`, {
      outcome: 'usage',
      wayOut,
      cause,
    });
  }
}
