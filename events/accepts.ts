/**
 * A schema as a plain predicate, for reading millions of values that were checked when they were written.
 *
 * Answers as the schema itself does, for values that JSON.parse gave, but makes no copy and no list of what is
 * wrong. What it does not know in a schema it leaves to the schema.
 */
import type { z } from 'zod';

export type Accepts = (value: unknown) => boolean;

type Schema = z.core.$ZodType;
type Def = z.core.$ZodTypes['_zod']['def'];
type Check = z.core.$ZodCheck;

/** Compiles a schema; do it once. */
export function accepts(schema: Schema): Accepts {
  const { def } = (schema as z.core.$ZodTypes)._zod;
  return compile(def) ?? ((value) => (schema as z.ZodType).safeParse(value).success);
}

/** Undefined for a schema in which something is not known here. */
function compile(def: Def): Accepts | undefined {
  switch (def.type) {
    case 'string':
      return 'format' in def ? undefined : checked((value) => typeof value === 'string', def.checks);
    case 'number':
      return 'format' in def && def.format === 'safeint'
        ? checked(Number.isSafeInteger, def.checks)
        : undefined;
    default:
      return def.checks === undefined || def.checks.length === 0 ? unchecked(def) : undefined;
  }
}

function unchecked(def: Def): Accepts | undefined {
  switch (def.type) {
    case 'literal':
      return (value) => (def.values as unknown[]).includes(value);
    case 'enum': {
      const names = new Set<unknown>(Object.values(def.entries));
      return (value) => names.has(value);
    }
    case 'nullable': {
      const inner = accepts(def.innerType);
      return (value) => value === null || inner(value);
    }
    case 'union': {
      const options = def.options.map(accepts);
      return (value) => options.some((one) => one(value));
    }
    case 'array': {
      const element = accepts(def.element);
      return (value) => Array.isArray(value) && value.every(element);
    }
    case 'record':
      return recordOf(accepts(def.keyType), accepts(def.valueType));
    case 'object':
      return isNever(def.catchall) ? strictObject(def.shape) : undefined;
    default:
      return undefined;
  }
}

function isNever(catchall: Schema | undefined): boolean {
  return (catchall as z.core.$ZodTypes | undefined)?._zod.def.type === 'never';
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function recordOf(key: Accepts, element: Accepts): Accepts {
  return (value) => {
    if (!isObject(value)) return false;
    for (const name in value) if (!key(name) || !element(value[name])) return false;
    return true;
  };
}

function strictObject(shape: Readonly<Record<string, Schema>>): Accepts {
  const members = new Map(Object.entries(shape).map(([name, schema]) => [name, memberOf(schema)]));
  const required = [...members.values()].filter((one) => !one.optional).length;
  return (value) => {
    if (!isObject(value)) return false;
    let missing = required;
    for (const name in value) {
      const member = members.get(name);
      if (member?.accepts(value[name]) !== true) return false;
      if (!member.optional) missing -= 1;
    }
    return missing === 0;
  };
}

function memberOf(schema: Schema): { readonly accepts: Accepts; readonly optional: boolean } {
  const { def } = (schema as z.core.$ZodTypes)._zod;
  if (def.type !== 'optional') return { accepts: accepts(schema), optional: false };
  return { accepts: accepts(def.innerType), optional: true };
}

/** The type, then each check. */
function checked(isType: Accepts, checks: readonly Check[] = []): Accepts | undefined {
  const tests = checks.map(testOf);
  if (tests.includes(undefined)) return undefined;
  const all = tests as Accepts[];
  return all.reduce((before, test) => (value) => before(value) && test(value), isType);
}

function testOf(check: Check): Accepts | undefined {
  const { def } = (check as z.core.$ZodChecks)._zod;
  switch (def.check) {
    case 'max_length':
      return (value) => (value as string).length <= def.maximum;
    case 'min_length':
      return (value) => (value as string).length >= def.minimum;
    case 'greater_than': {
      const least = Number(def.value);
      return def.inclusive ? (value) => (value as number) >= least : (value) => (value as number) > least;
    }
    case 'string_format': {
      const { pattern } = def;
      return pattern === undefined || pattern.global || pattern.sticky
        ? undefined
        : (value) => pattern.test(value as string);
    }
    default:
      return undefined;
  }
}
