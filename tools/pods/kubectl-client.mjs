// A program on a PATH that KubectlDoor (src/kubectl) has made: hands its name and arguments to the process there, and prints what that answers.
import { connect } from 'node:net';
import { createInterface } from 'node:readline';

const [socket, ...called] = process.argv.slice(2);
const door = connect(socket);
let exitCode = 1;
door.on('error', (error) => process.stderr.write(`error: nobody answers for ${called[0]}: ${error.message}\n`));
door.write(`${JSON.stringify(called)}\n`);
createInterface({ input: door })
  .on('line', (line) => {
    const { stdout = '', stderr = '', exit = exitCode } = JSON.parse(line);
    process.stdout.write(stdout);
    process.stderr.write(stderr);
    exitCode = exit;
  })
  // Not process.exit: what was written last may still be on its way.
  .on('close', () => (process.exitCode = exitCode));
