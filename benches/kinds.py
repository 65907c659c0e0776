"""What a row costs by how a column's values lie, and its thresholds with them: the same ensemble trained on columns of several
kinds, carryout in Chromium beside XGBoost's own predictor."""

import os

import numpy as np

import cases
import curves

# By name: what is made of a normal column, and options of the training.
KINDS = {
    "normal": (lambda x: x, {}),
    "e^2x": (lambda x: np.exp(2 * x), {}),
    "x³": (lambda x: x**3, {}),
    "a twentieth missing": (lambda x: np.where(np.random.default_rng(3).random(x.shape) < 0.05, np.nan, x), {}),
    "exact splits": (lambda x: x, {"tree_method": "exact"}),
}


def make(root):
    """The models, each trained once, and their rows."""
    import xgboost

    folder = f"{root}/kinds"
    try:
        with open(f"{folder}/made") as made, open(__file__) as source:
            if made.read() == source.read():
                return
    except FileNotFoundError:
        pass
    X, y, rows = cases.classes(20_000, cases.ROWS, 6, curves.COLUMNS)
    for number, (change, options) in enumerate(KINDS.values()):
        name = f"{folder}/{number}"
        os.makedirs(name, exist_ok=True)
        options = {"objective": "binary:logistic", "max_depth": curves.DEPTH, "eta": 0.1, "nthread": 2, **options}
        booster = xgboost.train(options, xgboost.DMatrix(change(X).astype("<f4"), y), curves.TREES)
        booster.save_model(f"{name}/model.json")
        changed = change(rows).astype("<f4")
        changed.tofile(f"{name}/rows.f32")
        booster.inplace_predict(changed).astype("<f8").tofile(f"{name}/expected.f64")
    with open(f"{folder}/made", "w") as made, open(__file__) as source:
        made.write(source.read())


def measure(carryout, root, rounds, window, packed, worker):
    make(root)
    loads, found = [], {}
    for number, kind in enumerate(KINDS):
        print(f"kinds: {kind}", flush=True)
        ask = lambda one: one.ask("batch", rows=cases.ROWS)
        found[kind], during = curves.compare(carryout, root, f"kinds/{number}", rounds, window, packed, worker, ask)
        loads += during
    return {"kinds": found, "loads": loads}
