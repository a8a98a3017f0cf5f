"""Whole programs that train one classifier, as a careful user of each framework writes them, for process.py:
programs.py PEER DATA HIDDEN BATCH EPOCHS. DATA is a folder in the MNIST layout.

Each does what `mlp_cl train` does: one hidden layer, ReLU, dropout 0.2, mean cross-entropy, SGD with momentum, float32,
the bytes of the data resident and converted a batch at a time, loss and accuracy of the test part after each epoch. A
program that compiles its steps leaves the last rows of a shuffle out when they do not fill a batch."""
import glob
import gzip
import os
import sys

import numpy as np

DROPOUT, RATE, MOMENTUM = 0.2, 0.05, 0.9


def read_idx(path):
    data = (gzip.open if path.endswith(".gz") else open)(path, "rb").read()
    shape = np.frombuffer(data, ">u4", data[3], 4)
    return np.frombuffer(data, np.uint8, offset=4 + 4 * len(shape)).reshape(shape[0], -1)


def read(folder):
    """Rows of bytes and labels of the training part, and of the test part."""
    names = ["train-images", "train-labels", "t10k-images", "t10k-labels"]
    parts = [read_idx(glob.glob(f"{folder}/{name}*")[0]) for name in names]
    return [part.ravel() if "labels" in name else part for name, part in zip(names, parts)]


def initial(inputs, hidden):
    """He's: weights and biases of both layers."""
    draw = np.random.default_rng(1).standard_normal
    layers = (inputs, hidden), (hidden, 10)
    return [p.astype(np.float32) for i, o in layers for p in (draw((i, o)) * (2 / i) ** 0.5, np.zeros(o))]


def report(epoch, loss, accuracy):
    print(f"epoch {epoch + 1} loss {loss:.4f} accuracy {accuracy:.4f}", flush=True)


def torch(data, hidden, batch, epochs, compiled=False):
    import torch
    from torch import nn
    from torch.nn.functional import cross_entropy

    x, labels, test_x, test_labels = (torch.from_numpy(part.copy()) for part in data)
    labels, test_labels = labels.long(), test_labels.long()
    model = nn.Sequential(nn.Linear(x.shape[1], hidden), nn.ReLU(), nn.Dropout(DROPOUT), nn.Linear(hidden, 10))
    optimiser = torch.optim.SGD(model.parameters(), lr=RATE, momentum=MOMENTUM, fused=True)

    def loss_of(rows, labels):
        return cross_entropy(model(rows.float() / 255), labels)

    if compiled:
        loss_of = torch.compile(loss_of, fullgraph=True, dynamic=False)
    for epoch in range(epochs):
        model.train()
        total = 0.0
        batches = torch.randperm(len(x)).split(batch)
        for chosen in batches[:-1] if compiled and len(batches[-1]) < batch else batches:
            loss = loss_of(x[chosen], labels[chosen])
            optimiser.zero_grad(set_to_none=True)
            loss.backward()
            optimiser.step()
            total += loss.detach() * len(chosen)
        model.eval()
        with torch.inference_mode():
            right = (model(test_x.float() / 255).argmax(1) == test_labels).sum()
        report(epoch, float(total) / len(x), float(right) / len(test_x))


def torch_compile(*work):
    torch(*work, compiled=True)


