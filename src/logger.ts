/**
 * The logger: what the program says of itself while it runs, on stderr.
 *
 * Pretty on a terminal, JSON lines otherwise. Messages are constant and facts are fields; of an
 * error its message and those of its causes are told, never a stack.
 */
import { type DestinationStream, type LevelWithSilent, type Logger as PinoLogger, pino } from 'pino';
import pretty from 'pino-pretty';
import { causes } from './exit.ts';

export type Logger = Pick<PinoLogger, 'trace' | 'debug' | 'info' | 'warn' | 'error' | 'fatal'>;

/** What waits while a log cannot be written, in characters; what is logged beyond that is lost. */
const WAITING_CHARS_MAX = 1_048_576;

/** Logs to a file descriptor; `terminal` asks for the pretty form. */
export function createLogger(level: LevelWithSilent, terminal: boolean, fd = 2): Logger {
  const destination = terminal
    ? pretty({ destination: fd, sync: true, colorize: true, ignore: 'pid,hostname' })
    : lasting(fd);
  return pino(
    { level, base: null, timestamp: pino.stdTimeFunctions.isoTime, serializers: { err } },
    destination,
  );
}

/** That the log cannot be written, as on a full disk, is no reason to look after no device. */
function lasting(fd: number): DestinationStream {
  const destination = pino.destination({ fd, sync: true, maxLength: WAITING_CHARS_MAX });
  return destination.on('error', () => {});
}

function err(error: unknown): unknown {
  if (!(error instanceof Error)) return { message: String(error) };
  return { type: error.name, message: error.message, causes: causes(error) };
}
