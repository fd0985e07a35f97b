module.exports = {
  ...require('../../jest.preset.cjs')(__dirname),
  globalSetup: './jest.helm.cjs',
  // Each test renders the chart with real helm, several times.
  testTimeout: 60_000,
};
