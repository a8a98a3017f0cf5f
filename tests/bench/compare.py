"""Times mlp_cl beside its peers and prints tables of ratios: run it by run.sh, which builds the workers.

Every contestant is a process of its own that answers requests (worker.h). In each round all of them are asked once, one
after the other; a ratio is a peer's time over ours in the same round, and the table shows its median over the rounds. A
peer with several settings is shown by the one with the shortest median time."""
import argparse
import math
import os
import queue
import re
import statistics
import subprocess
import sys
import threading
import time

import process

HERE = os.path.dirname(os.path.abspath(__file__))
CORES = len(os.sched_getaffinity(0))

NETWORKS = ["64,32,10 32", "784,128,10 64", "784,512,10 128", "784,1024,1024,10 256", "1024,2048,2048,1000 1024"]
INFERENCE = [f"784,512,10 {rows}" for rows in (1, 2, 8, 32, 128, 1000)] + ["64,32,10 1", "64,32,10 100"]
PRODUCTS = ["1024 1024 1024", "2048 2048 2048", "128 512 784", "784 512 128", "256 1024 1024", "128 10 512", "1 512 784",
            "1000 77 333"]  # m n k
GPU_PRODUCTS = ["4096 4096 4096"]
ORIENTATIONS = {"a_b": "A·B", "a_bt": "A·Bᵀ", "at_b": "Aᵀ·B"}


def say(text):
    print(text, file=sys.stderr, flush=True)


class Worker:
    """A contestant's process. `version` is None when it does not start: the peer is not installed."""

    def __init__(self, name, command, environment=None):
        self.name, self.version, self.lines = name, None, queue.Queue()
        log = open(os.path.join(ARGUMENTS.workers, "peers.log"), "a")
        try:
            self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log, text=True,
                                            env={**os.environ, **(environment or {})})
        except OSError:
            return
        threading.Thread(target=self.read, daemon=True).start()
        answer = self.wait(120)
        if answer.startswith("ready "):
            self.version = answer[6:]

    def read(self):
        for line in self.process.stdout:
            if re.match(r"ready |error |[0-9.]+ [0-9.]+$", line):  # frameworks print, too
                self.lines.put(line.strip())
        self.lines.put("error: it has ended")

    def wait(self, seconds):
        try:
            return self.lines.get(timeout=seconds)
        except queue.Empty:
            self.process.kill()
            return "error: no answer in time"

    def ask(self, request, seconds):
        """Microseconds and GFLOP/s, or None."""
        try:
            self.process.stdin.write(f"{request} {seconds}\n")
            self.process.stdin.flush()
        except OSError:
            return None
        answer = self.wait(ARGUMENTS.timeout)
        time.sleep(0.05)  # its threads may still spin
        if answer.startswith("error"):
            say(f"  {self.name}: {answer}")
            return None
        return tuple(map(float, answer.split()))

    def end(self):
        if self.version is not None:
            self.process.stdin.close()
            try:
                self.process.wait(10)
            except subprocess.TimeoutExpired:
                self.process.kill()


def ours():
    return Worker("mlp_cl", [os.path.join(ARGUMENTS.workers, "ours"), ARGUMENTS.device, ARGUMENTS.kernels])


def has_avx512():
    try:
        with open("/proc/cpuinfo", encoding="utf-8") as file:
            return " avx512f " in file.read()
    except OSError:
        return False


def python_peer(name, peer, *settings):
    return [Worker(name, [sys.executable, "-B", os.path.join(HERE, "peers.py"), peer, *words]) for words in settings]


