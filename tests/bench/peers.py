"""Python frameworks as workers of compare.py: peers.py PEER [SETTING=VALUE ...]. Requests and answers as in worker.h.

Each peer does the same work: float32, dropout 0.2 after the hidden layers, mean cross-entropy, plain SGD ("train") or Adam ("adam"),
the batch resident. Settings: threads=N; device=cuda and graph (torch; a step as one CUDA graph); steps=N (training steps of one call, where a
loop can be compiled).
"""
import os
import statistics
import sys
import time

DROPOUT, RATE = 0.2, 0.01
ADAM_RATE, BETA1, BETA2, EPSILON = 0.001, 0.9, 0.999, 1e-8
TRAINING = ("train", "adam")


class Network:
    def __init__(self, widths, batch):
        import numpy as np

        random = np.random.default_rng(1)
        self.widths, self.batch, self.layers = widths, batch, len(widths) - 1
        self.x = random.random((batch, widths[0]), dtype=np.float32)
        self.labels = (np.arange(batch) * 7919 % widths[-1]).astype(np.int32)
        pairs = list(zip(widths, widths[1:]))
        self.weights = [((random.random(p, dtype=np.float32) * 2 - 1) / p[0] ** 0.5).astype(np.float32) for p in pairs]
        self.biases = [np.zeros(o, np.float32) for _, o in pairs]

    def flops(self, train):
        products = [2 * self.batch * i * o for i, o in zip(self.widths, self.widths[1:])]
        return 3 * sum(products) - products[0] if train else sum(products)

    def steps_of_call(self, settings):
        return min(int(settings.get("steps", 1)), max(1, int(3e10 / self.flops(True))))


def ready(name, module):
    print(f"ready {name} {module.__version__}", flush=True)


def threads(settings):
    return int(settings["threads"]) if "threads" in settings else None


# Each function imports its framework, says ready, and returns a function that turns a request into (call, wait, steps):
# a call does so many steps, or one inference; wait returns when all calls have ended.


def torch(settings, compiled=False):
    import torch
    import torch.nn.functional as F

    device = settings.get("device", "cpu")
    torch.backends.cuda.matmul.allow_tf32 = False
    torch.backends.cudnn.allow_tf32 = False
    if threads(settings):
        torch.set_num_threads(threads(settings))
    ready("torch.compile" if compiled else "torch eager", torch)
    wait = torch.cuda.synchronize if device == "cuda" else lambda: None

    def tensor(values):
        return torch.from_numpy(values).to(device)

    def forward(parameters, x, drop):
        count = len(parameters) // 2
        for i in range(count):
            x = F.linear(x, parameters[2 * i], parameters[2 * i + 1])
            if i < count - 1:
                x = F.relu(x)
                x = F.dropout(x, DROPOUT, True) if drop else x
        return x

    def loss(parameters, x, labels):
        return F.cross_entropy(forward(parameters, x, True), labels)

    def eager_step(parameters, x, labels):
        gradients = torch.autograd.grad(loss(parameters, x, labels), parameters)
        with torch.no_grad():
            torch._foreach_add_(parameters, gradients, alpha=-RATE)

    def whole_step(parameters, x, labels):
        torch._foreach_add_(parameters, torch.func.grad(loss)(parameters, x, labels), alpha=-RATE)

    def whole_adam_step(parameters, moments, squares, count, x, labels):
        gradients = torch.func.grad(loss)(parameters, x, labels)
        count.add_(1)
        rate, root = ADAM_RATE / (1 - BETA1**count), (1 - BETA2**count).sqrt()
        for p, m, v, g in zip(parameters, moments, squares, gradients):
            m.lerp_(g, 1 - BETA1)
            v.mul_(BETA2).addcmul_(g, g, value=1 - BETA2)
            p.sub_(rate * m / (v.sqrt() / root + EPSILON))

    def captured(run):
        """One step as a CUDA graph."""
        side = torch.cuda.Stream()
        side.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(side):
            for _ in range(3):
                run()
        torch.cuda.current_stream().wait_stream(side)
        graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(graph):
            run()
        return graph.replay

    def set_up(work, net):
        if work == "matmul":  # cuBLAS, or the CPU's BLAS
            product, m, n, k = net
            a = torch.rand((k, m) if product == "at_b" else (m, k), device=device)
            b = torch.rand((n, k) if product == "a_bt" else (k, n), device=device)
            a, b, c = a.T if product == "at_b" else a, b.T if product == "a_bt" else b, torch.empty(m, n, device=device)
            return lambda: torch.mm(a, b, out=c), wait, 1
        x, labels = tensor(net.x), tensor(net.labels).long()
        pairs = zip(net.weights, net.biases)
        parameters = [tensor(v) for w, b in pairs for v in (w.T.copy(), b)]
        if work == "predict":
            def predict():
                with torch.inference_mode():
                    return F.softmax(forward(parameters, tensor(net.x), False), 1).to("cpu")
            return predict, wait, 1
        run = lambda: eager_step(parameters, x, labels)
        if compiled:
            torch.set_grad_enabled(False)
            step = torch.compile(whole_adam_step if work == "adam" else whole_step, fullgraph=True, dynamic=False)
            kept = [tuple(torch.zeros_like(p) for p in parameters) for _ in range(2)] + [torch.zeros((), device=device)]
            kept = kept if work == "adam" else []
            run = lambda: step(tuple(parameters), *kept, x, labels)
        else:
            for p in parameters:
                p.requires_grad_()
            if work == "adam":
                optimizer = torch.optim.Adam(parameters, lr=ADAM_RATE, fused=True)

                def run():
                    optimizer.zero_grad(set_to_none=True)
                    loss(parameters, x, labels).backward()
                    optimizer.step()
        return (captured(run) if "graph" in settings else run), wait, 1

    return set_up


