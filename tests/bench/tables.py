#!/usr/bin/env python3
"""mlp_cl beside scikit-learn's MLP on one table: the same rows to train and to test, the same network and recipe.

tables.py TABLE.csv LABEL [--hidden 64] [--epochs 30] [--batch 32] [--lr 0.02] [--seeds 5] [--regression]
          [--mlp_cl build/mlp_cl]
Needs scikit-learn. A fifth of each class is held out, anew for each seed; the mean accuracy (R2 with --regression) of
both is printed."""
import argparse
import csv
import json
import os
import subprocess
import tempfile
import warnings

import numpy
from sklearn.compose import TransformedTargetRegressor
from sklearn.model_selection import train_test_split
from sklearn.neural_network import MLPClassifier, MLPRegressor
from sklearn.preprocessing import StandardScaler

warnings.filterwarnings("ignore")


def write(path, heading, rows):
    with open(path, "w", newline="", encoding="utf-8") as out:
        csv.writer(out).writerows([heading] + rows)


def ours(o, seed, train, test, folder):
    command = [o.mlp_cl, "train", "--data", train, "--test", test, "--label", o.label, "--hidden", str(o.hidden),
               "--epochs", str(o.epochs), "--batch", str(o.batch), "--lr", str(o.lr), "--seed", str(seed), "--json",
               "--quiet"] + (["--task", "regression"] if o.regression else [])
    return json.loads(subprocess.run(command, check=True, capture_output=True, cwd=folder).stdout)["test_accuracy"]


def peers(o, seed, heading, train, test):
    label = heading.index(o.label)

    def split(rows):
        return (numpy.array([[float(v) for i, v in enumerate(row) if i != label] for row in rows]),
                [float(row[label]) if o.regression else row[label] for row in rows])

    x, y = split(train)
    u, v = split(test)
    scaler = StandardScaler().fit(x)
    # Its loss for numbers is half of ours.
    recipe = dict(solver="sgd", learning_rate_init=o.lr * (2 if o.regression else 1), momentum=0.9,
                  nesterovs_momentum=False, alpha=0, batch_size=o.batch, max_iter=o.epochs, n_iter_no_change=10**6,
                  tol=0, random_state=seed)
    model = MLPClassifier((o.hidden,), **recipe)
    if o.regression:
        model = TransformedTargetRegressor(MLPRegressor(hidden_layer_sizes=(o.hidden,), **recipe), transformer=StandardScaler())
    return model.fit(scaler.transform(x), y).score(scaler.transform(u), v)


def main():
    p = argparse.ArgumentParser(description=__doc__)
    p.add_argument("table")
    p.add_argument("label")
    for name, default in (("hidden", 64), ("epochs", 30), ("batch", 32), ("seeds", 5)):
        p.add_argument("--" + name, type=int, default=default)
    p.add_argument("--lr", type=float, default=0.02)
    p.add_argument("--regression", action="store_true")
    p.add_argument("--mlp_cl", default="build/mlp_cl")
    o = p.parse_args()
    o.mlp_cl = os.path.abspath(o.mlp_cl)
    with open(o.table, newline="", encoding="utf-8") as table:
        heading, *rows = list(csv.reader(table))
    results = []
    for seed in range(1, o.seeds + 1):
        train, test = train_test_split(rows, test_size=0.2, random_state=seed,
                                       stratify=None if o.regression else [r[heading.index(o.label)] for r in rows])
        with tempfile.TemporaryDirectory() as folder:
            write(os.path.join(folder, "train.csv"), heading, train)
            write(os.path.join(folder, "test.csv"), heading, test)
            results.append((ours(o, seed, "train.csv", "test.csv", folder), peers(o, seed, heading, train, test)))
    mean = numpy.mean(results, axis=0)
    deviation = numpy.std(results, axis=0)
    print(f"{os.path.basename(o.table)}: {len(rows)} rows, mlp_cl {mean[0]:.4f} ± {deviation[0]:.4f}, "
          f"scikit-learn {mean[1]:.4f} ± {deviation[1]:.4f}")


main()
