import nx from '@nx/eslint-plugin';
import prettier from 'eslint-config-prettier';
import tseslint from 'typescript-eslint';

const onlyDependOn = (sourceTag, ...tags) => ({ sourceTag, onlyDependOnLibsWithTags: tags });

export default tseslint.config(
  { ignores: ['**/dist/**', '**/tmp/**', '**/.nx/**', '**/*.cjs', '**/*.mjs'] },
  {
    files: ['**/*.ts'],
    extends: [...tseslint.configs.strictTypeChecked, ...tseslint.configs.stylisticTypeChecked, prettier],
    plugins: { '@nx': nx },
    languageOptions: { parserOptions: { projectService: true } },
    rules: {
      '@nx/enforce-module-boundaries': [
        'error',
        {
          // Examples import their library by its name, as users do.
          allowCircularSelfDependency: true,
          allow: [],
          depConstraints: [
            onlyDependOn('type:core', 'type:core'),
            onlyDependOn('type:base', 'type:base', 'type:core'),
            onlyDependOn('type:app', 'type:base', 'type:core'),
            onlyDependOn('type:testkit', 'type:testkit', 'type:base', 'type:core'),
            // The simulator runs what the apps are made of, on machines of its own. Nobody else imports an app.
            onlyDependOn('type:simulator', 'type:app', 'type:base', 'type:core'),
            onlyDependOn('type:e2e', 'type:testkit', 'type:base', 'type:core'),
            onlyDependOn('scope:shared', 'scope:shared'),
            onlyDependOn('scope:db', 'scope:db', 'scope:shared'),
            onlyDependOn('scope:lb', 'scope:lb', 'scope:shared'),
            onlyDependOn('scope:simulator', 'scope:db', 'scope:lb', 'scope:ops', 'scope:shared'),
            onlyDependOn('scope:ops', 'scope:ops', 'scope:shared'),
          ],
        },
      ],
      '@typescript-eslint/restrict-template-expressions': ['error', { allowNumber: true, allowBoolean: true }],
      '@typescript-eslint/consistent-type-imports': 'error',
      '@typescript-eslint/switch-exhaustiveness-check': ['error', { considerDefaultExhaustiveForUnions: true }],
      '@typescript-eslint/no-confusing-void-expression': ['error', { ignoreArrowShorthand: true }],
      '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_', ignoreRestSiblings: true }],
      'no-console': 'error',
    },
  },
  {
    // The core has no clock, no disk, no network and no chance: everything comes in as a value.
    files: ['libs/failover/src/**/*.ts', 'libs/cluster-state/src/**/*.ts'],
    ignores: ['**/*.spec.ts'],
    rules: {
      'no-restricted-globals': ['error', 'Date', 'performance', 'fetch', 'setTimeout', 'setInterval', 'process'],
      'no-restricted-properties': [
        'error',
        { object: 'Math', property: 'random' },
        { object: 'Date', property: 'now' },
      ],
      'no-restricted-syntax': ['error', { selector: 'AwaitExpression', message: 'The core does not wait.' }],
      'no-restricted-imports': ['error', { patterns: ['node:*'] }],
    },
  },
);
