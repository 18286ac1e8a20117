/**
 * The logger: what the program says of itself while it runs, on stderr.
 *
 * Pretty on a terminal, JSON lines otherwise. Messages are constant and facts are fields; of an
 * error its message and those of its causes are told, never a stack.
 */
import { type LevelWithSilent, type Logger as PinoLogger, pino } from 'pino';
import pretty from 'pino-pretty';
import { causes } from './exit.ts';

export type Logger = Pick<PinoLogger, 'trace' | 'debug' | 'info' | 'warn' | 'error' | 'fatal'>;

/** Logs to a file descriptor; `terminal` asks for the pretty form. */
export function createLogger(level: LevelWithSilent, terminal: boolean, fd = 2): Logger {
  const destination = terminal
    ? pretty({ destination: fd, sync: true, colorize: true, ignore: 'pid,hostname' })
    : pino.destination({ fd, sync: true });
  return pino(
    { level, base: null, timestamp: pino.stdTimeFunctions.isoTime, serializers: { err } },
    destination,
  );
}

function err(error: unknown): unknown {
  if (!(error instanceof Error)) return { message: String(error) };
  return { type: error.name, message: error.message, causes: causes(error) };
}
