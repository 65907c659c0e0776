// The MLP in tfjs's own operations, on its wasm backend; bundled by esbuild, as its users do.
import * as tf from "@tensorflow/tfjs-core";
import { setWasmPaths } from "@tensorflow/tfjs-backend-wasm";

export async function start(folder) {
  tf.env().set("WASM_HAS_MULTITHREAD_SUPPORT", false);
  setWasmPaths(folder.startsWith("file:") ? new URL(folder).pathname : folder);
  await tf.setBackend("wasm");
}

export function model({ mean, scale, weights0, bias0, weights1, bias1 }) {
  const [m, s, w0, b0, w1, b1] = [mean, scale.map((value) => value || 1), weights0, bias0, weights1, bias1].map((value) =>
    tf.tensor(value, undefined, "float32"),
  );
  return (values, count) =>
    tf.tidy(() => {
      const x = tf.div(tf.sub(tf.tensor2d(values, [count, 64]), m), s);
      const hidden = tf.relu(tf.add(tf.matMul(x, w0), b0));
      return tf.softmax(tf.add(tf.matMul(hidden, w1), b1)).dataSync();
    });
}