def jax(data, hidden, batch, epochs):
    import jax
    import jax.numpy as jnp

    x, labels, test_x, test_labels = (jnp.asarray(part) for part in data)

    def logits_of(parameters, rows, key=None):
        w1, b1, w2, b2 = parameters
        h = jax.nn.relu((rows.astype(jnp.float32) / 255) @ w1 + b1)
        if key is not None:
            h = jnp.where(jax.random.bernoulli(key, 1 - DROPOUT, h.shape), h / (1 - DROPOUT), 0)
        return h @ w2 + b2

    def loss_of(parameters, rows, labels, key):
        picked = jnp.take_along_axis(jax.nn.log_softmax(logits_of(parameters, rows, key)), labels[:, None], 1)
        return -picked.mean()

    def step(state, chosen):
        parameters, velocity, key = state
        key, mask = jax.random.split(key)
        loss, gradient = jax.value_and_grad(loss_of)(parameters, x[chosen], labels[chosen].astype(jnp.int32), mask)
        velocity = [MOMENTUM * v + g for v, g in zip(velocity, gradient)]
        return ([p - RATE * v for p, v in zip(parameters, velocity)], velocity, key), loss

    def epoch_of(state):
        parameters, velocity, key = state
        key, shuffle = jax.random.split(key)
        order = jax.random.permutation(shuffle, len(x))[: len(x) // batch * batch].reshape(-1, batch)
        state, losses = jax.lax.scan(step, (parameters, velocity, key), order)
        right = logits_of(state[0], test_x).argmax(1) == test_labels
        return state, losses.mean(), right.mean()

    parameters = [jnp.asarray(p) for p in initial(x.shape[1], hidden)]
    state = (parameters, [jnp.zeros_like(p) for p in parameters], jax.random.key(1))
    epoch_of = jax.jit(epoch_of, donate_argnums=0)
    for epoch in range(epochs):
        state, loss, accuracy = epoch_of(state)
        report(epoch, float(loss), float(accuracy))


def tensorflow(data, hidden, batch, epochs):
    os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
    import tensorflow as tf

    x, labels, test_x, test_labels = (tf.constant(part) for part in data)
    parameters = [tf.Variable(p) for p in initial(x.shape[1], hidden)]
    velocity = [tf.Variable(tf.zeros_like(p)) for p in parameters]

    def logits_of(rows, drop):
        w1, b1, w2, b2 = parameters
        h = tf.nn.relu(tf.nn.bias_add(tf.matmul(tf.cast(rows, tf.float32) / 255, w1), b1))
        return tf.nn.bias_add(tf.matmul(tf.nn.dropout(h, DROPOUT) if drop else h, w2), b2)

    def step(chosen):
        wanted = tf.cast(tf.gather(labels, chosen), tf.int32)
        with tf.GradientTape() as tape:
            logits = logits_of(tf.gather(x, chosen), True)
            loss = tf.reduce_mean(tf.nn.sparse_softmax_cross_entropy_with_logits(labels=wanted, logits=logits))
        for p, v, g in zip(parameters, velocity, tape.gradient(loss, parameters)):
            v.assign(MOMENTUM * v + g)
            p.assign_sub(RATE * v)
        return loss

    @tf.function
    def epoch_of():
        order = tf.random.shuffle(tf.range(len(x)))
        total = tf.constant(0.0)
        for i in tf.range(len(x) // batch):
            total += step(tf.reshape(tf.slice(order, [i * batch], [batch]), [batch]))
        right = tf.argmax(logits_of(test_x, False), 1, tf.int32) == tf.cast(test_labels, tf.int32)
        return total / (len(x) // batch), tf.reduce_mean(tf.cast(right, tf.float32))

    for epoch in range(epochs):
        report(epoch, *map(float, epoch_of()))


def tinygrad(data, hidden, batch, epochs):
    os.environ.setdefault("DEV", "CL")
    from tinygrad import Tensor, TinyJit, nn
    from tinygrad.helpers import Context

    x, labels, test_x, test_labels = (Tensor(part.copy()).realize() for part in data)
    parameters = [Tensor(p) for p in initial(x.shape[1], hidden)]
    for p in parameters:
        p.is_param_(True) if hasattr(p, "is_param_") else p.requires_grad_()
    optimiser = nn.optim.SGD(parameters, lr=RATE, momentum=MOMENTUM)

    def logits_of(rows):
        w1, b1, w2, b2 = parameters
        return (rows.float() / 255).linear(w1, b1).relu().dropout(DROPOUT).linear(w2, b2)

    @TinyJit
    def step(rows, wanted):
        optimiser.zero_grad()
        loss = logits_of(rows).sparse_categorical_crossentropy(wanted).backward()
        return loss.realize(*optimiser.schedule_step())

    @TinyJit
    def right():
        return (logits_of(test_x).argmax(1) == test_labels).mean().realize()

    rows, wanted = data[0], data[1]
    for epoch in range(epochs):
        order, loss = np.random.default_rng(epoch).permutation(len(rows)), 0.0
        with Context(TRAINING=1):
            for i in range(len(rows) // batch):
                chosen = order[i * batch:(i + 1) * batch]
                loss = step(Tensor(rows[chosen]).realize(), Tensor(wanted[chosen].astype(np.int32)).realize())
        report(epoch, loss.item(), right().item())


PEERS = {f.__name__: f for f in (torch, torch_compile, jax, tensorflow, tinygrad)}

if __name__ == "__main__":
    peer, folder, *numbers = sys.argv[1:]
    PEERS[peer](read(folder), *map(int, numbers))
