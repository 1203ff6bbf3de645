"""One training step of LSTM and GRU language models against PyTorch on one thread.

Run it with ``python tests/benchmarks/recurrent.py``; it starts itself twice, once with the kernels
that OpenBLAS picks and once with those for AVX-512, and measures both libraries alternately in one
process, in time of the processor, so that other programs do not count. With ``--scoring FASTA``
it scores proteins instead. PyTorch must be installed.
"""

from __future__ import annotations

import argparse
import itertools
import os
import subprocess
import sys
import time

THREADS = dict.fromkeys(("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"), "1")
SIZES = ((4, 32, 100, 64), (25, 64, 100, 128), (65, 64, 100, 256), (4, 64, 200, 32))


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--worker", action="store_true", help=argparse.SUPPRESS)
    parser.add_argument("--repeats", type=int, default=21)
    parser.add_argument("--scoring", metavar="FASTA", help="score these proteins instead")
    arguments = parser.parse_args()
    if arguments.worker:
        measure_scoring(arguments) if arguments.scoring else measure_steps(arguments.repeats)
        return
    for kernels in ("", "SkylakeX"):
        environment = os.environ | THREADS
        if kernels:
            environment["OPENBLAS_CORETYPE"] = kernels
        print(f"OpenBLAS kernels: {kernels or 'as picked'}", flush=True)
        command = [sys.executable, __file__, "--worker", *sys.argv[1:]]
        subprocess.run(command, env=environment, check=True)


def measure_steps(repeats):
    import numpy as np

    print(
        "cell letters batch steps hidden   seqbio ms   PyTorch ms   PyTorch / seqbio   "
        "largest difference"
    )
    for cell, (letters, batch, steps, hidden) in itertools.product(("lstm", "gru"), SIZES):
        ours, theirs = step_of_seqbio(cell, letters, batch, steps, hidden)
        theirs_step, theirs_gradient = step_of_torch(ours, theirs)
        gradient = ours["step"]()
        theirs_step()
        difference = max(
            np.abs(gradient[name] - value).max() for name, value in theirs_gradient().items()
        )
        times = np.empty((repeats, 2))
        for row in times:
            for column, step in enumerate((ours["step"], theirs_step)):
                begin = time.process_time()
                step()
                row[column] = time.process_time() - begin
        mine, other = np.median(times, axis=0) * 1e3
        ratio = np.median(times[:, 1] / times[:, 0])
        print(
            f"{cell:4} {letters:7d} {batch:5d} {steps:5d} {hidden:6d} {mine:11.2f} {other:12.2f} "
            f"{ratio:18.2f}   {difference:.1e}",
            flush=True,
        )


def step_of_seqbio(cell, letters, batch, steps, hidden):
    """Loss, gradient, clipping and Adam, the parameters through a tying, as `fit` does."""
    import numpy as np

    from seqbio.core import untied
    from seqbio.core.optimizers import Adam, clip_by_norm
    from seqbio.recurrent.network import Architecture
    from seqbio.recurrent.network_model import Batch, NetworkModel
    from seqbio.sequences import CharacterAlphabet
    from seqbio.sequences.sequence_data import SequenceData

    generator = np.random.default_rng(0)
    architecture = Architecture(cell, letters, letters, hidden)
    model = NetworkModel(architecture, np.eye(letters))
    codes = generator.integers(letters - 1, size=(batch, steps - 1)).astype(np.uint8)
    data = SequenceData(CharacterAlphabet("".join(map(chr, range(48, 47 + letters)))), list(codes))
    full = model.random_start(generator)
    tying, adam, everything = untied(full.size), Adam(full.size), Batch(np.arange(batch))

    def step():
        _, weight, slope = model.batch_loss_and_gradient(tying.expand(full), data, everything, None)
        slope, _ = clip_by_norm(tying.pull_back(slope) / weight, 5.0)
        adam.step(full, slope, learning_rate=1e-3)
        return model.layout.unflatten(slope)

    return {"step": step, "model": model, "full": full}, codes