def torch_compile(settings):
    return torch(settings, compiled=True)


def jax(settings):
    import jax
    import jax.numpy as jnp

    jax.config.update("jax_default_matmul_precision", "highest")  # float32 on GPUs, too, not TF32
    ready("JAX", jax)

    def loss(parameters, key, x, labels):
        for i, (w, b) in enumerate(parameters):
            x = x @ w + b
            if i < len(parameters) - 1:
                kept = jax.random.bernoulli(jax.random.fold_in(key, i), 1 - DROPOUT, x.shape)
                x = jnp.where(kept, jax.nn.relu(x) * (1 / (1 - DROPOUT)), 0.0)
        return -jnp.mean(jnp.take_along_axis(jax.nn.log_softmax(x), labels[:, None], 1))

    def step(state, x, labels):
        parameters, key = state
        key, mask = jax.random.split(key)
        gradients = jax.grad(loss)(parameters, mask, x, labels)
        return jax.tree.map(lambda p, g: p - RATE * g, parameters, gradients), key

    def adam_step(state, x, labels):
        parameters, moments, squares, number, key = state
        key, mask = jax.random.split(key)
        gradients, number = jax.grad(loss)(parameters, mask, x, labels), number + 1
        rate, root = ADAM_RATE / (1 - BETA1**number), jnp.sqrt(1 - BETA2**number)
        moments = jax.tree.map(lambda m, g: m + (1 - BETA1) * (g - m), moments, gradients)
        squares = jax.tree.map(lambda v, g: BETA2 * v + (1 - BETA2) * g * g, squares, gradients)
        update = lambda p, m, v: p - rate * m / (jnp.sqrt(v) / root + EPSILON)
        return jax.tree.map(update, parameters, moments, squares), moments, squares, number, key

    def set_up(work, net):
        if work not in TRAINING:
            raise ValueError("training only")
        count = net.steps_of_call(settings)
        x, labels = jnp.array(net.x), jnp.array(net.labels)
        parameters = [(jnp.array(w), jnp.array(b)) for w, b in zip(net.weights, net.biases)]
        zeros = [jax.tree.map(jnp.zeros_like, parameters) for _ in range(2)]
        one = step if work == "train" else adam_step
        state = [(parameters, jax.random.key(1)) if work == "train" else
                 (parameters, *zeros, jnp.zeros(()), jax.random.key(1))]

        def steps(state, x, labels):
            return jax.lax.scan(lambda s, _: (one(s, x, labels), None), state, None, length=count)[0]

        compiled = jax.jit(steps if count > 1 else one, donate_argnums=0)

        def call():
            state[0] = compiled(state[0], x, labels)

        return call, lambda: jax.block_until_ready(state[0]), count

    return set_up


