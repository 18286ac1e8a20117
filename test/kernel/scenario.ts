/**
 * A scenario is a list of named cases that run inside a guest, in order, in one process of their own. Its module is
 * loaded outside too, where only the names are read: so it does nothing when it is imported.
 */
export type Case = () => Promise<void> | void;

export type Scenario = {
  /** The URL of the module, whose export `scenario` this is. */
  readonly module: string;
  /** Runs before each case. */
  readonly setUp?: Case;
  /** Of the guest's clock, for a case whose length depends on what it is told. */
  readonly caseMsMax?: number;
  readonly cases: Readonly<Record<string, Case>>;
};

/** One line of a runner's output. A failure is an error's stack, which starts with its message. */
export type Verdict = { readonly case: string; readonly failure: string | null };
