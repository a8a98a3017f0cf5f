#!/usr/bin/env python3
"""On demand: a network that begins in PyTorch continues here and goes back, with the same outputs on either side.

tests/interop/pytorch_peers.py BUILD/mlp_cl      (needs the Python packages numpy, torch and safetensors)
"""
import json
import pathlib
import struct
import subprocess
import sys
import tempfile

import numpy
import torch
from safetensors.torch import load_file, save_file

LIMIT = 1e-5
SHAPES = [(23, 7), (23, 17, 7), (23, 33, 5, 7)]


def run(*arguments):
    return subprocess.run([str(a) for a in arguments], check=True, capture_output=True, text=True).stdout


def sequential(widths, bias, dropout):
    layers = []
    for i, (inputs, outputs) in enumerate(zip(widths, widths[1:])):
        if i > 0:
            layers += [torch.nn.ReLU()] + ([torch.nn.Dropout(0.1)] if dropout else [])
        layers.append(torch.nn.Linear(inputs, outputs, bias=bias))
    return torch.nn.Sequential(*layers)


def write_data(folder):
    random = numpy.random.default_rng(1)
    rows, labels = random.integers(0, 256, (100, 23), numpy.uint8), random.integers(0, 7, 100, numpy.uint8)
    (folder / "rows").write_bytes(bytes([0, 0, 8, 2]) + struct.pack(">II", *rows.shape) + rows.tobytes())
    (folder / "labels").write_bytes(bytes([0, 0, 8, 1]) + struct.pack(">I", len(labels)) + labels.tobytes())
    return torch.tensor(rows.astype(numpy.float32) / 255)


def outputs(mlp_cl, model, folder):
    told = run(mlp_cl, "predict", model, "--data", folder / "rows", "--json", "--all", "--quiet")
    return torch.tensor([row["probabilities"] for row in json.loads(told)["predictions"]])


def difference(network, rows, wanted):
    network.eval()
    with torch.no_grad():
        return float((torch.softmax(network(rows), 1) - wanted).abs().max())


def compare(mlp_cl, folder, rows, widths, bias, dropout):
    begun, model = folder / "begun.safetensors", folder / "model.safetensors"
    network = sequential(widths, bias, dropout)
    save_file(network.state_dict(), begun)
    before = difference(network, rows, outputs(mlp_cl, begun, folder))
    run(mlp_cl, "train", "--data", folder / "rows", "--labels", folder / "labels", "--init-from", begun, "--epochs", 2,
        "--batch", 10, "--dropout", "0.1" if dropout else "0", "--out", model, "--force", "--quiet")
    network.load_state_dict(load_file(model))
    after = difference(network, rows, outputs(mlp_cl, model, folder))
    print(f"{str(widths):18} bias {bias!s:5} dropout {dropout!s:5}  before {before:.1e}  after {after:.1e}")
    return max(before, after) <= LIMIT


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        rows = write_data(folder)
        passed = [compare(sys.argv[1], folder, rows, widths, bias, dropout)
                  for widths in SHAPES for bias in (True, False) for dropout in (False, True)]
    sys.exit(0 if all(passed) else 1)


if __name__ == "__main__":
    main()
