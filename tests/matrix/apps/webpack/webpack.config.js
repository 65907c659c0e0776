// webpack's own defaults; only the names of what goes in and comes out.
export default { mode: "production", entry: "./main.js", output: { clean: true } };
