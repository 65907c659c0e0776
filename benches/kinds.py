"""What a row costs by how a column's values lie, and its thresholds with them, and by what splits ask: ensembles trained on
columns of several kinds, carryout in Chromium beside the predictor of the library that made them."""

import os

import numpy as np

import cases
import curves

# Columns that are categories where a kind says so, twenty each.
CATEGORIES = 8


def missing(x):
    return np.where(np.random.default_rng(3).random(x.shape) < 0.05, np.nan, x)


def categories(x):
    return np.concatenate([np.clip(np.floor(5 * x[:, :CATEGORIES] + 10), 0, 19), x[:, CATEGORIES:]], axis=1)


# By name: the library, what is made of normal columns, and options of the training.
KINDS = {
    "XGBoost, depth 6": ("XGBoost", lambda x: x, {}),
    "columns are e^2x": ("XGBoost", lambda x: np.exp(2 * x), {}),
    "columns are x³": ("XGBoost", lambda x: x**3, {}),
    "a twentieth missing": ("XGBoost", missing, {}),
    "exact splits": ("XGBoost", lambda x: x, {"tree_method": "exact"}),
    "depth 10": ("XGBoost", lambda x: x, {"max_depth": 10}),
    "LightGBM, 31 leaves": ("LightGBM", lambda x: x, {}),
    "LightGBM, a twentieth missing": ("LightGBM", missing, {}),
    "8 columns of 20 categories": ("LightGBM", categories, {"categorical_feature": list(range(CATEGORIES))}),
    "300 leaves": ("LightGBM", lambda x: x, {"num_leaves": 300}),
    "300 leaves and categories": ("LightGBM", categories, {"num_leaves": 300, "categorical_feature": list(range(CATEGORIES))}),
}


def train(library, X, y, options, name):
    """Writes the model; its predictor of probabilities."""
    if library == "XGBoost":
        import xgboost

        options = {"objective": "binary:logistic", "max_depth": curves.DEPTH, "eta": 0.1, "nthread": 2, **options}
        booster = xgboost.train(options, xgboost.DMatrix(X, y), curves.TREES)
        booster.save_model(f"{name}/model.json")
        return booster.inplace_predict
    import lightgbm

    options = {"objective": "binary", "num_threads": 2, "verbose": -1, **options}
    booster = lightgbm.train(options, lightgbm.Dataset(X, y), curves.TREES)
    booster.save_model(f"{name}/model.txt")
    # As it is read.
    return lightgbm.Booster(model_file=f"{name}/model.txt").predict


def make(folder):
    """The models and their rows."""
    X, y, rows = cases.classes(20_000, cases.ROWS, 6, curves.COLUMNS)
    for number, (library, change, options) in enumerate(KINDS.values()):
        name = f"{folder}/{number}"
        os.makedirs(name, exist_ok=True)
        predict = train(library, change(X).astype("<f4"), y, options, name)
        changed = change(rows).astype("<f4")
        changed.tofile(f"{name}/rows.f32")
        predict(changed).astype("<f8").tofile(f"{name}/expected.f64")


def measure(carryout, root, rounds, window, packed, worker):
    with open(__file__) as source:
        cases.once(f"{root}/kinds", source.read(), make)
    loads, found = [], {}
    for number, (kind, (library, *_)) in enumerate(KINDS.items()):
        print(f"kinds: {kind}", flush=True)
        ask = lambda one: one.ask("batch", rows=cases.ROWS // 5)
        found[kind], during = curves.compare(carryout, root, f"kinds/{number}", rounds, window, packed, worker, ask, library)
        loads += during
    return {"kinds": found, "loads": loads}
