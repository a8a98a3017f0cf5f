#!/usr/bin/env python3
"""On demand: exported networks against ONNX's own checker and onnxruntime.

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
}


def run(*arguments):
    return subprocess.run([str(a) for a in arguments], check=True, capture_output=True, text=True).stdout


def write_data(folder):
    """Two IDX files of random bytes, in which a class is a brighter column."""
    random = numpy.random.default_rng(1)
    rows, labels = random.integers(0, 200, (500, 23), numpy.uint8), random.integers(0, 7, 500, numpy.uint8)
    rows[numpy.arange(500), labels] += 55
    (folder / "rows").write_bytes(bytes([0, 0, 8, 2]) + struct.pack(">II", *rows.shape) + rows.tobytes())
    (folder / "labels").write_bytes(bytes([0, 0, 8, 1]) + struct.pack(">I", len(labels)) + labels.tobytes())
    return rows.astype(numpy.float32)


def compare(mlp_cl, folder, rows, name, options):
    model, exported = folder / "model.safetensors", folder / "model.onnx"
    data = ["--data", folder / "rows", "--labels", folder / "labels"]
    run(mlp_cl, "train", *data, "--epochs", 20, "--batch", 10, "--out", model, "--force", "--quiet", *options)
    run(mlp_cl, "export", model, "--out", exported, "--force", "--quiet")
    onnx.checker.check_model(onnx.load(exported), full_check=True)
    told = json.loads(run(mlp_cl, "predict", model, *data[:2], "--json", "--probabilities", "--quiet"))["predictions"]
    wanted = numpy.array([row["probabilities"] for row in told])
    session = onnxruntime.InferenceSession(exported, providers=["CPUExecutionProvider"])
    got = session.run(["probabilities"], {"features": rows})[0]
    worst = float(numpy.abs(got - wanted).max())
    print(f"{name:24} {len(wanted)} rows, largest difference {worst:.2e}")
    return worst <= LIMIT


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    with tempfile.TemporaryDirectory() as folder:
        rows = write_data(pathlib.Path(folder))
        passed = [compare(sys.argv[1], pathlib.Path(folder), rows, *case) for case in CASES.items()]
    sys.exit(0 if all(passed) else 1)


if __name__ == "__main__":
    main()