def step_of_torch(ours, codes):
    import numpy as np
    import torch

    from seqbio.recurrent.exchange import to_state_dict

    torch.set_num_threads(1)
    model, full = ours["model"], ours["full"]
    letters, hidden = model.architecture.n_symbols, model.architecture.hidden_size
    state = to_state_dict(model.architecture, model.layout.unflatten(full))
    state = {name: torch.tensor(value, dtype=torch.float32) for name, value in state.items()}
    kind = {"lstm": torch.nn.LSTM, "gru": torch.nn.GRU}[model.architecture.cell]
    cell, readout = kind(letters, hidden), torch.nn.Linear(hidden, letters)
    cell.load_state_dict({name: v for name, v in state.items() if "readout" not in name})
    readout.load_state_dict({name: state[f"readout.{name}"] for name in ("weight", "bias")})
    boundary = np.full((1, codes.shape[0]), letters - 1)
    symbols = torch.tensor(np.concatenate([boundary, codes.T, boundary]), dtype=torch.long)
    eye = torch.eye(letters)
    parameters = [*cell.parameters(), *readout.parameters()]
    adam = torch.optim.Adam(parameters, lr=0.0)

    def step():
        adam.zero_grad()
        outputs, _ = cell(eye[symbols[:-1]])
        logits = readout(outputs).reshape(-1, letters)
        torch.nn.functional.cross_entropy(logits, symbols[1:].reshape(-1)).backward()
        torch.nn.utils.clip_grad_norm_(parameters, 5.0)
        adam.step()

    def gradient():
        bias = cell.bias_ih_l0.grad.numpy()
        if model.architecture.cell == "gru":  # the bias of n inside the reset product, too
            bias = np.concatenate([bias, cell.bias_hh_l0.grad.numpy()[2 * hidden :]])
        return {
            "layer0.forward.recurrent": cell.weight_hh_l0.grad.numpy(),
            "layer0.forward.input": cell.weight_ih_l0.grad.numpy(),
            "layer0.forward.bias": bias,
            "readout.weight": readout.weight.grad.numpy(),
        }

    return step, gradient


def measure_scoring(arguments):
    """Log-likelihood of every protein of a file, from the file, by both."""
    import numpy as np
    import torch

    from seqbio import RecurrentModel, read_fasta

    torch.set_num_threads(1)
    hidden = 64
    model = RecurrentModel(alphabet="protein", hidden_size=hidden, seed=0).initialise(["ACD"])
    state = {n: torch.tensor(v, dtype=torch.float32) for n, v in model.state_dict().items()}
    cell, readout = torch.nn.LSTM(21, hidden), torch.nn.Linear(hidden, 21)
    cell.load_state_dict({name: v for name, v in state.items() if "readout" not in name})
    readout.load_state_dict({name: state[f"readout.{name}"] for name in ("weight", "bias")})
    known = "ACDEFGHIKLMNPQRSTVWY"
    records = [
        r for r in read_fasta(arguments.scoring, alphabet="protein") if set(r.seq) <= set(known)
    ]

    def theirs():
        code = {letter: index for index, letter in enumerate(known)}
        coded = [torch.tensor([20, *(code[a] for a in str(r.seq)), 20]) for r in records]
        order = sorted(range(len(coded)), key=lambda i: len(coded[i]))
        eye, values = torch.eye(21), np.empty(len(coded))
        with torch.no_grad():
            for first in range(0, len(order), 64):
                items = order[first : first + 64]
                padded = torch.nn.utils.rnn.pad_sequence([coded[i] for i in items])
                outputs, _ = cell(eye[padded[:-1]])
                logs = torch.log_softmax(readout(outputs), dim=2)
                picked = logs.gather(2, padded[1:, :, None])[:, :, 0]
                for column, item in enumerate(items):
                    values[item] = picked[: len(coded[item]) - 1, column].sum()
        return values

    def ours():
        return model.log_likelihood(records)

    times = np.empty((max(1, arguments.repeats // 7), 2))
    for row in times:
        for column, function in enumerate((ours, theirs)):
            begin = time.process_time()
            values = function()
            row[column] = time.process_time() - begin
            if column == 0:
                mine = values
    mine_time, their_time = np.median(times, axis=0)
    print(
        f"{len(records)} proteins, {sum(map(len, records))} residues, hidden {hidden}: seqbio "
        f"{mine_time:.2f} s, PyTorch {their_time:.2f} s, ratio {mine_time / their_time:.2f}, "
        f"largest difference {np.abs(mine - values).max():.1e} nats"
    )


if __name__ == "__main__":
    main()
