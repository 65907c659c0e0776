// The service worker answers /prediction.
const answer = async () => {
  await navigator.serviceWorker.register("./sw.js", { type: "module" });
  const { active } = await navigator.serviceWorker.ready;
  const { port1, port2 } = new MessageChannel();
  active.postMessage("run", [port2]);
  return new Promise((resolve) => (port1.onmessage = ({ data }) => resolve(data)));
};

answer().then(
  (result) => (globalThis.result = result),
  (error) => (globalThis.result = { error: String(error) }),
);
