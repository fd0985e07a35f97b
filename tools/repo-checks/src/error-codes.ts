import ts from 'typescript';
import { FILES, read } from './repository';

/** An entry of a catalogue, as `defineErrors({ CODE: { family, help } })` says it. */
export interface CatalogueEntry {
  readonly code: string;
  readonly family: string;
  readonly help: string;
}

const CODE = /^(?:HAPG|HAPROXY)_[A-Z]+(?:_[A-Z]+)*$/;

const SOURCES = FILES.filter((path) => /^(?:libs|apps)\/[^/]+\/src\/.+\.ts$/.test(path) && !isForTests(path));

function isForTests(path: string): boolean {
  return path.endsWith('.spec.ts') || path.includes('/testing/');
}

function nodesOf(root: ts.Node): ts.Node[] {
  const children: ts.Node[] = [];
  root.forEachChild((child) => {
    children.push(child, ...nodesOf(child));
  });
  return children;
}

const NODES = SOURCES.flatMap((path) => nodesOf(ts.createSourceFile(path, read(path), ts.ScriptTarget.ES2023, false)));

function textOf(entry: ts.ObjectLiteralExpression, property: string): string {
  const found = entry.properties.find((one) => ts.isPropertyAssignment(one) && nameOf(one) === property);
  if (found === undefined || !ts.isPropertyAssignment(found) || !ts.isStringLiteralLike(found.initializer)) {
    throw new Error(`a catalogue entry without a literal ${property}`);
  }
  return found.initializer.text;
}

function nameOf({ name }: ts.PropertyAssignment): string {
  return ts.isIdentifier(name) || ts.isStringLiteralLike(name) ? name.text : '';
}

function entriesOf(call: ts.CallExpression): CatalogueEntry[] {
  const [catalogue] = call.arguments;
  if (catalogue === undefined || !ts.isObjectLiteralExpression(catalogue)) return [];
  return catalogue.properties.map((entry) => {
    if (!ts.isPropertyAssignment(entry) || !ts.isObjectLiteralExpression(entry.initializer)) {
      throw new Error('a catalogue of errors that is not written out');
    }
    return {
      code: nameOf(entry),
      family: textOf(entry.initializer, 'family'),
      help: textOf(entry.initializer, 'help'),
    };
  });
}

/** All entries of all catalogues of the libraries and services. */
export const CATALOGUED: readonly CatalogueEntry[] = NODES.flatMap((node) =>
  ts.isCallExpression(node) && ts.isIdentifier(node.expression) && node.expression.text === 'defineErrors'
    ? entriesOf(node)
    : [],
);

/** Every code that the libraries and services can give: catalogued, or written as a text. */
export const CODES: readonly string[] = [
  ...new Set([
    ...CATALOGUED.map(({ code }) => code),
    ...NODES.flatMap((node) => (ts.isStringLiteralLike(node) && CODE.test(node.text) ? [node.text] : [])),
  ]),
].sort();
