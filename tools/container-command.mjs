// For shell scripts: container-command.mjs has TAG (exit code), build FILE TARGET TAG CONTEXT [NAME=VALUE …],
// save FILE TAG…, or run ARGUMENTS… (of the container tool).
import { rmSync } from 'node:fs';
import { buildCommand, containerTool, exists, run, saveCommand } from './container-tool.mjs';

const [command, ...rest] = process.argv.slice(2);
const COMMANDS = {
  has: (tool, [tag]) => {
    process.exitCode = exists(tool, tag) ? 0 : 1;
  },
  build: (tool, [file, target, tag, context, ...settings]) => {
    const buildArgs = Object.fromEntries(settings.map((setting) => setting.split(/=(.*)/s).slice(0, 2)));
    run(tool, buildCommand(tool, { file, target, tag, buildArgs, context }));
  },
  save: (tool, [archive, ...tags]) => {
    // podman refuses a file that is there.
    rmSync(archive, { force: true });
    run(tool, saveCommand(tool, archive, tags));
  },
  run: (tool, args) => void run(tool, args),
};

const carryOut = COMMANDS[command];
if (carryOut === undefined) {
  process.stderr.write(`usage: container-command.mjs ${Object.keys(COMMANDS).join('|')} …\n`);
  process.exit(64);
}
try {
  carryOut(containerTool(), rest);
} catch (error) {
  process.stderr.write(`${error.message}\n`);
  process.exitCode = 1;
}
