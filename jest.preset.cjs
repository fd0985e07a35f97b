// One jest configuration for every project: unit tests (*.spec.ts beside the code) by default, the other layers by
// the LAYER variable, each with its own ending, so that nothing real is touched by accident.
const path = require('node:path');

const layers = {
  unit: ['<rootDir>/src/**/*.spec.ts', '!**/*.{int,e2e,fault,pods}.spec.ts'],
  integration: ['<rootDir>/test/**/*.int.spec.ts'],
  e2e: ['<rootDir>/**/*.e2e.spec.ts'],
  fault: ['<rootDir>/**/*.fault.spec.ts'],
  images: ['<rootDir>/test/**/*.image.spec.ts'],
  pods: ['<rootDir>/**/*.pods.spec.ts'],
};

/** @param {string} rootDir the project's own folder */
module.exports = (rootDir) => {
  const layer = process.env.LAYER ?? 'unit';
  const testMatch = layers[layer];
  if (testMatch === undefined) throw new Error(`LAYER=${layer}: one of ${Object.keys(layers).join(', ')}`);
  return {
    rootDir,
    displayName: path.basename(rootDir),
    testEnvironment: 'node',
    testEnvironmentOptions: { customExportConditions: ['@ha-postgres/source', 'node', 'require', 'default'] },
    testMatch,
    testPathIgnorePatterns: ['/node_modules/', '/dist/'],
    modulePathIgnorePatterns: ['/dist/'],
    transform: {
      '^.+\\.ts$': [
        '@swc/jest',
        {
          jsc: { parser: { syntax: 'typescript' }, target: 'es2023' },
          module: { type: 'commonjs' },
          sourceMaps: 'inline',
        },
      ],
    },
    testTimeout: layer === 'unit' ? 10_000 : 120_000,
    ...(layer === 'unit' ? {} : { maxWorkers: 1 }),
  };
};
