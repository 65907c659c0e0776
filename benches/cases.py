"""The benchmark's cases: each is data and a model that its own library trained, made once from a fixed seed.

T1  XGBoost, two classes: 100 trees of depth 6, 28 columns
T2  LightGBM, regression: 1000 trees of 31 leaves, 28 columns
T3  scikit-learn random forest, two classes: 100 trees of unlimited depth, 28 columns
T4  scikit-learn pipeline, two classes: impute and scale 6 numbers, one-hot 8 strings, logistic regression
T5s scikit-learn pipeline, ten classes (digits, 64 columns): scale, SVC with an RBF kernel
T5m scikit-learn pipeline, ten classes (digits, 64 columns): scale, MLP 64-100-10

A case's folder holds its model file; `rows.f32`, 100 000 rows that the model has not seen, row by row (T4:
`columns.json` and `frame.pkl`); `expected.f64` and `labels.i32`, what the original library answers: a probability a
row for two classes, the value for a regression, else a row of probabilities or decision values. The columns' numbers
are numbers that float32 holds, so that no engine is helped or hurt by rounding its input.
"""

import inspect
import json
import os
import pickle
import shutil
import sys

import numpy as np

ROWS = 100_000
MODELS = {"T1": "model.json", "T2": "model.txt", "T3": "model.pkl", "T4": "model.pkl", "T5s": "model.pkl", "T5m": "model.pkl"}
ABOUT = dict(line.split(maxsplit=1) for line in __doc__.splitlines() if line[:1] == "T")


def classes(train, rows, seed, columns=28, wrong=0.1, apart=0.7):
    """Two classes that no tree separates: most columns say a little, and some of the labels are wrong."""
    from sklearn.datasets import make_classification

    X, y = make_classification(
        n_samples=train + rows,
        n_features=columns,
        n_informative=columns * 5 // 7,
        n_redundant=columns // 7,
        flip_y=wrong,
        class_sep=apart,
        random_state=seed,
    )
    X = X.astype(np.float32)
    return X[:train], y[:train], X[train:]


def t1(folder):
    import xgboost

    X, y, rows = classes(50_000, ROWS, 1)
    model = xgboost.XGBClassifier(n_estimators=100, max_depth=6, learning_rate=0.1, n_jobs=2).fit(X, y)
    model.save_model(f"{folder}/model.json")
    return rows, model.predict_proba(rows)[:, 1], model.predict(rows)


def t2(folder):
    import lightgbm
    from sklearn.datasets import make_regression

    X, y = make_regression(n_samples=50_000 + ROWS, n_features=28, n_informative=20, noise=20, random_state=2)
    X = X.astype(np.float32)
    y = y + 30 * np.sin(X[:, 0] * 3.0) * X[:, 1]
    model = lightgbm.LGBMRegressor(n_estimators=1000, num_leaves=31, learning_rate=0.1, n_jobs=2, verbose=-1)
    model.fit(X[:50_000], y[:50_000]).booster_.save_model(f"{folder}/model.txt")
    rows = X[50_000:]
    return rows, model.predict(rows.astype(float)), None


def t3(folder):
    from sklearn.ensemble import RandomForestClassifier

    X, y, rows = classes(20_000, ROWS, 3, wrong=0.3, apart=0.5)
    model = RandomForestClassifier(100, n_jobs=2, random_state=0).fit(X, y)
    keep(folder, model)
    return rows, model.predict_proba(rows)[:, 1], model.predict(rows)


def t4(folder):
    import pandas
    from sklearn.compose import ColumnTransformer
    from sklearn.impute import SimpleImputer
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import OneHotEncoder, StandardScaler

    train = 30_000
    n = train + ROWS
    rng = np.random.default_rng(4)
    sizes = [9, 16, 7, 15, 6, 5, 2, 42]  # the census's
    numbers, strings = [f"n{k}" for k in range(6)], [f"s{k}" for k in range(8)]
    values = {name: rng.normal(40, 13, n).astype(np.float32).astype(float) for name in numbers}
    codes = {name: rng.integers(0, size, n) for name, size in zip(strings, sizes)}
    score = sum(values[name] * rng.normal(0, 0.03) for name in numbers)
    score = score + sum(rng.normal(0, 1, size)[codes[name]] for name, size in zip(strings, sizes))
    y = (score + rng.normal(0, 1, n) > np.median(score)).astype(int)
    for name in numbers:
        values[name][rng.random(n) < 0.03] = np.nan
    texts = {name: np.array([f"{name} value {code}" for code in codes[name]], dtype=object) for name in strings}
    frame = pandas.DataFrame(values | texts).astype({name: object for name in strings})
    model = make_pipeline(
        ColumnTransformer(
            [
                ("numbers", make_pipeline(SimpleImputer(strategy="median"), StandardScaler()), numbers),
                ("strings", OneHotEncoder(handle_unknown="ignore"), strings),
            ]
        ),
        LogisticRegression(max_iter=1000),
    )
    keep(folder, model.fit(frame[:train], y[:train]))
    rows = frame[train:]
    rows.to_pickle(f"{folder}/frame.pkl")
    with open(f"{folder}/columns.json", "w") as out:
        columns = {name: [None if value != value else value for value in rows[name].tolist()] for name in rows}
        json.dump(columns, out)
    return None, model.predict_proba(rows)[:, 1], model.predict(rows)