def peers_of(section, device_index):
    """The workers of the peers, those of one peer in a row."""
    binary = lambda name: os.path.join(ARGUMENTS.workers, name)
    clblast = lambda: [Worker("CLBlast", [binary("clblast"), device_index])]
    if section == "matmul" and ARGUMENTS.gpu:
        return python_peer("cuBLAS (torch)", "torch", ["device=cuda"]) + clblast()
    if section == "matmul":
        # Releases older than a processor take it for an old one: there they are told that it has AVX-512.
        blas = [("OpenBLAS", "libopenblas.so.0", "OPENBLAS_NUM_THREADS", {"OPENBLAS_CORETYPE": "SkylakeX"}),
                ("BLIS", "libblis.so.4", "BLIS_NUM_THREADS", {"BLIS_ARCH_TYPE": "skx"})]
        return [Worker(name, [binary("blas"), library], {variable: str(count)} | kernels)
                for name, library, variable, wide in blas for count in sorted({1, CORES})
                for kernels in ([{}, wide] if has_avx512() else [{}])] + clblast()
    if section == "predict":
        return python_peer("onnxruntime", "onnxruntime", [], ["threads=1"])
    if ARGUMENTS.gpu:
        return (python_peer("PyTorch eager", "torch", ["device=cuda"]) +
                python_peer("PyTorch compiled", "torch_compile", ["device=cuda"]) +
                python_peer("PyTorch CUDA graphs", "torch", ["device=cuda", "graph"]) +
                python_peer("PyTorch CUDA graphs", "torch_compile", ["device=cuda", "graph"]) +
                python_peer("JAX", "jax", [], ["steps=50"]) + python_peer("tinygrad", "tinygrad", []))
    return (python_peer("PyTorch eager", "torch", [], ["threads=1"]) +
            python_peer("PyTorch compiled", "torch_compile", [], ["threads=1"]) +
            python_peer("JAX", "jax", [], ["steps=50"]) +
            python_peer("TensorFlow", "tensorflow", [], ["steps=50"], ["steps=50", "xla"]) +
            python_peer("tinygrad", "tinygrad", []))


def time_case(request, contestants):
    """For each contestant that can: its times by round."""
    able = [w for w in contestants if w.ask(request, 0) is not None]
    times = {w: [] for w in able}
    for number in range(ARGUMENTS.rounds):
        say(f"  {request}: round {number + 1} of {ARGUMENTS.rounds}")
        for w in able:
            times[w].append(w.ask(request, ARGUMENTS.seconds))
    return {w: [microseconds for microseconds, _ in t] for w, t in times.items() if None not in t}


def ratio(times, w, us):
    return statistics.median(theirs / own for theirs, own in zip(times[w], times[us]))


def best_settings(times, us):
    """Peer's name to the worker of its fastest setting."""
    best = {}
    for w in times:
        if w is not us and (w.name not in best or statistics.median(times[w]) < statistics.median(times[best[w.name]])):
            best[w.name] = w
    return best


def label(request):
    words = request.split()
    if words[0] == "matmul":
        return f"{ORIENTATIONS[words[1]]} {words[2]}×{words[4]}×{words[3]}"
    return f"{words[1].replace(',', '-')}, {words[2]}"


def row_of(request, us, peers, names):
    """The cells of a table's row, and the ratio to the fastest peer."""
    times = time_case(request, [us] + peers)
    if us not in times:
        return [label(request)] + ["failed"] * (5 + len(names)), None
    rates = [(us.ask(request, ARGUMENTS.seconds)[1], PEAK.ask("fma", 0.2)[1]) for _ in range(3)]
    rate = statistics.median(own for own, _ in rates)
    share = statistics.median(own / peak for own, peak in rates)
    best = best_settings(times, us)
    fastest = min(best.values(), key=lambda w: statistics.median(times[w]), default=None)
    cells = [label(request), f"{statistics.median(times[us]):,.1f}", f"{rate:,.1f}", f"{share:.0%}"]
    cells += [f"{ratio(times, best[n], us):.2f}" if n in best else "failed" for n in names]
    if not fastest:
        return cells + ["none", "none"], None
    least = ratio(times, fastest, us)
    return cells + [f"{least:.2f}", f"{least / share:.2f}"], least


