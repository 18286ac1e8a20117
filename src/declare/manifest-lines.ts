/**
 * The documents of a manifest with the lines on which everything in them stands.
 */
import { type Document, isNode, LineCounter, parseAllDocuments } from 'yaml';

/** YAML, or JSON; what is wrong in a document is in its `errors`. */
export function documentsOf(text: string): {
  readonly documents: readonly Document.Parsed[];
  readonly lines: LineCounter;
} {
  const lines = new LineCounter();
  return { documents: [...parseAllDocuments(text, { lineCounter: lines, prettyErrors: false })], lines };
}

/** The document as plain values; an error when its aliases grow beyond measure. */
export function plain(document: Document.Parsed): unknown {
  try {
    return document.toJS();
  } catch (cause) {
    return cause;
  }
}

/** The line of the innermost node on the path that the document has. */
export function lineAt(document: Document.Parsed, lines: LineCounter, path: readonly PropertyKey[]): number {
  for (let depth = path.length; depth >= 0; depth -= 1) {
    const node = depth === 0 ? document.contents : document.getIn(path.slice(0, depth), true);
    if (isNode(node) && node.range) return lines.linePos(node.range[0]).line;
  }
  return 1;
}
