/**
 * Publishes commands: acts of operators that hosts carry out, and their journals record.
 */
import { encodeCommand } from '../../events/codec.ts';
import type { Command } from '../../events/command.ts';
import { Failure } from '../exit.ts';
import type { Fleet } from './open.ts';

/** Publishes all of them. Throws a Failure unless each is known to be stored. */
export async function publishCommands(fleet: Fleet, commands: readonly Command[]): Promise<void> {
  const { streams, prefix } = fleet;
  const answers = await Promise.all(
    commands.map((command) => streams.command.append(encodeCommand(prefix, command))),
  );
  const lost = answers.find((answer) => answer.kind !== 'stored');
  if (lost === undefined) return;
  throw new Failure('publishing commands: it is not known whether every one was stored', {
    outcome: 'incomplete',
    wayOut: 'run the same command again; asking twice does no harm',
    cause: lost.kind === 'unknown' ? lost.cause : undefined,
  });
}
