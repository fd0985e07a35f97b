import { CONFIGURATIONS } from './configurations';
import { explore } from './explore';

/** Explores the configuration that is named, and says as one line of JSON what came of it. */
async function main(name: string): Promise<void> {
  const configuration = CONFIGURATIONS.find((one) => one.name === name);
  if (configuration === undefined) throw new Error(`no configuration ${name}`);
  const exploration = await explore(configuration);
  process.stdout.write(`${JSON.stringify(exploration)}\n`);
}

void main(process.argv[2] ?? '');