def tensorflow(settings):
    os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
    import tensorflow as tf

    ready("TensorFlow", tf)

    def set_up(work, net):
        if work not in TRAINING:
            raise ValueError("training only")
        count = net.steps_of_call(settings)
        x, labels = tf.constant(net.x), tf.constant(net.labels)
        weights, biases = [tf.Variable(w) for w in net.weights], [tf.Variable(b) for b in net.biases]
        parameters, number = weights + biases, tf.Variable(0.0)
        moments, squares = ([tf.Variable(tf.zeros_like(p)) for p in parameters] for _ in range(2))

        def adam(gradients):
            number.assign_add(1.0)
            rate, root = ADAM_RATE / (1 - BETA1**number), tf.sqrt(1 - BETA2**number)
            for p, m, v, g in zip(parameters, moments, squares, gradients):
                m.assign_add((1 - BETA1) * (g - m))
                v.assign_add((1 - BETA2) * (g * g - v))
                p.assign_sub(rate * m / (tf.sqrt(v) / root + EPSILON))

        def step():
            with tf.GradientTape() as tape:
                h = x
                for i in range(net.layers):
                    h = tf.nn.bias_add(tf.matmul(h, weights[i]), biases[i])
                    if i < net.layers - 1:
                        h = tf.nn.dropout(tf.nn.relu(h), DROPOUT)
                loss = tf.reduce_mean(tf.nn.sparse_softmax_cross_entropy_with_logits(labels=labels, logits=h))
            gradients = tape.gradient(loss, parameters)
            if work == "adam":
                adam(gradients)
                return loss
            for p, g in zip(parameters, gradients):
                p.assign_sub(RATE * g)
            return loss

        def steps():
            loss = tf.constant(0.0)
            for _ in tf.range(count):
                loss = step()
            return loss

        compiled, last = tf.function(steps if count > 1 else step, jit_compile="xla" in settings), [None]

        def call():
            last[0] = compiled()

        return call, lambda: last[0].numpy(), count

    return set_up


def tinygrad(settings):
    os.environ.setdefault("DEV", settings.get("device", "CL"))
    from importlib.metadata import version

    from tinygrad import Device, Tensor, TinyJit
    from tinygrad.helpers import Context
    from tinygrad.nn.optim import SGD, Adam

    print(f"ready tinygrad {version('tinygrad')}", flush=True)

    def set_up(work, net):
        if work not in TRAINING:
            raise ValueError("training only")
        x, labels = Tensor(net.x).realize(), Tensor(net.labels).realize()
        parameters = [Tensor(v) for w, b in zip(net.weights, net.biases) for v in (w, b)]
        for p in parameters:
            p.is_param_(True) if hasattr(p, "is_param_") else p.requires_grad_()
        optimizer = SGD(parameters, lr=RATE) if work == "train" else Adam(parameters, lr=ADAM_RATE)

        @TinyJit
        def step():
            optimizer.zero_grad()
            h = x
            for i in range(net.layers):
                h = h.linear(parameters[2 * i], parameters[2 * i + 1])
                h = h.relu().dropout(DROPOUT) if i < net.layers - 1 else h
            loss = h.sparse_categorical_crossentropy(labels).backward()
            return loss.realize(*optimizer.schedule_step())

        def call():
            with Context(TRAINING=1):
                step()

        for _ in range(3):  # eager, capture, replay
            call()
        return call, lambda: Device[Device.DEFAULT].synchronize(), 1

    return set_up


