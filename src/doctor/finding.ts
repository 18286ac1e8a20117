/**
 * What the doctor found: one thing about the machine or its fleet, how bad it is, what it means, and its cure.
 *
 * A finding that is not ok says what it means; where something can be done about it, the cure says what, as a command
 * where there is one.
 */

/** `note`: to be known; `warning`: something will go wrong or is missing; `fault`: the agent cannot do its work. */
export const LEVELS = ['ok', 'note', 'warning', 'fault'] as const;
export type Level = (typeof LEVELS)[number];

export type Finding = {
  readonly check: string;
  readonly level: Level;
  /** What is the case. */
  readonly found: string;
  /** What follows from it; null when nothing does. */
  readonly means: string | null;
  readonly cure: string | null;
};

/** What a check found. */
export type Found = Omit<Finding, 'check'>;

export function ok(found: string): Found {
  return { level: 'ok', found, means: null, cure: null };
}

export function note(found: string, means: string, cure: string | null = null): Found {
  return { level: 'note', found, means, cure };
}

export function warning(found: string, means: string, cure: string): Found {
  return { level: 'warning', found, means, cure };
}

export function fault(found: string, means: string, cure: string): Found {
  return { level: 'fault', found, means, cure };
}

/** The worst level among them. */
export function worst(findings: readonly Pick<Finding, 'level'>[]): Level {
  const found = new Set(findings.map(({ level }) => level));
  return LEVELS.findLast((level) => found.has(level)) ?? 'ok';
}
