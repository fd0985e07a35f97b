// In the bundles in place of the package `form-data`: see bundle.mjs.
module.exports = class FormData {};