def compare(section, title, requests):
    us = ours()
    peers = peers_of(section, re.search(r"device (-?\d+)", us.version).group(1))
    missing = sorted({w.name for w in peers} - {w.name for w in peers if w.version is not None})
    peers = [w for w in peers if w.version is not None]
    names = list(dict.fromkeys(w.name for w in peers))
    print(f"\n### {title}\n")
    versions = dict.fromkeys(f"{w.name} ({w.version})" for w in peers)
    print("Peers: " + (", ".join(versions) or "none") + (f"; not installed: {', '.join(missing)}" if missing else "") + ".\n")
    heads = ["work", "mlp_cl, µs", "GFLOP/s", "of peak"] + names + ["fastest peer", "at peak"]
    print("| " + " | ".join(heads) + " |\n" + "| --- " * len(heads) + "|", flush=True)
    ratios = []
    for request in requests:
        cells, fastest = row_of(request, us, peers, names)
        ratios += [fastest] if fastest else []
        print("| " + " | ".join(cells) + " |", flush=True)
    if ratios:
        mean = math.exp(statistics.fmean(map(math.log, ratios)))
        print(f"\nAgainst the fastest peer of each row: geometric mean {mean:.2f}, least {min(ratios):.2f}.")
    for w in [us] + peers:
        w.end()


def processor():
    for line in open("/proc/cpuinfo") if os.path.exists("/proc/cpuinfo") else []:
        if line.startswith("model name"):
            return line.split(":", 1)[1].strip()
    return "unknown processor"


def parse():
    p = argparse.ArgumentParser(description="Tables of ratios: a peer's time over that of mlp_cl; above 1 we are faster.")
    p.add_argument("--workers", required=True, help=argparse.SUPPRESS)
    p.add_argument("--device", default="-", help="as in mlp_cl --device")
    p.add_argument("--kernels", default="-", help="as in mlp_cl --kernels")
    p.add_argument("--gpu", action="store_true", help="compare with cuBLAS and with PyTorch on CUDA")
    p.add_argument("--only", choices=["matmul", "train", "adam", "predict", "process"],
                   help="one table alone; process: whole programs, which only this asks for, as it takes long")
    p.add_argument("--quick", action="store_true", help="small work only")
    p.add_argument("--rounds", type=int, default=7)
    p.add_argument("--seconds", type=float, default=0.5, help="of each measurement")
    p.add_argument("--timeout", type=float, default=300, help="for an answer, compilation included")
    return p.parse_args()


def main():
    if PEAK.version is None:
        sys.exit("compare.py: mlp_cl finds no device")
    print(f"{PEAK.version}; {processor()}, {CORES} cores; load {os.getloadavg()[0]:.1f} at the start. "
          f"Medians of {ARGUMENTS.rounds} rounds; a peer's column is its time over ours, above 1 we are faster.")
    if ARGUMENTS.only == "process":
        return process.compare(os.path.join(ARGUMENTS.workers, "mlp_cl"), ARGUMENTS.rounds)
    sections = [
        ("matmul", "Products", [f"matmul {o} {p}" for p in GPU_PRODUCTS * ARGUMENTS.gpu + PRODUCTS for o in ORIENTATIONS]),
        ("train", "Training step (dropout 0.2, SGD)", [f"train {n}" for n in NETWORKS]),
        ("adam", "Training step (dropout 0.2, Adam)", [f"adam {n}" for n in NETWORKS]),
        ("predict", "Inference, data from and to the host", [f"predict {n}" for n in INFERENCE]),
    ]
    for section, title, requests in sections:
        if ARGUMENTS.only in (None, section) and not (ARGUMENTS.gpu and section == "predict"):
            compare(section, title, requests[:3] if ARGUMENTS.quick else requests)


if __name__ == "__main__":
    ARGUMENTS = parse()
    PEAK = ours()
    main()
    PEAK.end()
