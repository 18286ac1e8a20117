/**
 * Where an agent's metrics and health are served: a port of this machine alone, unless an address is given with it.
 */
import { z } from 'zod';

/** `host` is an address or a name; `port` 0 takes one that is free. */
export type Listen = { readonly host: string; readonly port: number };

const LOOPBACK = '127.0.0.1';
const PORT_MAX = 65_535;
const EXPECTED =
  'expected a port, which is then served to this machine alone, or an address and a port: 0.0.0.0:9774';
/** A port, and before it perhaps an address; one of IPv6 stands in brackets. */
const FORM = /^(?:(?:\[(?<six>[0-9a-fA-F:.]+)\]|(?<host>[A-Za-z0-9._-]+)):)?(?<port>[0-9]{1,5})$/;

/** `9774`, `0.0.0.0:9774`, `[::]:9774`. */
export const listenAddress = z
  .union([z.number(), z.string()], EXPECTED)
  .transform((given, problems): Listen => {
    const { six, host, port } = FORM.exec(String(given))?.groups ?? {};
    if (port === undefined || Number(port) > PORT_MAX) problems.addIssue(EXPECTED);
    return { host: six ?? host ?? LOOPBACK, port: Number(port) };
  });
