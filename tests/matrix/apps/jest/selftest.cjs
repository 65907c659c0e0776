// As worker.cjs.
exports.selfTest = () => ({ passed: true });
