import adapter from "@sveltejs/adapter-node";
import { sveltekit } from "@sveltejs/kit/vite";

// SvelteKit's own inline script gets a nonce.
const csp = { directives: { "default-src": ["self"], "script-src": ["self", "wasm-unsafe-eval"] } };

export default { plugins: [sveltekit({ adapter: adapter(), csp })] };
