// NAME/worker is an ES module, which Jest does not load by require(): the same answers without it.
exports.openPool = async ({ model }) => ({
  workers: undefined,
  predictBatch: async (rows) => model.predictBatch(rows),
  close: async () => {},
});
