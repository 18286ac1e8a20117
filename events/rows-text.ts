/**
 * Whether a JSON text is a list of rows, told without making a value of it.
 *
 * It knows rows in the one form in which they are written here. A text that it does not take may be a list of rows
 * all the same; one that it takes is.
 */
import { HOST_ID_CHARS_MAX, PATTERNS } from './names.ts';
import { terminalReason, waitingReason } from './reasons.ts';
import { deviceState, type Row } from './row.ts';

/** The inside of any JSON string. */
const TEXT = '(?:[^"\\\\\\x00-\\x1f]|\\\\["\\\\/bfnrt]|\\\\u[0-9a-f]{4})*';
/** A value of an attribute that is short enough for certain, in a character of up to three bytes each. */
const VALUE = '[^"\\\\\\x00-\\x1f]{0,1000}';
/** A whole number from 1 that is exact for certain. */
const COUNT = '[1-9][0-9]{0,14}';

const quoted = (pattern: string) => `"${pattern}"`;
const one = (names: readonly string[]) => quoted(`(?:${names.join('|')})`);
const nullable = (pattern: string) => `(?:null|${pattern})`;
const list = (pattern: string) => `\\[(?:${pattern}(?:,${pattern})*)?\\]`;
const object = (members: Readonly<Record<string, string>>) =>
  `\\{${Object.entries(members)
    .map(([name, pattern]) => `"${name}":${pattern}`)
    .join(',')}\\}`;

const attribute = object({ name: quoted(PATTERNS.attributeName), value: quoted(VALUE) });

/** In the order in which a row is written. */
const ROW: { readonly [K in keyof Row]: string } = {
  uuid: quoted(PATTERNS.uuid),
  host: `(?="[^"]{1,${HOST_ID_CHARS_MAX}}")${quoted(PATTERNS.hostId)}`,
  parent: quoted(PATTERNS.segment),
  type: quoted(PATTERNS.segment),
  state: one(deviceState.options),
  reason: nullable(one([...waitingReason.options, ...terminalReason.options])),
  message: nullable(quoted(TEXT)),
  generation: nullable(object({ epoch: COUNT, sequence: COUNT })),
  attributes: list(attribute),
  set: nullable(quoted(TEXT)),
};

const ROWS = new RegExp(`^${list(object(ROW))}$`);

/** True only for a list of rows. */
export function isRowsText(text: string): boolean {
  return ROWS.test(text);
}
