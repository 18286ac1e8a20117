/**
 * The documents of a manifest without their lines, fast: a large manifest is right far more often than it is wrong.
 *
 * Whoever finds anything wrong with them reads the text again by the parser that knows lines, and goes by that one
 * alone. So this one may refuse what that one takes, and must not take anything for something else.
 */
import { CORE_SCHEMA, loadAll } from 'js-yaml';

/** A key of JSON, and what stands between it and its value. */
const JSON_KEYS = /"(?:[^"\\]|\\.)*"\s*:/g;
/** Directives may ask for another version of YAML; of blocks that tell their indentation parsers disagree. */
const UNCERTAIN = /^%|[|>][+-]?[1-9]/m;

/** The value of each document, or null where it needs a closer look. */
export function quickDocuments(text: string): readonly unknown[] | null {
  try {
    if (text.trimStart().startsWith('{')) return quickJson(text);
    return UNCERTAIN.test(text) ? null : loadAll(text, { schema: CORE_SCHEMA });
  } catch {
    return null;
  }
}

/** Of a key that is given twice JSON.parse keeps the last, so keys are counted. */
function quickJson(text: string): readonly unknown[] | null {
  const value: unknown = JSON.parse(text);
  return keysIn(value) === (text.match(JSON_KEYS)?.length ?? 0) ? [value] : null;
}

function keysIn(value: unknown): number {
  if (typeof value !== 'object' || value === null) return 0;
  const inner = Object.values(value).reduce<number>((sum, one) => sum + keysIn(one), 0);
  return Array.isArray(value) ? inner : inner + Object.keys(value).length;
}
