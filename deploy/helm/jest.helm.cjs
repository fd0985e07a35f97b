// Fetches helm once, before any test asks for it, so that no two do so at a time.
module.exports = async () => {
  const { toolPath } = await import('./fetch-helm.mjs');
  process.env.HELM = toolPath('helm');
};
