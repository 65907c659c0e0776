const { run } = require("./app.cjs");

run().then((result) => process.stdout.write(JSON.stringify(result)));
