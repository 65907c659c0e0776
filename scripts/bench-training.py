#!/usr/bin/env python3
"""Training time and peak memory of `carryout train` beside scikit-learn, one thread each.

Both read the same CSV (ten columns of noise, a target of some of them), hold out a fifth, fit, and judge; the figures
are of whole processes: CPU seconds, so that other work on the machine matters little, and peak resident memory.
carryout also measures permutation importance and writes the model; scikit-learn reads with pandas.

Usage: python scripts/bench-training.py CARRYOUT [ROWS ...]      needs scikit-learn and pandas
MODELS=logistic,tree in the environment takes these alone; LIMIT is the CPU seconds after which a process is stopped.
"""

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy

LIMIT = int(os.environ.get("LIMIT", "400"))

# Name, task, options of carryout, the estimator in Python.
CASES = [
    ("logistic", "c", [], "linear_model.LogisticRegression()"),
    ("bayes", "c", [], "naive_bayes.GaussianNB()"),
    ("tree", "c", [], "tree.DecisionTreeClassifier(random_state=0)"),
    ("forest", "c", ["--set", "n_trees=10"], "ensemble.RandomForestClassifier(10, random_state=0)"),
    ("extra-trees", "c", ["--set", "n_trees=10"], "ensemble.ExtraTreesClassifier(10, random_state=0)"),
    ("knn", "c", [], "neighbors.KNeighborsClassifier()"),
    ("svm", "c", [], "svm.SVC()"),
    ("linear", "r", [], "linear_model.LinearRegression()"),
    ("ridge", "r", [], "linear_model.Ridge()"),
    ("lasso", "r", [], "linear_model.Lasso()"),
    ("elastic-net", "r", [], "linear_model.ElasticNet()"),
    ("tree", "r", [], "tree.DecisionTreeRegressor(random_state=0)"),
    ("forest", "r", ["--set", "n_trees=10"], "ensemble.RandomForestRegressor(10, random_state=0)"),
    ("boosting", "r", [], "ensemble.GradientBoostingRegressor(random_state=0)"),
    ("svm", "r", [], "svm.SVR()"),
    ("knn", "r", [], "neighbors.KNeighborsRegressor()"),
    ("kmeans", "k", ["--set", "k=3"], "cluster.KMeans(3, random_state=0)"),
    ("kmeans", "k", ["--set", "k=8"], "cluster.KMeans(8, random_state=0)"),
    ("dbscan", "k", ["--set", "eps=1.5"], "cluster.DBSCAN(eps=1.5)"),
]

# What the letters of the tasks mean; clusters are looked for without the target.
TASKS = {"c": "classes", "r": "numbers", "k": "clusters"}

PYTHON = """
import sys, pandas
from sklearn import cluster, ensemble, linear_model, naive_bayes, neighbors, svm, tree
from sklearn.model_selection import train_test_split
data = pandas.read_csv(sys.argv[1])
x, y = data.drop(columns="y").to_numpy(), data["y"].to_numpy()
x, a, y, b = train_test_split(x, y, test_size=0.2, random_state=0)
if sys.argv[2] == "k":
    # Standardized, as carryout does; both are judged by the silhouette of a sample.
    from sklearn.metrics import silhouette_score
    mean, scale = x.mean(0), x.std(0)
    model = {0}.fit((x - mean) / scale)
    labels = model.predict((a - mean) / scale) if hasattr(model, "predict") else model.labels_
    rows = (a - mean) / scale if hasattr(model, "predict") else (x - mean) / scale
    print(silhouette_score(rows, labels, sample_size=2000, random_state=0) if len(set(labels)) > 1 else "nan")
else:
    print({0}.fit(x, y).score(a, b))
"""


def measured(command):
    """CPU seconds, peak MB and standard output; None where it was stopped or failed."""
    threads = {name: "1" for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")}
    limit = ["sh", "-c", f'ulimit -t {LIMIT}; exec "$@"', "sh", *command]
    with tempfile.TemporaryFile() as out:
        child = subprocess.Popen(limit, stdout=out, stderr=subprocess.PIPE, env={**os.environ, **threads})
        said = child.stderr.read().decode()
        _, status, usage = os.wait4(child.pid, 0)
        out.seek(0)
        if status != 0:
            return None, said.strip().split("\n")[0]
        return (usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024, out.read().decode()), None


def main():
    carryout = sys.argv[1]
    sizes = [int(size) for size in sys.argv[2:]] or [10_000, 100_000, 1_000_000]
    random = numpy.random.default_rng(0)
    print("| rows | model | carryout | scikit-learn | time, ratio | memory, ratio | score | score there |")
    print("|---|---|---|---|---|---|---|---|")
    with tempfile.TemporaryDirectory() as folder:
        for size in sizes:
            x = random.normal(size=(size, 10)).round(4)
            z = 1.5 * x[:, 0] - x[:, 1] + 0.5 * x[:, 2] * x[:, 3] + 0.8 * numpy.sin(2 * x[:, 4])
            targets = {"c": (z + random.logistic(size=size) > 0).astype(int), "r": (3 * z + random.normal(size=size)).round(4)}
            for task, target in targets.items():
                header = ",".join(f"x{column}" for column in range(10)) + ",y"
                form = ["%.4f"] * 10 + (["%d"] if task == "c" else ["%.4f"])
                numpy.savetxt(Path(folder) / f"{task}.csv", numpy.column_stack([x, target]), form, ",", header=header, comments="")
            wanted = os.environ.get("MODELS", "").split(",")
            for name, task, options, python in CASES:
                if wanted != [""] and name not in wanted:
                    continue
                data = str(Path(folder) / f"{'c' if task == 'k' else task}.csv")
                what = ["--task", "clustering", "--types", "y=skip"] if task == "k" else ["-t", "y"]
                ours, why = measured(
                    [carryout, "train", data, *what, "-m", name, *options, "-o", str(Path(folder) / "m.carry"), "--json"]
                )
                theirs, _ = measured([sys.executable, "-c", PYTHON.format(python), data, task])
                line = [f"{size:,}", f"{name}, {TASKS[task]}"]
                if task == "k":
                    line[1] = " ".join([name, *options[1:]])
                for side in (ours, theirs):
                    line.append(f"{side[0]:.1f} s, {side[1]:.0f} MB" if side else "stopped")
                if ours and theirs:
                    judged = json.loads(ours[2])["judgement"]
                    score = judged["silhouette"] if task == "k" else judged["metrics"]["accuracy" if task == "c" else "r2"]
                    line += [f"{ours[0] / theirs[0]:.2f}", f"{ours[1] / theirs[1]:.2f}", f"{score:.4f}", f"{float(theirs[2]):.4f}"]
                else:
                    if not ours and why:
                        line[2] = "refused" if "takes at most" in why or "would take" in why else "stopped"
                    line += ["", "", "", ""]
                print("| " + " | ".join(line) + " |", flush=True)


main()