def onnxruntime(settings):
    import onnxruntime as ort
    from onnx import TensorProto, helper, numpy_helper

    ready("onnxruntime", ort)

    def model(net):
        nodes, constants, last = [], [], "x"
        for i in range(net.layers):
            constants += [numpy_helper.from_array(net.weights[i], f"w{i}"), numpy_helper.from_array(net.biases[i], f"b{i}")]
            nodes.append(helper.make_node("Gemm", [last, f"w{i}", f"b{i}"], [f"h{i}"]))
            kind = "Relu" if i < net.layers - 1 else "Softmax"
            last = f"r{i}" if i < net.layers - 1 else "y"
            nodes.append(helper.make_node(kind, [f"h{i}"], [last]))
        x = helper.make_tensor_value_info("x", TensorProto.FLOAT, [net.batch, net.widths[0]])
        y = helper.make_tensor_value_info("y", TensorProto.FLOAT, [net.batch, net.widths[-1]])
        graph = helper.make_graph(nodes, "net", [x], [y], constants)
        return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9).SerializeToString()

    def set_up(work, net):
        import numpy as np

        if work != "predict":
            raise ValueError("inference only")
        options = ort.SessionOptions()
        if threads(settings):
            options.intra_op_num_threads = threads(settings)
        session = ort.InferenceSession(model(net), options, providers=["CPUExecutionProvider"])
        x, y = (ort.OrtValue.ortvalue_from_numpy(v) for v in (net.x, np.empty((net.batch, net.widths[-1]), np.float32)))
        binding = session.io_binding()
        binding.bind_ortvalue_input("x", x)
        binding.bind_ortvalue_output("y", y)
        run, bound = session._sess.run_with_iobinding, binding._iobinding  # below the wrapper: one C++ call

        def call(keep=(session, binding, x, y)):
            run(bound, None)

        return call, lambda: None, 1

    return set_up


PEERS = {f.__name__: f for f in (torch, torch_compile, jax, tensorflow, tinygrad, onnxruntime)}


def measure(call, wait, seconds):
    """Median seconds of a call, as worker_measure does it."""

    def sample(times):
        began = time.perf_counter()
        for _ in range(times):
            call()
        wait()
        return time.perf_counter() - began

    began, times, samples = time.perf_counter(), 1, []
    sample(1)
    while sample(times) < 0.014:
        times *= 2
    while len(samples) < 3 or time.perf_counter() - began < seconds:
        samples.append(sample(times) / times)
    return statistics.median(samples)


def read(words):
    """The work, what it is done on, and its operations."""
    if words[0] == "matmul":
        m, n, k = map(int, words[2:5])
        return words[0], (words[1], m, n, k), 2 * m * n * k
    net = Network([int(w) for w in words[1].split(",")], int(words[2]))
    return words[0], net, net.flops(words[0] in TRAINING)


def main():
    settings = dict(s.split("=", 1) if "=" in s else (s, "1") for s in sys.argv[2:])
    set_up = PEERS[sys.argv[1]](settings)
    last = work = None
    for line in sys.stdin:
        words = line.split()
        try:
            if words[:-1] != last:
                work = None  # so that its memory is free before the next takes some
                kind, what, flops = read(words)
                work, last = set_up(kind, what), words[:-1]
            call, wait, steps = work
            microseconds = measure(call, wait, float(words[-1])) / steps * 1e6
            print(f"{microseconds:.4f} {flops / microseconds * 1e-3:.3f}", flush=True)
        except Exception as error:  # a peer that cannot is left out of the table, and the table goes on
            last = None
            print("error", str(error).split("\n")[0] or type(error).__name__, flush=True)


if __name__ == "__main__":
    main()
