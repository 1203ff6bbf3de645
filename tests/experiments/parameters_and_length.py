"""What tying over time saves: parameters by length, and overfitting without it.

Run it with ``python tests/experiments/parameters_and_length.py FILE``, FILE being the E. coli
proteome, ``$SEQBIO_DATA/recurrent/ecoli_k12_proteome.faa.gz``. It prints the numbers of free
parameters of an LSTM of 16 units, tied and not, for several lengths, then the learned and the
held-out bits per residue after every pass over residues 2 to 31 of 1000 proteins. With ``--figure
FILE`` both are drawn (needs matplotlib).
"""

from __future__ import annotations

import argparse
import os
from math import log

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

from seqbio import RecurrentModel, read_fasta

LENGTHS = (10, 30, 100, 300, 1000)
LENGTH, HIDDEN = 30, 16
TIES = {
    "tied over time": ("time",),
    "readout untied": ("time.input", "time.recurrent"),
    "input untied": ("time.recurrent", "time.readout"),
    "recurrent untied": ("time.input", "time.readout"),
    "untied": (),
}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("file")
    parser.add_argument("--epochs", type=int, default=30)
    parser.add_argument("--figure")
    arguments = parser.parse_args()

    counts = {name: [n_parameters(tie, length) for length in LENGTHS] for name, tie in TIES.items()}
    print(f"free parameters{'':7s}" + "".join(f"{f'length {n}':>14s}" for n in LENGTHS))
    for name, row in counts.items():
        print(f"  {name:20s}" + "".join(f"{count:14d}" for count in row))

    windows = list(
        dict.fromkeys(
            str(record.seq)[1 : LENGTH + 1]
            for record in read_fasta(arguments.file, alphabet="protein")
            if len(record) > LENGTH and set(str(record.seq)).isdisjoint("BJOUXZ")
        )
    )
    learned, held_out = windows[0:4000:4], windows[1:4000:8]
    print(f"\n{len(learned)} windows of {LENGTH} residues to learn from, {len(held_out)} held out")
    print("bits per residue       learned, last   held out, best (after pass)   held out, last")
    curves = {}
    for name, tie in TIES.items():
        model = RecurrentModel(
            hidden_size=HIDDEN,
            tie=tie,
            alphabet="protein",
            ends=False,
            max_length=LENGTH,
            n_epochs=arguments.epochs,
            learning_rate=0.01,
            schedule="constant",
            seed=0,
        ).fit(learned, validation=held_out)
        history = model.training_.history
        inside = [record.loss / log(2) for record in history]
        outside = [record.validation_loss / log(2) for record in history]
        curves[name] = inside, outside
        best = min(outside)
        print(
            f"  {name:20s} {inside[-1]:13.3f} {best:16.3f} ({outside.index(best) + 1:2d})"
            f"{outside[-1]:24.3f}",
            flush=True,
        )
    if arguments.figure:
        draw(counts, curves, arguments.figure)


def n_parameters(tie, length):
    model = RecurrentModel(
        hidden_size=HIDDEN, tie=tie, alphabet="protein", ends=False, max_length=length
    )
    return model.hypothesis(["ACD"])[0].tying.n_free


def draw(counts, curves, target):
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    figure, (left, right) = plt.subplots(1, 2, figsize=(10, 4), layout="constrained")
    for index, (name, row) in enumerate(counts.items()):
        left.plot(LENGTHS, row, marker="o", color=f"C{index}", label=name)
        inside, outside = curves[name]
        right.plot(range(1, len(outside) + 1), outside, color=f"C{index}", label=name)
        right.plot(range(1, len(inside) + 1), inside, color=f"C{index}", linestyle=":")
    left.set(xscale="log", yscale="log", xlabel="longest sequence", ylabel="free parameters")
    left.legend()
    right.set(xlabel="passes", ylabel="bits per residue (held out; dotted: learned)")
    figure.savefig(target)


if __name__ == "__main__":
    main()
