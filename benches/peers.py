"""Turns a case's model into what its peers read, each form once: ONNX, m2cgen's JavaScript, tl2cgen's library, tfjs's
weights. What a peer refuses is raised as it comes, for the report to quote."""

import json
import os
import sys

import numpy as np

import cases


def once(path, make):
    """The path, written by `make` if it is older than the model, or not there."""
    model = f"{os.path.dirname(path)}/made"
    if not os.path.exists(path) or os.path.getmtime(path) < os.path.getmtime(model):
        make(path + ".part")
        os.rename(path + ".part", path)
    return path


def write(path, text):
    with open(path, "w" if isinstance(text, str) else "wb") as out:
        out.write(text)


def xgboost_model(root):
    import xgboost

    model = xgboost.XGBClassifier()
    model.load_model(f"{root}/T1/model.json")
    return model


def onnx(root, name):
    def make(path):
        from skl2onnx import to_onnx
        from skl2onnx.common.data_types import FloatTensorType, StringTensorType

        if name in ("T1", "T2"):
            from onnxmltools import convert_lightgbm, convert_xgboost
            from onnxmltools.convert.common.data_types import FloatTensorType as Floats

            types = [("x", Floats([None, 28]))]
            if name == "T1":
                made = convert_xgboost(xgboost_model(root), initial_types=types)
            else:
                import lightgbm

                made = convert_lightgbm(lightgbm.Booster(model_file=f"{root}/T2/model.txt"), initial_types=types)
        else:
            model = cases.fitted(root, name)
            rows = cases.rows_of(root, name)
            if name == "T4":
                kinds = {"n": FloatTensorType, "s": StringTensorType}
                types = [(column, kinds[column[0]]([None, 1])) for column in rows]
            else:
                types = [("x", FloatTensorType([None, rows.shape[1]]))]
            # The default wraps probabilities in maps, which onnxruntime-web cannot read.
            made = to_onnx(model, initial_types=types, options={id(model): {"zipmap": False}})
        write(path, made.SerializeToString())

    return once(f"{root}/{name}/model.onnx", make)


# What m2cgen leaves to its user, by hand: the steps before the estimator, of a logistic regression the sigmoid, and of an
# SVC, which answers a decision for each pair of classes, scikit-learn's votes.
SCALED = """
const mean = MEAN, scale = SCALE;
const prepare = (row) => row.map((value, k) => (value - mean[k]) / scale[k]);
"""
ENCODED = """
const median = MEDIAN, mean = MEAN, scale = SCALE;
const places = CATEGORIES.map((values) => new Map(values.map((value, place) => [value, place])));
const starts = STARTS;
function prepare(row) {
  const x = new Array(WIDTH).fill(0);
  for (let k = 0; k < 6; k++) x[k] = ((row[k] ?? median[k]) - mean[k]) / scale[k];
  for (let k = 0; k < 8; k++) {
    const place = places[k].get(row[6 + k]);
    if (place !== undefined) x[starts[k] + place] = 1;
  }
  return x;
}
const sigmoid = (margin) => 1 / (1 + Math.exp(-margin));
"""

VOTED = """
function decided(pairs) {
  const votes = new Array(10).fill(0);
  const sums = new Array(10).fill(0);
  let pair = 0;
  for (let i = 0; i < 10; i++) {
    for (let j = i + 1; j < 10; j++) {
      const decision = pairs[pair++];
      votes[decision >= 0 ? i : j] += 1;
      sums[i] += decision;
      sums[j] -= decision;
    }
  }
  return votes.map((count, k) => count + sums[k] / (3 * (Math.abs(sums[k]) + 1)));
}
"""


def filled(text, **values):
    for name, value in values.items():
        text = text.replace(name.upper(), json.dumps(np.asarray(value).tolist() if not isinstance(value, list) else value))
    return text


def m2cgen(root, name):
    def make(path):
        import m2cgen

        sys.setrecursionlimit(1_000_000)
        before, call = "const prepare = (row) => row;\n", "score(prepare(row))"
        if name == "T1":
            model = xgboost_model(root)
            # XGBoost 3 keeps it as text in brackets, which m2cgen cannot read.
            config = json.loads(model.get_booster().save_config())
            model.base_score = float(config["learner"]["learner_model_param"]["base_score"].strip("[]"))
        elif name == "T2":
            import lightgbm

            model = lightgbm.LGBMRegressor()
            model._Booster = lightgbm.Booster(model_file=f"{root}/T2/model.txt")
            model._n_features, model.fitted_ = 28, True
        else:
            model = cases.fitted(root, name)
            if name == "T4":
                columns, model = model.steps[0][1], model.steps[1][1]
                imputer, scaler = (step for _, step in columns.named_transformers_["numbers"].steps)
                categories = [list(values) for values in columns.named_transformers_["strings"].categories_]
                starts = (6 + np.cumsum([0] + [len(values) for values in categories])).tolist()
                before = filled(
                    ENCODED,
                    median=imputer.statistics_,
                    mean=scaler.mean_,
                    scale=scaler.scale_,
                    categories=categories,
                    starts=starts[:-1],
                    width=starts[-1:],
                ).replace(f"Array([{starts[-1]}])", f"Array({starts[-1]})")
                call = f"sigmoid({call})"
            elif name in ("T5s", "T5m"):
                scaler, model = (step for _, step in model.steps)
                before = filled(SCALED, mean=scaler.mean_, scale=scaler.scale_)
                before = before.replace("/ scale[k]", "/ (scale[k] || 1)")
                if name == "T5s":
                    before, call = before + VOTED, f"decided({call})"
        write(path, m2cgen.export_to_javascript(model) + before + f"export const predict = (row) => {call};\n")

    return once(f"{root}/{name}/m2cgen.mjs", make)


def tl2cgen(root, name):
    def make(path):
        import tl2cgen
        import treelite

        if name == "T1":
            model = treelite.frontend.load_xgboost_model(f"{root}/T1/model.json")
        else:
            model = treelite.frontend.load_lightgbm_model(f"{root}/T2/model.txt")
        library = path.removesuffix(".part").removesuffix(".so") + ".part.so"
        tl2cgen.export_lib(model, toolchain="gcc", libpath=library, params={"parallel_comp": 8})
        os.rename(library, path)

    return once(f"{root}/{name}/tl2cgen.so", make)


def tfjs(root, name):
    def make(path):
        scaler, model = (step for _, step in cases.fitted(root, name).steps)
        shapes = {"mean": scaler.mean_, "scale": scaler.scale_}
        for layer, (weights, bias) in enumerate(zip(model.coefs_, model.intercepts_)):
            shapes |= {f"weights{layer}": weights, f"bias{layer}": bias}
        write(path, json.dumps({key: value.astype(np.float32).tolist() for key, value in shapes.items()}))

    return once(f"{root}/{name}/tfjs.json", make)
