#!/usr/bin/env python3
"""mlp_cl beside scikit-learn's MLP on one table: the same rows to train and to test, the same network and recipe.

tables.py TABLE.csv LABEL [--hidden 64] [--epochs 30] [--batch 32] [--lr 0.02] [--init he] [--seeds 5] [--regression]
          [--mlp_cl build/mlp_cl]
tables.py FOLDER [OPTION...]    a folder in the MNIST layout, whose test part is held out for every seed
Needs scikit-learn. Of a table a fifth of each class is held out, anew for each seed; the mean accuracy (R2 with
--regression) of both, and of their difference, is printed with the standard deviation over seeds."""
import argparse
import csv
import gzip
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


def ours(o, seed, data, folder=None):
    command = [o.mlp_cl, "train", *data, "--hidden", str(o.hidden), "--epochs", str(o.epochs), "--batch", str(o.batch),
               "--lr", str(o.lr), "--init", o.init, "--seed", str(seed), "--json", "--quiet"]
    return json.loads(subprocess.run(command, check=True, capture_output=True, cwd=folder).stdout)["test_accuracy"]


def peers(o, seed, x, y, u, v):
    # Its loss for numbers is half of ours.
    recipe = dict(solver="sgd", learning_rate_init=o.lr * (2 if o.regression else 1), momentum=0.9,
                  nesterovs_momentum=False, alpha=0, batch_size=o.batch, max_iter=o.epochs, n_iter_no_change=10**6,
                  tol=0, random_state=seed)
    model = MLPClassifier((o.hidden,), **recipe)
    if o.regression:
        model = TransformedTargetRegressor(MLPRegressor(hidden_layer_sizes=(o.hidden,), **recipe), transformer=StandardScaler())
    return model.fit(x, y).score(u, v)


def on_table(o, seed, heading, rows):
    label = heading.index(o.label)
    train, test = train_test_split(rows, test_size=0.2, random_state=seed,
                                   stratify=None if o.regression else [r[label] for r in rows])
    data = ["--data", "train.csv", "--test", "test.csv", "--label", o.label]
    with tempfile.TemporaryDirectory() as folder:
        write(os.path.join(folder, "train.csv"), heading, train)
        write(os.path.join(folder, "test.csv"), heading, test)
        got = ours(o, seed, data + (["--task", "regression"] if o.regression else []), folder)

    def split(rows):
        return (numpy.array([[float(v) for i, v in enumerate(row) if i != label] for row in rows]),
                [float(row[label]) if o.regression else row[label] for row in rows])

    (x, y), (u, v) = split(train), split(test)
    scaler = StandardScaler().fit(x)
    return got, peers(o, seed, scaler.transform(x), y, scaler.transform(u), v)


def on_pictures(o, seed):
    def read(name, header):
        with gzip.open(os.path.join(o.table, name + "-ubyte.gz")) as file:
            return numpy.frombuffer(file.read(), numpy.uint8, offset=header)

    def part(name):
        labels = read(name + "-labels-idx1", 8)
        return read(name + "-images-idx3", 16).reshape(len(labels), -1) / numpy.float32(255), labels

    return ours(o, seed, ["--data", o.table]), peers(o, seed, *part("train"), *part("t10k"))


def main():
    p = argparse.ArgumentParser(description=__doc__)
    p.add_argument("table")
    p.add_argument("label", nargs="?")
    for name, default in (("hidden", 64), ("epochs", 30), ("batch", 32), ("seeds", 5)):
        p.add_argument("--" + name, type=int, default=default)
    p.add_argument("--lr", type=float, default=0.02)
    p.add_argument("--init", default="he")
    p.add_argument("--regression", action="store_true")
    p.add_argument("--mlp_cl", default="build/mlp_cl")
    o = p.parse_args()
    o.mlp_cl, o.table = os.path.abspath(o.mlp_cl), os.path.abspath(o.table)
    seeds = range(1, o.seeds + 1)
    if os.path.isdir(o.table):
        results = [on_pictures(o, seed) for seed in seeds]
    else:
        with open(o.table, newline="", encoding="utf-8") as table:
            heading, *rows = list(csv.reader(table))
        results = [on_table(o, seed, heading, rows) for seed in seeds]
    results = numpy.array([(got, peer, got - peer) for got, peer in results])
    told = [f"{mean:.4f} ± {deviation:.4f}" for mean, deviation in zip(results.mean(axis=0), results.std(axis=0))]
    print(f"{os.path.basename(o.table)}: mlp_cl {told[0]}, scikit-learn {told[1]}, difference {told[2]}")


main()
