"""`kiso compare` against LightGBM's defaults on six real tables, over the same five folds.

    KISO_DATA=folder python -m benchmarks.comparison.tables [NAME ...]

The table names, for each data set, the best row of the comparison (with its ensemble), LightGBM's
score (categories as pandas categories, missing values as they are), and the difference with the
standard error of the mean over the folds. "level" means: not more than one standard error behind.
"""

from __future__ import annotations

import os
import sys
import time
import warnings
from pathlib import Path

import numpy as np
import pandas as pd

from kiso.comparison import compare, load, outer_splits, pose

ADULT = [
    "age", "workclass", "fnlwgt", "education", "education-num", "marital-status", "occupation",
    "relationship", "race", "sex", "capital-gain", "capital-loss", "hours-per-week",
    "native-country", "income",
]  # fmt: skip
# name: (file, target, columns that give the target away, models)
TABLES = {
    "ames": ("ames.csv.gz", "Sale_Price", ["rownames"]),
    "california": ("california_housing.csv.gz", "median_house_value", []),
    "bike": ("bike_sharing_hour.csv.gz", "cnt", ["instant", "casual", "registered"]),
    "adult": ("adult.data.gz", "income", []),
    "spambase": ("spambase.csv.gz", " email", []),
    "covtype": ("covtype_sample10k.csv.gz", "Cover_Type", []),
}
MODELS = {
    "regression": ["linear", "forest", "boosting", "ensemble"],
    "classification": ["logistic", "forest", "boosting", "ensemble"],
}


def read(name: str) -> tuple[pd.DataFrame, str]:
    """Return a table without the columns that give its target away."""
    file, target, gone = TABLES[name]
    path = Path(os.environ["KISO_DATA"], "tabular", file)
    if name == "adult":
        frame = pd.read_csv(path, names=ADULT, skipinitialspace=True, na_values="?")
    else:
        frame = pd.read_csv(path)
    frame.columns = [str(column).strip() for column in frame.columns]
    return frame.drop(columns=[c for c in gone if c in frame]), target.strip()


def peer(frame: pd.DataFrame, target: str, task: str) -> tuple[list[float], float]:
    """Return LightGBM's scores on the folds of `compare`, and its seconds."""
    import lightgbm

    problem = pose(load(frame), target, task)  # type: ignore[arg-type]
    X = problem.X.copy()
    for column in problem.columns:
        if column.used and column.kind in ("category", "boolean", "text"):
            X[column.name] = X[column.name].astype("category")
        elif column.used and column.kind == "date":
            X[column.name] = pd.to_datetime(X[column.name]).astype("int64")
    X.columns = [f"f{i}" for i in range(X.shape[1])]  # it refuses some characters in names
    make = lightgbm.LGBMRegressor if task == "regression" else lightgbm.LGBMClassifier
    scores = []
    start = time.perf_counter()
    for train, test in outer_splits(problem, 5, 1, 0):
        model = make(verbose=-1).fit(X.iloc[train], problem.y[train])
        scores.append(float(model.score(X.iloc[test], problem.y[test])))
    return scores, time.perf_counter() - start


def main() -> None:
    """Print a row a table."""
    import lightgbm

    print(f"LightGBM {lightgbm.__version__}, its defaults; 5 folds, the same for both")
    print("table       rows  best row    score   LightGBM  difference ± s.e.   verdict   seconds")
    for name in sys.argv[1:] or TABLES:
        frame, target = read(name)
        task = "regression" if name in ("ames", "california", "bike") else "classification"
        metric = "r2" if task == "regression" else "accuracy"
        start = time.perf_counter()
        found = compare(
            frame, target, task=task, metric=metric, n_repeats=1,  # type: ignore[arg-type]
            models=MODELS[task], explain=False,
        )  # fmt: skip
        spent = time.perf_counter() - start
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            theirs, seconds = peer(frame, target, task)
        scored = [m for m in found.models if m.scores]
        best = max(scored, key=lambda m: m.mean)
        gaps = np.array(best.scores) - np.array(theirs)
        error = float(np.std(gaps, ddof=1) / np.sqrt(len(gaps)))
        verdict = "ahead" if gaps.mean() > error else "level" if gaps.mean() >= -error else "BEHIND"
        print(
            f"{name:10s}{len(frame):6,d}  {best.name:10s}{best.mean:7.4f}   {np.mean(theirs):7.4f}"
            f"   {gaps.mean():+.4f} ± {error:.4f}   {verdict:7s} {spent:6.1f} / {seconds:.1f}",
            flush=True,
        )
        for model in scored:
            print(f"            {model.name:10s}{model.mean:8.4f}", flush=True)


if __name__ == "__main__":
    main()
