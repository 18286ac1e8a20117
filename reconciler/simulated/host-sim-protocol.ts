/**
 * What is said over the socket of a simulated kernel: one JSON object a line, either way.
 *
 * Requests are numbered by the client and may be answered out of order. `act` requests are
 * for those who run the simulation, the others are the Host port.
 */

import type { Socket } from 'node:net';
import { createInterface } from 'node:readline';
import { z } from 'zod';
import { attribute, parentName, typeName, uuid } from '../../events/names.ts';
import type { Change, Observed, Stock, Survey, WriteResult } from '../host.ts';
import type { SimDevice, SimParent } from './kernel-sim-inventory.ts';

const place = z.strictObject({ parent: parentName, type: typeName });

/** What somebody else does to the machine, behind the back of its agent. */
export const act = z.discriminatedUnion('do', [
  z.strictObject({ do: z.literal('list') }),
  z.strictObject({ do: z.literal('create'), uuid, place }),
  z.strictObject({ do: z.literal('remove'), uuid }),
  z.strictObject({ do: z.literal('hold'), uuid }),
  z.strictObject({ do: z.literal('release'), uuid }),
  z.strictObject({ do: z.literal('unplug'), parent: parentName }),
  z.strictObject({ do: z.literal('plug'), parent: parentName }),
  z.strictObject({ do: z.literal('reboot') }),
]);

export const question = z.discriminatedUnion('call', [
  z.strictObject({ call: z.literal('hello') }),
  z.strictObject({
    call: z.literal('observe'),
    uuid,
    look: z.strictObject({
      place: place.nullable(),
      use: z.boolean(),
      taken: z.boolean().optional(),
      attributes: z.array(attribute.shape.name).readonly().optional(),
    }),
  }),
  z.strictObject({ call: z.literal('survey') }),
  z.strictObject({ call: z.literal('stock') }),
  z.strictObject({ call: z.literal('create'), uuid, place }),
  z.strictObject({ call: z.literal('remove'), uuid, place }),
  z.strictObject({ call: z.literal('setAttribute'), uuid, place, attribute }),
  z.strictObject({ call: z.literal('act'), act }),
]);

/** The outer form; what is in it is read by itself, so that a bad question gets an answer. */
export const request = z.strictObject({ id: z.int().min(0), question: z.unknown() });

export type Act = z.infer<typeof act>;
export type Question = z.infer<typeof question>;
export type Request = { readonly id: number; readonly question: Question };

/** All there is on the simulated machine. */
export type Listing = {
  readonly bootId: string;
  readonly parents: readonly SimParent[];
  readonly devices: readonly SimDevice[];
};

export type ActResult =
  | { readonly kind: 'done' }
  | { readonly kind: 'listing'; readonly listing: Listing }
  | Written;
type Written = Extract<WriteResult, { kind: 'ok' | 'errno' }>;

/** The answer to each question. */
export type Answers = {
  readonly hello: { readonly bootId: string };
  readonly observe: Observed;
  readonly survey: Survey;
  readonly stock: Stock;
  readonly create: WriteResult;
  readonly remove: WriteResult;
  readonly setAttribute: WriteResult;
  readonly act: ActResult;
};

/** What the server says. The client is of the same build, and believes it. */
export type Said =
  | { readonly id: number; readonly answer: Answers[Question['call']] }
  | { readonly id: number; readonly error: string }
  | { readonly change: Change };

export function say(socket: Socket, line: Said | Request): void {
  if (socket.writable) socket.write(`${JSON.stringify(line)}\n`);
}

/** Calls back for each JSON value that arrives; what is not JSON ends the connection. */
export function onJson(socket: Socket, heard: (value: unknown) => void): void {
  const lines = createInterface({ input: socket, crlfDelay: Number.POSITIVE_INFINITY });
  lines.on('error', () => socket.destroy());
  lines.on('line', (line) => {
    const value = fromJson(line);
    if (value === undefined) socket.destroy(new Error('what was said is not JSON'));
    else heard(value);
  });
}

function fromJson(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}
