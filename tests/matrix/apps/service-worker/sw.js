import { run } from "./app.js";

self.addEventListener("install", () => self.skipWaiting());
self.addEventListener("activate", (event) => event.waitUntil(self.clients.claim()));
self.addEventListener("message", (event) => {
  const answer = run().catch((error) => ({ error: `${error.name}: ${error.message}` }));
  event.waitUntil(answer.then((result) => event.ports[0].postMessage(result)));
});
