/**
 * Where a program is that a module starts in a process or thread of its own: beside that module, and like it TypeScript
 * in a checkout, and JavaScript in what is published.
 */
import { dirname, extname, join } from 'node:path';

/** The path of a program. @param module `import.meta.filename` @param program its path from there, without `.ts` */
export function siblingOf(module: string, program: string): string {
  return join(dirname(module), `${program}${extname(module)}`);
}
