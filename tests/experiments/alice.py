"""Alice in Wonderland, a character at a time: RNN, GRU and LSTM in one table, with samples.

Run it with ``python tests/experiments/alice.py $SEQBIO_DATA/recurrent/alice29.txt``. The text is
split by position, 90 % to learn from, and learned in 16 pieces side by side in 10 passes: 128
units, stretches of 64 characters, Adam at 0.008 falling to 0 on a cosine, gradients clipped at
norm 5. With ``--torch`` PyTorch's LSTM is trained beside it in the same way.
"""

from __future__ import annotations

import argparse
import os
import time
from itertools import pairwise
from math import log
from pathlib import Path

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import numpy as np

from seqbio import CharacterAlphabet, RecurrentModel

EPOCHS, BATCH, STEPS, HIDDEN, RATE = 10, 16, 64, 128, 0.008


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("file", type=Path)
    parser.add_argument("--cells", nargs="+", default=["rnn", "gru", "lstm"])
    parser.add_argument("--seeds", nargs="+", type=int, default=[0])
    parser.add_argument("--no-carriage-returns", action="store_true")
    parser.add_argument("--torch", action="store_true", help="PyTorch's LSTM too")
    arguments = parser.parse_args()

    text = arguments.file.read_bytes().decode()
    if arguments.no_carriage_returns:
        text = text.replace("\r\n", "\n")
    alphabet = CharacterAlphabet.of([text])
    cut = round(0.9 * len(text))
    learned, held_out = text[:cut], text[cut:]
    ends = np.linspace(0, cut, BATCH + 1).round().astype(int)
    pieces = [learned[a:b] for a, b in pairwise(ends)]
    print(f"{len(text)} characters, {alphabet.size} different, {len(held_out)} held out")
    rows = []
    for cell in arguments.cells:
        for seed in arguments.seeds:
            rows.append(learn(cell, seed, alphabet, pieces, held_out, samples=seed == 0))
    if arguments.torch:
        rows += [learn_in_torch(seed, alphabet, learned, held_out) for seed in arguments.seeds]
    print("\nmodel           seed   parameters   learned   held out   seconds")
    for name, seed, size, inside, outside, seconds in rows:
        print(f"{name:14s} {seed:5d} {size:12d} {inside:9.3f} {outside:10.3f} {seconds:9.1f}")
    print("(bits per character; seconds of training)")


def learn(cell, seed, alphabet, pieces, held_out, *, samples):
    model = RecurrentModel(
        cell=cell,
        hidden_size=HIDDEN,
        alphabet=alphabet,
        n_epochs=EPOCHS,
        batch_size=BATCH,
        learning_rate=RATE,
        truncate=STEPS,
        clip=5.0,
        seed=seed,
    )

    def show(state):
        if samples and cell == "lstm" and state.epoch in (1, 3, 10):
            sample(model, alphabet, pieces, state)

    if samples and cell == "lstm":
        print_sample(0, model.initialise(pieces))
    begin = time.perf_counter()
    model.fit(pieces, callbacks=[show])
    seconds = time.perf_counter() - begin
    inside = model.training_.history[-1].loss / log(2)
    outside = model.bits_per_symbol([held_out])
    print(f"{cell}, seed {seed}: {outside:.3f} bits per character held out", flush=True)
    return cell, seed, model.n_free_parameters_, inside, outside, seconds


def sample(model, alphabet, pieces, state):
    now = RecurrentModel(**model.get_params()).initialise(pieces)
    now.full_ = state.free  # tied over time alone, so the free parameters are the full ones
    print_sample(state.epoch, now)


def print_sample(epoch, model):
    [text] = model.simulate(1, length=240, prime="Alice ", temperature=0.8, seed=1)
    print(f"\n--- LSTM after {epoch} passes ---\n{printable(text)}\n", flush=True)


def printable(text):
    return "".join(c if c.isprintable() or c == "\n" else "" for c in text)


def learn_in_torch(seed, alphabet, learned, held_out):
    """The usual PyTorch program: parallel streams, one-hot letters, the state carried on."""
    import torch

    torch.set_num_threads(1)
    torch.manual_seed(seed)
    size = alphabet.size
    cell, readout = torch.nn.LSTM(size, HIDDEN), torch.nn.Linear(HIDDEN, size)
    parameters = [*cell.parameters(), *readout.parameters()]
    codes = torch.tensor(alphabet.encode(learned).astype(np.int64))
    streams = codes[: len(codes) // BATCH * BATCH].reshape(BATCH, -1).T
    n_steps = EPOCHS * len(range(0, len(streams) - 1, STEPS))
    adam = torch.optim.Adam(parameters, lr=RATE)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(adam, n_steps)
    eye, loss_of = torch.eye(size), torch.nn.functional.cross_entropy
    begin = time.perf_counter()
    for _ in range(EPOCHS):
        state, total, count = None, 0.0, 0
        for first in range(0, len(streams) - 1, STEPS):
            part = streams[first : first + STEPS + 1]
            outputs, state = cell(eye[part[:-1]], state)
            state = tuple(each.detach() for each in state)
            loss = loss_of(readout(outputs).reshape(-1, size), part[1:].reshape(-1))
            adam.zero_grad()
            loss.backward()
            torch.nn.utils.clip_grad_norm_(parameters, 5.0)
            adam.step()
            schedule.step()
            total, count = total + float(loss.detach()) * part[1:].numel(), count + part[1:].numel()
    seconds = time.perf_counter() - begin
    with torch.no_grad():
        coded = torch.tensor(alphabet.encode(held_out).astype(np.int64))
        outputs, _ = cell(eye[coded[:-1, None]])
        outside = float(loss_of(readout(outputs).reshape(-1, size), coded[1:])) / log(2)
    n_parameters = sum(each.numel() for each in parameters)
    return "PyTorch lstm", seed, n_parameters, total / count / log(2), outside, seconds


if __name__ == "__main__":
    main()
