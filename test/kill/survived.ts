/**
 * One run of the scenario, in which the agent is killed at one point, or not at all. Runs wait more than they work, so
 * several go on at a time, each with its own `expect`.
 */
import type { ExpectStatic } from 'vitest';
import { DEFAULT_PREFIX } from '../../events/subject.ts';
import type { FleetAddress } from '../../src/config.ts';
import type { Point } from './points.ts';
import { Stage } from './stage.ts';
import { Story } from './story.ts';
import { expectTheEnd } from './verdict.ts';

/** Runs the scenario and looks at how it ended. The point must be reached: exactly one agent dies. */
export async function expectSurvived(
  expect: ExpectStatic,
  point: Point | null,
  addressIn: (dir: string) => FleetAddress = embeddedIn,
): Promise<void> {
  const stage = await Stage.open(addressIn);
  try {
    await new Story(stage).play(point);
    expect(stage.keeper.deaths).toBe(point === null ? 0 : 1);
    await expectTheEnd(expect, stage);
  } finally {
    await stage.close();
  }
}

function embeddedIn(data: string): FleetAddress {
  return { kind: 'embedded', data, prefix: DEFAULT_PREFIX, pollMs: 2_000 };
}
