"""Fits the models of the demo on data sets that come with scikit-learn.

    pip install scikit-learn==1.9.1 pandas==3.1.1 && python examples/make.py

Each folder gets model.joblib, rows.csv (held-out rows to try) and expected.json (what scikit-learn says of them).
"""
import json
import re
from pathlib import Path

import joblib
import numpy as np
import pandas as pd
from sklearn.compose import make_column_transformer
from sklearn.datasets import load_breast_cancer, load_diabetes, load_digits, load_iris, load_linnerud, load_wine
from sklearn.ensemble import IsolationForest, RandomForestClassifier
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import MinMaxScaler, OneHotEncoder

HERE = Path(__file__).parent


def write(name, model, rows, **outputs):
    folder = HERE / name
    folder.mkdir(exist_ok=True)
    joblib.dump(model, folder / "model.joblib", compress=("zlib", 9))
    rows.to_csv(folder / "rows.csv", index=False)
    plain = {method: np.asarray(values).tolist() for method, values in outputs.items()}
    (folder / "expected.json").write_text(json.dumps(plain, indent=0) + "\n")


def diabetes():
    """Does the disease progress fast? Mixed columns: numbers with gaps, two categories."""
    data = load_diabetes(as_frame=True, scaled=False)
    frame = data.data.rename(columns={
        "bp": "blood pressure", "s1": "cholesterol", "s2": "ldl", "s3": "hdl", "s4": "cholesterol ratio",
        "s5": "log triglycerides", "s6": "glucose",
    })
    frame["sex"] = frame["sex"].map({1.0: "female", 2.0: "male"})
    # The data set is complete; gaps are punched so that there is something to impute.
    gaps = np.random.default_rng(0)
    for column in ["bmi", "blood pressure", "glucose"]:
        frame.loc[gaps.random(len(frame)) < 0.05, column] = np.nan
    frame["decade"] = pd.cut(frame["age"], [0, 30, 40, 50, 60, 120], labels=["<30", "30s", "40s", "50s", "60+"])
    frame["decade"] = frame["decade"].astype(object)
    target = np.where(data.target > data.target.median(), "fast", "slow")
    train, test, target, _ = train_test_split(frame, target, test_size=24, random_state=0, stratify=target)
    numbers = ["age", "bmi", "blood pressure", "cholesterol", "ldl", "hdl", "cholesterol ratio", "log triglycerides",
               "glucose"]
    model = make_pipeline(
        make_column_transformer(
            (make_pipeline(SimpleImputer(strategy="median"), MinMaxScaler()), numbers),
            (OneHotEncoder(handle_unknown="ignore"), ["sex", "decade"]),
        ),
        LogisticRegression(max_iter=1000),
    ).fit(train, target)
    write("diabetes", model, test, predict=model.predict(test), predict_proba=model.predict_proba(test))


def iris():
    """The three species, by a forest."""
    data = load_iris(as_frame=True)
    names = data.target_names[data.target]
    train, test, target, _ = train_test_split(data.data, names, test_size=24, random_state=0, stratify=names)
    model = RandomForestClassifier(n_estimators=30, max_depth=4, random_state=0).fit(train, target)
    write("iris", model, test, predict=model.predict(test), predict_proba=model.predict_proba(test))


def wine():
    """Which wine is unlike the others?"""
    frame = load_wine(as_frame=True).data
    train, test = train_test_split(frame, test_size=24, random_state=0)
    model = IsolationForest(n_estimators=40, max_samples=64, contamination=0.05, random_state=0).fit(train)
    write("wine", model, test, predict=model.predict(test), decision_function=model.decision_function(test))


def topics():
    """Which data set is a sentence about? The sentences are those of the data sets' own descriptions."""
    loaders = {"cancer": load_breast_cancer, "diabetes": load_diabetes, "digits": load_digits, "exercise": load_linnerud,
               "iris": load_iris, "wine": load_wine}
    rows = []
    for name, load in loaders.items():
        sentences = re.split(r"\n\s*\n|(?<=\.)\s+", load().DESCR)
        sentences = [" ".join(sentence.split()) for sentence in sentences]
        rows += [(sentence, name) for sentence in sentences if 4 <= len(sentence.split()) <= 60]
    frame = pd.DataFrame(rows, columns=["text", "topic"]).drop_duplicates("text")
    train, test = train_test_split(frame, test_size=24, random_state=0, stratify=frame["topic"])
    model = make_pipeline(
        TfidfVectorizer(ngram_range=(1, 2), sublinear_tf=True, strip_accents="unicode", stop_words="english"),
        LogisticRegression(C=10),
    ).fit(train["text"], train["topic"])
    print(f"topics: {(model.predict(test['text']) == test['topic']).mean():.0%} of the held-out sentences")
    texts = test[["text"]]
    write("topics", model, texts, predict=model.predict(test["text"]), predict_proba=model.predict_proba(test["text"]))


diabetes()
iris()
wine()
topics()
