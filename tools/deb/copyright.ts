/**
 * The licences of all that is in the Debian package, in full: our own, Node's, and that of each npm package.
 */
import { readdir, readFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { z } from 'zod';

const LICENCE = /^(licen[cs]e|copying|notice)/i;
const manifest = z.object({
  name: z.string(),
  version: z.string(),
  license: z.string(),
  author: z.union([z.string(), z.object({ name: z.string() })]).optional(),
});

const OURS = `mdevfleet is licensed under the Apache License, Version 2.0, which on Debian systems is in
/usr/share/common-licenses/Apache-2.0. The package comes with the following software of others.
`;
const MIT = `Permission is hereby granted, free of charge, to any person obtaining a copy of this software and associated
documentation files (the "Software"), to deal in the Software without restriction, including without limitation the
rights to use, copy, modify, merge, publish, distribute, sublicense, and/or sell copies of the Software, and to permit
persons to whom the Software is furnished to do so, subject to the following conditions:

The above copyright notice and this permission notice shall be included in all copies or substantial portions of the
Software.

THE SOFTWARE IS PROVIDED "AS IS", WITHOUT WARRANTY OF ANY KIND, EXPRESS OR IMPLIED, INCLUDING BUT NOT LIMITED TO THE
WARRANTIES OF MERCHANTABILITY, FITNESS FOR A PARTICULAR PURPOSE AND NONINFRINGEMENT. IN NO EVENT SHALL THE AUTHORS OR
COPYRIGHT HOLDERS BE LIABLE FOR ANY CLAIM, DAMAGES OR OTHER LIABILITY, WHETHER IN AN ACTION OF CONTRACT, TORT OR
OTHERWISE, ARISING FROM, OUT OF OR IN CONNECTION WITH THE SOFTWARE OR THE USE OR OTHER DEALINGS IN THE SOFTWARE.
`;

/** The file /usr/share/doc/mdevfleet/copyright. @param node folder of the Node release @param packages folders of npm packages */
export async function copyright(node: string, packages: readonly string[]): Promise<string> {
  const ofNode = section('Node.js', await readFile(join(node, 'LICENSE'), 'utf8'));
  const ofPackages = await Promise.all(packages.map(licenceOf));
  return [OURS, ofNode, ...ofPackages].join('\n');
}

/** Throws for a package that neither has a licence's text nor is under one that we have the text of. */
async function licenceOf(folder: string): Promise<string> {
  const found = manifest.parse(JSON.parse(await readFile(join(folder, 'package.json'), 'utf8')));
  const { name, version, license, author } = found;
  const title = `${name} ${version}: ${license}`;
  const files = await licencesIn(folder);
  if (files.length > 0) {
    const texts = await Promise.all(files.map((file) => readFile(file, 'utf8')));
    return section(title, [...new Set(texts)].join('\n'));
  }
  if (license !== 'MIT') throw new Error(`${folder} is under ${license}, and has no text of that licence`);
  const holder = typeof author === 'object' ? author.name : author;
  return section(title, `Copyright ${holder ?? `the authors of ${name}`}\n\n${MIT}`);
}

/** Of the package and of what it was made from, but not of packages in it. */
async function licencesIn(folder: string): Promise<readonly string[]> {
  const entries = await readdir(folder, { withFileTypes: true, recursive: true });
  return entries
    .filter((entry) => entry.isFile() && LICENCE.test(entry.name))
    .map(({ parentPath, name }) => join(parentPath, name))
    .filter((path) => !/\/(node_modules|\.[^/]+)\//.test(path.slice(folder.length)))
    .sort((a, b) => a.length - b.length || basename(a).localeCompare(basename(b)));
}

function section(title: string, text: string): string {
  return `${'-'.repeat(78)}\n${title}\n\n${text.trim()}\n`;
}
