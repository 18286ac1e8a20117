/**
 * All planted bugs, each under the name of the mistake.
 */
import type { Bugs } from './bug.ts';
import { HOST_BUGS } from './bugs-host.ts';
import { JOURNAL_BUGS } from './bugs-journal.ts';
import { REGISTRY_BUGS } from './bugs-registry.ts';
import { STREAM_BUGS } from './bugs-streams.ts';

export const BUGS: Bugs = { ...JOURNAL_BUGS, ...REGISTRY_BUGS, ...HOST_BUGS, ...STREAM_BUGS };
