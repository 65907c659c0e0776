"""Measures one native engine on one case, on one thread: a line of JSON in, one out, as worker.mjs does.

    native.py FOLDER CASE ENGINE WINDOW
"""

import ctypes
import json
import os
import statistics
import sys
import time

os.environ.update({name: "1" for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")})

import numpy as np

import cases
import peers

KEPT = 1000


# Each engine: a function of rows, and what makes the rows k to k + 1 into what that function takes.


def xgboost(root, name, rows):
    import xgboost

    booster = xgboost.Booster({"nthread": 1}, model_file=f"{root}/{name}/model.json")
    return booster.inplace_predict, rows, None


def lightgbm(root, name, rows):
    import lightgbm

    booster = lightgbm.Booster(model_file=f"{root}/{name}/model.txt")
    return lambda x: booster.predict(x, num_threads=1), rows.astype(float), None


def lleaves(root, name, rows):
    import lleaves

    model = lleaves.Model(model_file=f"{root}/T2/model.txt")
    model.compile(cache=f"{root}/T2/lleaves.bin")
    rows = rows.astype(float)
    entry, out = model._c_entry_func, (ctypes.c_double * 1)()
    pointers = [rows[k : k + 1].ctypes.data_as(ctypes.POINTER(ctypes.c_double)) for k in range(KEPT)]
    return lambda x: model.predict(x, n_jobs=1), rows, lambda k: entry(pointers[k], out, 0, 1)


def tl2cgen(root, name, rows):
    import tl2cgen

    predictor = tl2cgen.Predictor(peers.tl2cgen(root, name), nthread=1)
    rows = rows.astype(np.float32 if name == "T1" else float)
    return lambda x: predictor.predict(tl2cgen.DMatrix(x)), rows, None


def sklearn(root, name, rows):
    model = cases.fitted(root, name)
    if hasattr(model, "n_jobs"):
        model.n_jobs = 1
    # Trees take float32 as it is; the others would compute in it, with other labels.
    rows = rows.astype(float) if name in ("T5s", "T5m") else rows
    return getattr(model, "predict_proba", None) or model.decision_function, rows, None


def onnxruntime(root, name, rows):
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    session = onnxruntime.InferenceSession(peers.onnx(root, name), options, providers=["CPUExecutionProvider"])
    # Probabilities or values alone, as the other engines; the labels, its first output, are strings to make for some.
    wanted = [session.get_outputs()[-1].name]
    if name != "T4":
        return lambda x: session.run(wanted, {"x": x})[0], rows, None
    types = {"n": np.float32, "s": object}
    columns = {column: rows[[column]].to_numpy().astype(types[column[0]]) for column in rows}

    class Columns:
        """Columns cut like rows."""

        def __init__(self, columns):
            self.columns = columns

        def __getitem__(self, rows):
            return Columns({name: column[rows] for name, column in self.columns.items()})

    return lambda x: session.run(wanted, x.columns)[0], Columns(columns), None


ENGINES = {
    "T1": {"XGBoost": xgboost, "tl2cgen": tl2cgen, "onnxruntime": onnxruntime},
    "T2": {"LightGBM": lightgbm, "lleaves": lleaves, "tl2cgen": tl2cgen, "onnxruntime": onnxruntime},
    "T3": {"scikit-learn": sklearn, "onnxruntime": onnxruntime},
    "T4": {"scikit-learn": sklearn, "onnxruntime": onnxruntime},
    "T5s": {"scikit-learn": sklearn, "onnxruntime": onnxruntime},
    "T5m": {"scikit-learn": sklearn, "onnxruntime": onnxruntime},
}
# The models of curves.py and kinds.py.
CURVES = {"XGBoost": xgboost, "LightGBM": lightgbm}


class Measured:
    def __init__(self, root, name, engine, window):
        self.root, self.name, self.window = root, name, window
        self.predict, self.rows, self.one = ENGINES.get(name, CURVES)[engine](root, name, cases.rows_of(root, name))
        if self.one is None:
            single = [self.rows[k : k + 1] for k in range(KEPT)]
            self.one = lambda k: self.predict(single[k])
        sample = self.rows[:KEPT]
        self.predict(sample)
        start = time.perf_counter()
        self.predict(sample)
        each = (time.perf_counter() - start) / KEPT
        # An engine that would take much longer than the window gets fewer rows a call.
        sizes = (cases.ROWS, cases.ROWS // 5, cases.ROWS // 20)
        self.count = next((rows for rows in sizes if rows * each < 12 * window), KEPT)

    def batch(self, rows=None):
        """`rows` a call, or as many as the engine is quick enough for."""
        rows = rows or self.count
        part = self.rows[:rows]
        calls, start, before = 0, time.perf_counter(), time.process_time_ns()
        while time.perf_counter() - start < self.window:
            self.predict(part)
            calls += 1
        return {"ns": (time.process_time_ns() - before) / (calls * rows), "rows": rows}

    def row(self):
        times, start, k = [], time.perf_counter_ns(), 0
        while (before := time.perf_counter_ns()) - start < self.window * 0.5e9 or k < 20:
            self.one(k % KEPT)
            times.append(time.perf_counter_ns() - before)
            k += 1
        return {"ns": statistics.median(times)}

    def check(self):
        expected = np.fromfile(f"{self.root}/{self.name}/expected.f64").reshape(cases.ROWS, -1)
        count = min(cases.ROWS, self.count * 4)
        found = np.asarray(self.predict(self.rows[:count]), float).reshape(count, -1)
        expected = expected[:count]
        if found.shape[1] == 2 * expected.shape[1]:
            found = found[:, 1:]
        answer = {"worst": float(np.abs(found - expected).max()), "rows": count}
        try:
            labels = np.fromfile(f"{self.root}/{self.name}/labels.i32", "<i4")[:count]
        except FileNotFoundError:
            return answer
        if self.name == "T5s":
            # An SVC's label is by votes; two classes may tie, and its decision values then say another.
            return answer
        chosen = found.argmax(1) if found.shape[1] > 1 else found[:, 0] > 0.5
        return answer | {"labels": int((chosen != labels).sum())}


if __name__ == "__main__":
    root, name, engine, window = sys.argv[1:]
    measured = None
    for line in sys.stdin:
        try:
            if measured is None:
                measured = Measured(root, name, engine, float(window))
            request = json.loads(line)
            answer = getattr(measured, request.pop("kind"))(**request)
        except Exception as error:
            answer = {"error": f"{type(error).__name__}: {error}"}
        print(json.dumps(answer), flush=True)
