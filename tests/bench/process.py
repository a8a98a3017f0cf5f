"""Whole processes beside the peers: a run to its test accuracy, the first step, and how time grows with the rows.

Ours is `mlp_cl train`, theirs is programs.py; each run is a process of its own, and in each round all of them run once,
one after the other. Memory is the largest resident set of the process (wait4)."""
import json
import os
import re
import statistics
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
FASHION = "/usr/share/datasets/fashion-mnist"
PEERS = {"PyTorch eager": "torch", "PyTorch compiled": "torch_compile", "JAX": "jax", "TensorFlow": "tensorflow",
         "tinygrad": "tinygrad"}


class Run:
    """What a process took; `output` is empty when it failed."""

    def __init__(self, command, environment=None):
        began = time.perf_counter()
        child = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
                                 env={**os.environ, **(environment or {})})
        self.output = child.stdout.read()
        _, status, usage = os.wait4(child.pid, 0)
        child.returncode = os.waitstatus_to_exitcode(status)
        self.seconds, self.mib = time.perf_counter() - began, usage.ru_maxrss / 1024
        if child.returncode != 0:
            self.output = ""


def ours(binary, folder, hidden, batch, epochs):
    return [binary, "train", "--data", folder, "--hidden", str(hidden), "--batch", str(batch), "--epochs", str(epochs),
            "--dropout", "0.2", "--lr", "0.05", "--json", "--quiet"]


def theirs(peer, folder, *numbers):
    return [sys.executable, "-B", os.path.join(HERE, "programs.py"), PEERS[peer], folder, *map(str, numbers)]


def accuracy(run):
    """Of the test part, after the last epoch."""
    return float(re.findall(r'(?:"test_accuracy":|accuracy )([0-9.]+)', run.output)[-1])


def write_data(folder, rows, width):
    """Random bytes in the MNIST layout, and a hundredth of the rows to test."""
    for part, count in ("train", rows), ("t10k", max(1, rows // 100)):
        with open(f"{folder}/{part}-images-idx3-ubyte", "wb") as file:
            file.write(bytes([0, 0, 8, 3]) + b"".join(n.to_bytes(4, "big") for n in (count, 1, width)))
            for _ in range(count):  # a row at a time: this process must stay small, its children begin with its memory
                file.write(os.urandom(width))
        with open(f"{folder}/{part}-labels-idx1-ubyte", "wb") as file:
            file.write(bytes([0, 0, 8, 1]) + count.to_bytes(4, "big") + bytes(i * 7919 % 10 for i in range(count)))


def table(heads, rows):
    print("\n| " + " | ".join(heads) + " |\n" + "| --- " * len(heads) + "|")
    for row in rows:
        print("| " + " | ".join(row) + " |", flush=True)


def alternate(commands, rounds):
    """Name to its runs, of those that succeed."""
    runs = {name: [] for name in commands}
    for number in range(rounds):
        for name in list(runs):
            print(f"  {name}: round {number + 1} of {rounds}", file=sys.stderr, flush=True)
            runs[name].append(Run(commands[name]))
            if not runs[name][-1].output:
                del runs[name]
    return runs


def cells(runs, us, of, digits):
    """The median of what `of` takes from a run, and of its ratio to ours in the same round."""
    ratio = statistics.median(of(theirs) / of(own) for theirs, own in zip(runs, us))
    return [f"{statistics.median(map(of, runs)):.{digits}f}", f"{ratio:.2f}"]


def whole_runs(binary, rounds, epochs=10):
    """784-512-10 on Fashion-MNIST, from the start of the process to the accuracy."""
    work = (FASHION, 512, 128, epochs)
    runs = alternate({"mlp_cl": ours(binary, *work), **{peer: theirs(peer, *work) for peer in PEERS}}, rounds)
    us = runs["mlp_cl"]
    rows = []
    for name, own in runs.items():
        time_cells, memory_cells = cells(own, us, lambda r: r.seconds, 1), cells(own, us, lambda r: r.mib, 0)
        rows.append([name, *time_cells, *memory_cells, f"{accuracy(own[-1]):.4f}"])
    table(["program", "seconds", "of ours", "peak MiB", "of ours", "accuracy"], rows)


def first_steps(binary, rounds):
    """Processes that take one step, and evaluate: with what earlier runs left in caches, and ours without."""
    rows, seconds = [], lambda runs: f"{statistics.median(r.seconds for r in runs):.2f}"
    for width, hidden, batch in (64, 32, 32), (784, 512, 128):
        with tempfile.TemporaryDirectory() as folder:
            write_data(folder, batch, width)
            work = (folder, hidden, batch, 1)
            commands = {"mlp_cl": ours(binary, *work), **{peer: theirs(peer, *work) for peer in PEERS}}
            alternate(commands, 1)
            runs = alternate(commands, rounds)
            cold = []
            for number in range(rounds):
                caches = {name: f"{folder}/{name}{number}" for name in ("MLP_CL_CACHE", "POCL_CACHE_DIR")}
                for path in caches.values():
                    os.mkdir(path, 0o700)
                cold.append(Run(commands["mlp_cl"], caches))
            rows.append([f"{width}-{hidden}-10, {batch}", seconds(cold)] +
                        [seconds(runs[name]) if name in runs else "failed" for name in commands])
    table(["seconds", "mlp_cl, nothing cached", "mlp_cl", *PEERS], rows)


def epoch_seconds(run):
    """The median of all epochs but the first, in which a process also begins."""
    ends = [epoch["seconds"] for epoch in json.loads(run.output)["epochs"]]
    return statistics.median(end - begin for begin, end in zip(ends, ends[1:]))


def growth(binary, rounds):
    """784-512-10, batch 128, on generated rows: the time of an epoch divided by its rows."""
    counts, base = (1000, 10000, 100000, 1000000), 100000
    with tempfile.TemporaryDirectory() as top:
        commands = {}
        for count in counts:
            os.mkdir(f"{top}/{count}")
            write_data(f"{top}/{count}", count, 784)
            commands[count] = ours(binary, f"{top}/{count}", 512, 128, max(2, 100000 // count))
        runs = alternate(commands, rounds)
    times = {count: [epoch_seconds(run) / count * 1e6 for run in runs[count]] for count in counts}
    ratio = lambda count: statistics.median(own / of for own, of in zip(times[count], times[base]))
    table(["rows", "µs of an epoch for a row", f"of that with {base:,}", "peak MiB"],
          [[f"{count:,}", f"{statistics.median(times[count]):.1f}", f"{ratio(count):.2f}",
            f"{statistics.median(run.mib for run in runs[count]):.0f}"] for count in counts])


def compare(binary, rounds):
    print("\n### Whole processes")
    for measure in whole_runs, first_steps, growth:
        print(f"\n{measure.__doc__}")
        measure(binary, rounds)
