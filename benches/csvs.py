"""What a Python user writes to predict a CSV file: csvs.py MODEL ROWS.csv OUT.csv, on one thread."""

import os
import sys

os.environ.update({name: "1" for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")})

import pandas

model, rows, out = sys.argv[1:]
frame = pandas.read_csv(rows)
if model.endswith(".json"):
    import xgboost

    classifier = xgboost.XGBClassifier(n_jobs=1)
    classifier.load_model(model)
    probabilities = classifier.predict_proba(frame)
    labels = probabilities.argmax(1)
else:
    import pickle

    with open(model, "rb") as file:
        classifier = pickle.load(file)
    probabilities = classifier.predict_proba(frame)
    labels = classifier.classes_[probabilities.argmax(1)]
# The columns that `carryout predict` adds.
frame["prediction"] = labels
frame["probability"] = probabilities.max(1)
for k, name in enumerate(classifier.classes_):
    frame[f"probability {name}"] = probabilities[:, k]
frame.to_csv(out, index=False)
