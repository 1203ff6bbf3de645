"""Bits per residue of held-out E. coli proteins: an LSTM against Markov chains.

Run it with ``python tests/experiments/proteins.py FILE``, FILE being the E. coli proteome,
``$SEQBIO_DATA/recurrent/ecoli_k12_proteome.faa.gz``.
Copies of one protein are kept on one side. Proteins with ambiguity codes (a few with
selenocysteine) are left out, so that all models score the same letters.
"""

from __future__ import annotations

import argparse
import os
import time
from math import log

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import numpy as np

from seqbio import MarkovModel, RecurrentModel, read_fasta
from seqbio.core.training import grouped_split


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("file")
    parser.add_argument("--hidden", type=int, default=128)
    parser.add_argument("--epochs", type=int, default=8)
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()

    records = read_fasta(arguments.file, alphabet="protein")
    records = [r for r in records if set(str(r.seq)) <= set("ACDEFGHIKLMNPQRSTVWY")]
    learned, held_out = grouped_split([str(r.seq) for r in records], 0.1, seed=0)
    learned, held_out = ([records[i] for i in part] for part in (learned, held_out))
    n_symbols = sum(len(record) + 1 for record in held_out)
    print(f"{len(learned)} proteins to learn from, {len(held_out)} held out ({n_symbols} symbols)")
    print(
        "model            parameters   held out (bits per residue)   learned   seconds", flush=True
    )

    baseline = None
    for order in (0, 1, 2, 3):
        begin = time.perf_counter()
        # The best of a few pseudocounts for each order, chosen on the held-out proteins, which
        # favours the chains a little.
        models = [
            MarkovModel(order=order, alphabet="protein", pseudocount=count).fit(learned)
            for count in (0.1, 1.0, 5.0, 25.0)
        ]
        best = min(models, key=lambda model: model.bits_per_symbol(held_out))
        show(
            f"Markov, order {order}",
            best,
            held_out,
            best.bits_per_symbol(learned),
            time.perf_counter() - begin,
        )
        if order == 2:
            baseline = best.log_likelihood(held_out)

    begin = time.perf_counter()
    model = RecurrentModel(
        alphabet="protein",
        hidden_size=arguments.hidden,
        n_epochs=arguments.epochs,
        batch_size=32,
        truncate=200,
        learning_rate=0.003,
        seed=arguments.seed,
    ).fit(learned)
    seconds = time.perf_counter() - begin
    inside = model.training_.history[-1].loss / log(2)
    show(f"LSTM, {arguments.hidden} units", model, held_out, inside, seconds)
    gain = (model.log_likelihood(held_out) - baseline) / log(2)
    error = gain.std(ddof=1) * np.sqrt(gain.size)
    print(
        f"LSTM over order 2: {gain.sum() / n_symbols:.4f} bits per residue (standard error "
        f"{error / n_symbols:.4f} over proteins), better in {np.mean(gain > 0):.0%} of them"
    )


def show(name, model, held_out, inside, seconds):
    outside = model.bits_per_symbol(held_out)
    print(
        f"{name:15s} {model.n_free_parameters_:11d} {outside:20.4f} {inside:19.4f} {seconds:9.1f}",
        flush=True,
    )


if __name__ == "__main__":
    main()
