# What node:24-bookworm-slim has beside the program, at the places where it has it.
set -e
mkdir -p /usr/local/lib/node_modules/npm/bin /usr/local/lib/node_modules/corepack/dist /opt/yarn-v1.22.22/bin /usr/local/include/node
echo 'console.log("npm")' | tee /usr/local/lib/node_modules/npm/bin/npm-cli.js /usr/local/lib/node_modules/npm/bin/npx-cli.js \
  /usr/local/lib/node_modules/corepack/dist/corepack.js /opt/yarn-v1.22.22/bin/yarn.js /usr/local/include/node/node.h
ln -s ../lib/node_modules/npm/bin/npm-cli.js /usr/local/bin/npm
ln -s ../lib/node_modules/npm/bin/npx-cli.js /usr/local/bin/npx
ln -s ../lib/node_modules/corepack/dist/corepack.js /usr/local/bin/corepack
ln -s /opt/yarn-v1.22.22/bin/yarn.js /usr/local/bin/yarn
ln -s /opt/yarn-v1.22.22/bin/yarn.js /usr/local/bin/yarnpkg
