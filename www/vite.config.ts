import { defineConfig } from "vite";
import { packages, POLICY } from "./dev/server.js";

// The same file names in every build, so that the command can embed them by name.
export default defineConfig({
  build: {
    target: "es2022",
    modulePreload: { polyfill: false },
    assetsInlineLimit: 0,
    rollupOptions: {
      output: { entryFileNames: "app.js", chunkFileNames: "[name].js", assetFileNames: "app[extname]" },
    },
  },
  plugins: [
    {
      // Development has no policy: Vite's own styles are inline there.
      name: "policy",
      apply: "build",
      transformIndexHtml: () => [
        { tag: "meta", attrs: { "http-equiv": "Content-Security-Policy", content: POLICY }, injectTo: "head-prepend" },
      ],
    },
    {
      name: "packages",
      apply: "serve",
      configureServer: (server) => void server.middlewares.use(packages()),
    },
  ],
});
