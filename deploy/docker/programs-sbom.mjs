// Prints, as CycloneDX, the programs that come into the image of PostgreSQL beside what Debian's own list (dpkg) and the
// lists of the bundles tell: Node.js, with the libraries that are built into it, and tini. Run while the image is built.
import { execFileSync } from 'node:child_process';

const { node, ...builtIn } = process.versions;
const tini = /version (\S+)/.exec(execFileSync('tini', ['--version'], { encoding: 'utf8' }))?.[1];
if (tini === undefined) throw new Error('tini does not say its version');

const generic = (type, name, version, more = {}) => ({
  type,
  'bom-ref': `${name}@${version}`,
  name,
  version,
  purl: `pkg:generic/${encodeURIComponent(name)}@${encodeURIComponent(version)}`,
  ...more,
});
const license = (id) => ({ licenses: [{ license: { id } }] });

const bom = {
  $schema: 'http://cyclonedx.org/schema/bom-1.6.schema.json',
  bomFormat: 'CycloneDX',
  specVersion: '1.6',
  version: 1,
  components: [
    generic('application', 'node', node, {
      ...license('MIT'),
      components: Object.entries(builtIn).map(([name, version]) => generic('library', `node:${name}`, version)),
    }),
    generic('application', 'tini', tini, license('MIT')),
  ],
};
process.stdout.write(`${JSON.stringify(bom, null, 2)}\n`);