def digits():
    """The digits, and rows like them: each with a few grey levels more or less here and there."""
    from sklearn.datasets import load_digits

    X, y = load_digits(return_X_y=True)
    rng = np.random.default_rng(5)
    rows = X[rng.integers(0, len(X), ROWS)] + rng.integers(-1, 2, (ROWS, 64))
    return X, y, np.clip(rows, 0, 16).astype(np.float32)


def t5s(folder):
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler
    from sklearn.svm import SVC

    X, y, rows = digits()
    model = make_pipeline(StandardScaler(), SVC()).fit(X, y)
    keep(folder, model)
    return rows, model.decision_function(rows.astype(float)), model.predict(rows.astype(float))


def t5m(folder):
    from sklearn.neural_network import MLPClassifier
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    X, y, rows = digits()
    model = make_pipeline(StandardScaler(), MLPClassifier((100,), random_state=0, max_iter=300)).fit(X, y)
    keep(folder, model)
    return rows, model.predict_proba(rows.astype(float)), model.predict(rows.astype(float))


MAKE = {"T1": t1, "T2": t2, "T3": t3, "T4": t4, "T5s": t5s, "T5m": t5m}


def keep(folder, model):
    with open(f"{folder}/model.pkl", "wb") as out:
        pickle.dump(model, out)


def fitted(root, name):
    """The model as scikit-learn has it."""
    with open(f"{root}/{name}/model.pkl", "rb") as file:
        return pickle.load(file)


def rows_of(root, name):
    """The case's rows: float32, or T4's frame."""
    if name == "T4":
        import pandas

        return pandas.read_pickle(f"{root}/T4/frame.pkl")
    return np.fromfile(f"{root}/{name}/rows.f32", "<f4").reshape(ROWS, -1)


def leaves(root, name):
    """How many leaves an ensemble's trees have, on average."""
    if name == "T1":
        with open(f"{root}/T1/model.json") as file:
            trees = json.load(file)["learner"]["gradient_booster"]["model"]["trees"]
        counts = [sum(left == -1 for left in tree["left_children"]) for tree in trees]
    elif name == "T2":
        with open(f"{root}/T2/model.txt") as file:
            counts = [int(line.split("=")[1]) for line in file if line.startswith("num_leaves=")]
    else:
        counts = [tree.tree_.n_leaves for tree in fitted(root, name).estimators_]
    return sum(counts) / len(counts)


def once(folder, source, make):
    """Calls `make(folder)` where the folder is not there yet, or was made by another text than `source`."""
    try:
        with open(f"{folder}/made") as file:
            if file.read() == source:
                return
    except FileNotFoundError:
        pass
    make(folder)
    with open(f"{folder}/made", "w") as file:
        file.write(source)


def make(root, name):
    """Makes a case once."""

    def train(folder):
        print(f"{name}: training", file=sys.stderr, flush=True)
        shutil.rmtree(folder, ignore_errors=True)
        os.makedirs(folder)
        rows, values, labels = MAKE[name](folder)
        if rows is not None:
            rows.astype("<f4").tofile(f"{folder}/rows.f32")
        np.asarray(values).astype("<f8").tofile(f"{folder}/expected.f64")
        if labels is not None:
            np.asarray(labels).astype("<i4").tofile(f"{folder}/labels.i32")

    once(f"{root}/{name}", "".join(inspect.getsource(part) for part in (MAKE[name], classes, digits)), train)


if __name__ == "__main__":
    for case in sys.argv[2:] or MAKE:
        make(sys.argv[1], case)
        if case in ("T1", "T2", "T3"):
            print(case, "leaves a tree:", leaves(sys.argv[1], case))
