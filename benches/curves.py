"""How the cost of a row grows with a model's trees, depth and columns and falls with the rows a call: XGBoost models
of one kind, carryout in Chromium beside XGBoost's own predictor."""

import os
import statistics
import sys

import numpy as np

import cases

# The model that all others differ from in one respect.
TREES, DEPTH, COLUMNS = 100, 6, 28
POINTS = {
    "trees": (10, 20, 50, 100, 200, 500, 1000),
    "depth": (2, 4, 6, 8, 10, 12),
    "columns": (7, 14, 28, 56, 112),
    "rows": (1, 4, 16, 32, 64, 128, 256, 1000, 10_000, 100_000),
}


def make(folder):
    """The models and their rows."""
    import xgboost

    def keep(name, booster, X):
        os.makedirs(f"{folder}/{name}", exist_ok=True)
        booster.save_model(f"{folder}/{name}/model.json")
        X.astype("<f4").tofile(f"{folder}/{name}/rows.f32")
        booster.inplace_predict(X).astype("<f8").tofile(f"{folder}/{name}/expected.f64")

    def trained(X, y, trees, depth):
        options = {"objective": "binary:logistic", "max_depth": depth, "eta": 0.1, "nthread": 2}
        return xgboost.train(options, xgboost.DMatrix(X, y), trees)

    for columns in POINTS["columns"]:
        X, y, rows = cases.classes(20_000, cases.ROWS, 6, columns)
        keep(f"columns-{columns}", trained(X, y, TREES, DEPTH), rows)
        if columns != COLUMNS:
            continue
        for depth in POINTS["depth"]:
            keep(f"depth-{depth}", trained(X, y, TREES, depth), rows)
        longest = trained(X, y, max(POINTS["trees"]), DEPTH)
        for trees in POINTS["trees"]:
            keep(f"trees-{trees}", longest[:trees], rows)


def compare(carryout, root, name, rounds, window, packed, worker, ask, library="XGBoost"):
    """Nanoseconds of `ask(worker)`, the median of the rounds, by engine; and the machine's load at each round."""
    here = os.path.dirname(os.path.abspath(__file__))
    file = {"XGBoost": "model.json", "LightGBM": "model.txt"}[library]
    packed(carryout, f"{root}/{name}/{file}", f"{root}/{name}/pkg")
    workers = {
        "carryout in Chromium": worker(name, ["node", f"{here}/worker.mjs", "chromium", root, name, "carryout", str(window)]),
        f"{library}, native": worker(name, [sys.executable, "-W", "ignore", f"{here}/native.py", root, name, library, str(window)]),
    }
    for engine, one in workers.items():
        answer = one.ask("check")
        if not answer.get("worst", 1) < 1e-6:
            raise SystemExit(f"{name}, {engine}: {answer}")
    loads, times = [], {engine: [] for engine in workers}
    for _ in range(rounds):
        loads.append(os.getloadavg()[0])
        for engine, one in workers.items():
            times[engine].append(ask(one)["ns"])
    for one in workers.values():
        one.close()
    return {engine: statistics.median(values) for engine, values in times.items()}, loads


def measure(carryout, root, rounds, window, packed, worker):
    with open(__file__) as source:
        cases.once(f"{root}/curves", source.read(), make)
    loads, found = [], {}

    def add(curve, point, name, rows):
        times, during = compare(carryout, root, name, rounds, window, packed, worker, lambda one: one.ask("batch", rows=rows))
        loads.extend(during)
        for engine, ns in times.items():
            found.setdefault(curve, {}).setdefault(engine, []).append((point, ns))

    for curve, points in POINTS.items():
        for point in points:
            print(f"curves: {point} {curve}", flush=True)
            if curve == "rows":
                add(curve, point, f"curves/trees-{TREES}", point)
            else:
                add(curve, point, f"curves/{curve}-{point}", cases.ROWS if point < 500 else cases.ROWS // 5)
    return {"curves": found, "loads": loads}
