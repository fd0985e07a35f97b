// Prints what each image adds to its base: the bytes of its own layers, unpacked.
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { containerTool, run } from './container-tool.mjs';
import { IMAGES, imageTag } from './image-names.mjs';

const BYTES_OF_MEGABYTE = 1e6;
const root = dirname(dirname(fileURLToPath(import.meta.url)));
const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
const isJson = process.argv[2] === '--json';
if (process.argv.length > (isJson ? 3 : 2)) {
  process.stderr.write('usage: tools/image-sizes [--json]\n');
  process.exit(64);
}

try {
  // What buildah builds lies where podman looks, and buildah tells no exact sizes.
  const tool = containerTool() === 'buildah' ? 'podman' : containerTool();
  const sizes = Object.entries(IMAGES).map(([target, image]) => sizeOf(tool, target, image));
  process.stdout.write(isJson ? `${JSON.stringify(sizes, null, 2)}\n` : `${sizes.map(lineOf).join('\n')}\n`);
  process.exitCode = sizes.some(({ megabytes, megabytesMax }) => megabytes > megabytesMax) ? 1 : 0;
} catch (error) {
  process.stderr.write(`${error.message}\n`);
  process.exitCode = 2;
}

function sizeOf(tool, target, { argument, base: official, megabytesMax }) {
  const tag = imageTag(target, version);
  const base = process.env[argument] || official;
  const bytes = bytesOf(tool, tag) - bytesOf(tool, base);
  return { image: tag, base, megabytes: Math.round((bytes / BYTES_OF_MEGABYTE) * 10) / 10, megabytesMax };
}

function bytesOf(tool, tag) {
  return Number(run(tool, ['image', 'inspect', '--format={{.Size}}', tag], { capture: true }));
}

function lineOf({ image, base, megabytes, megabytesMax }) {
  return `${image.padEnd(36)} ${megabytes.toFixed(1).padStart(6)} MB above ${base} (${megabytesMax} MB at most)`;
}
