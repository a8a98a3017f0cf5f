#!/usr/bin/env python3
"""On demand: exported networks, of classes, numbers and labels, against ONNX's own checker and onnxruntime.

tests/interop/onnx_peers.py BUILD/mlp_cl      (needs the Python packages numpy, onnx and onnxruntime)

Trains networks of several shapes on a device of the command's choice (MLP_CL_DEVICE), exports them, and compares every
probability with `predict --probabilities`. Exits with 1 where one differs by more than 1e-5.
"""
import json
import pathlib
import struct
import subprocess
import sys
import tempfile

import numpy
import onnx
import onnxruntime

LIMIT = 1e-5
CASES = {
    "softmax regression": ["--hidden", "none"],
    "one layer": ["--hidden", "32"],
    "no bias": ["--hidden", "17", "--no-bias"],
    "deep, dropout": ["--hidden", "33,5,31", "--dropout", "0.2"],
    **{name: ["--hidden", "33,17", "--activation", name] for name in ("leaky-relu", "tanh", "sigmoid", "gelu")},
}


def run(*arguments):
    return subprocess.run([str(a) for a in arguments], check=True, capture_output=True, text=True).stdout


def images(folder):
    """Two IDX files of random bytes, in which a class is a brighter column; the options, and what ONNX is given."""
    random = numpy.random.default_rng(1)
    rows, labels = random.integers(0, 200, (500, 23), numpy.uint8), random.integers(0, 7, 500, numpy.uint8)
    rows[numpy.arange(500), labels] += 55
    (folder / "rows").write_bytes(bytes([0, 0, 8, 2]) + struct.pack(">II", *rows.shape) + rows.tobytes())
    (folder / "labels").write_bytes(bytes([0, 0, 8, 1]) + struct.pack(">I", len(labels)) + labels.tobytes())
    return ["--data", folder / "rows", "--labels", folder / "labels"], ["--data", folder / "rows"], rows


COLOURS = ["blue", "green", "red"]


def table(folder):
    """A table with numbers of very different size, missing ones among them, and a column of text."""
    random = numpy.random.default_rng(2)
    labels, colours = random.integers(0, 3, 400), random.integers(0, 3, 400)
    years = 2000.5 + labels + random.random(400)
    small = 1e-4 * random.random(400) * (1 + labels)
    missing = random.random(400) < 0.1
    file = folder / "table.csv"
    with file.open("w") as stream:
        stream.write("year,small,colour,kind\n")
        for i in range(400):
            year = "" if missing[i] else repr(float(numpy.float32(years[i])))
            stream.write(f"{year},{float(numpy.float32(small[i]))!r},{COLOURS[colours[i]]},kind {labels[i]}\n")
    years[missing] = numpy.nan
    rows = numpy.column_stack([years, small, *(colours == c for c in range(3))])
    return ["--data", file, "--one-hot", "all", "--missing", "mean"], ["--data", file], rows


def columns(mlp_cl, model, rows):
    """One-hot columns in the order of the model's values."""
    told = json.loads(run(mlp_cl, "inspect", model, "--json"))["metadata"].get("mlp_cl.table")
    if told is None:
        return rows
    values = json.loads(told)["columns"][2]["values"]
    return numpy.column_stack([rows[:, :2], *(rows[:, 2 + COLOURS.index(value)] for value in values)])


def numbers(folder, names, answers):
    """A table of four columns of numbers, and columns to learn; what ONNX is given."""
    rows = numpy.random.default_rng(3).normal(50, 20, (400, 4)).astype(numpy.float32)
    file = folder / "numbers.csv"
    with file.open("w") as stream:
        stream.write(f"a,b,c,d,{','.join(names)}\n")
        for row, learned in zip(rows, numpy.column_stack(answers(rows))):
            stream.write(",".join(repr(float(value)) for value in [*row, *learned]) + "\n")
    return file, rows


def compare_targets(mlp_cl, folder, task, answers):
    """Numbers come back in the units of their columns, labels as probabilities."""
    model, exported = folder / "model.safetensors", folder / "model.onnx"
    names = ["u", "v"]
    file, rows = numbers(folder, names, answers)
    run(mlp_cl, "train", "--data", file, "--task", task, "--label", ",".join(names), "--epochs", 20, "--out", model, "--force",
        "--quiet")
    run(mlp_cl, "export", model, "--out", exported, "--force", "--quiet")
    onnx.checker.check_model(onnx.load(exported), full_check=True)
    told = [json.loads(line)["values"] for line in run(mlp_cl, "predict", model, file, "--format", "jsonl", "--quiet").splitlines()]
    wanted = numpy.array([[row[name] for name in names] for row in told])
    got = onnxruntime.InferenceSession(exported, providers=["CPUExecutionProvider"]).run(None, {"features": rows})[0]
    worst = float((numpy.abs(got - wanted) / wanted.std(axis=0)).max())
    print(f"{'table, ' + task:28} {len(wanted)} rows, largest difference {worst:.2e} of the column's deviation")
    return worst <= LIMIT


def compare(mlp_cl, folder, source, name, options):
    model, exported = folder / "model.safetensors", folder / "model.onnx"
    training, predicting, rows = source(folder)
    run(mlp_cl, "train", *training, "--epochs", 20, "--batch", 10, "--out", model, "--force", "--quiet", *options)
    run(mlp_cl, "export", model, "--out", exported, "--force", "--quiet")
    onnx.checker.check_model(onnx.load(exported), full_check=True)
    told = json.loads(run(mlp_cl, "predict", model, *predicting, "--json", "--all", "--quiet"))["predictions"]
    wanted = numpy.array([row["probabilities"] for row in told])
    session = onnxruntime.InferenceSession(exported, providers=["CPUExecutionProvider"])
    features = columns(mlp_cl, model, rows).astype(numpy.float32)
    got = session.run(["probabilities"], {"features": features})[0]
    worst = float(numpy.abs(got - wanted).max())
    print(f"{source.__name__ + ', ' + name:28} {len(wanted)} rows, largest difference {worst:.2e}")
    return worst <= LIMIT


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    with tempfile.TemporaryDirectory() as folder:
        passed = [compare(sys.argv[1], pathlib.Path(folder), source, *case)
                  for source in (images, table) for case in CASES.items()]
        passed.append(compare_targets(sys.argv[1], pathlib.Path(folder), "regression",
                                      lambda x: (x[:, 0] + x[:, 1], 1e4 * x[:, 2] - x[:, 3])))
        passed.append(compare_targets(sys.argv[1], pathlib.Path(folder), "multi-label",
                                      lambda x: (x[:, 0] > x[:, 1], x[:, 2] > 50)))
    sys.exit(0 if all(passed) else 1)


if __name__ == "__main__":
    main()
