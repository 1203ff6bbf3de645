"""The period of three of coding sequences: what an LSTM finds and a homogeneous chain cannot.

Run it with ``python tests/experiments/coding.py $SEQBIO_DATA/recurrent/ecoli_k12_cds.ffn.gz``. Of
each gene the first 300 letters are used. Besides held-out bits it counts stop codons within the
reading frame of sequences that the models draw: real genes have none, and a chain that does not
know the frame cannot avoid them. A Markov chain with three tables in turn (a tying of its own: the
tables of steps 0, 3, 6 ... are one, and so on) is the reference that knows the frame beforehand.
"""

from __future__ import annotations

import argparse
import os
import time
from math import log

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import numpy as np

from seqbio import MarkovModel, RecurrentModel, Tying, compare, read_fasta
from seqbio.core.training import grouped_split

LENGTH = 300
STOPS = {"TAA", "TAG", "TGA"}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("file")
    parser.add_argument("--hidden", type=int, default=64)
    parser.add_argument("--epochs", type=int, default=12)
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()

    genes = [str(record.seq).upper() for record in read_fasta(arguments.file)]
    genes = [gene[:LENGTH] for gene in genes if len(gene) > LENGTH + 3 and set(gene) <= set("ACGT")]
    learned, held_out = grouped_split(genes, 0.1, seed=0)
    learned, held_out = ([genes[i] for i in part] for part in (learned, held_out))
    print(f"first {LENGTH} nt of {len(learned)} genes to learn from, {len(held_out)} held out")
    print(
        "model                      parameters   bits per nt   by codon position       "
        "stops per 100 codons   seconds"
    )
    report("the genes themselves", None, None, held_out, held_out, 0.0)
    for order in (0, 2, 5):
        begin = time.perf_counter()
        model = MarkovModel(order=order, ends=False, pseudocount=1.0).fit(learned)
        drawn = [str(record.seq) for record in model.simulate(400, length=LENGTH, seed=1)]
        report(f"Markov, order {order}", model, markov_bits, held_out, drawn, elapsed(begin))
    begin = time.perf_counter()
    chain = {"order": 2, "ends": False, "max_length": LENGTH}
    tables = MarkovModel(tie=(), **chain).hypothesis(learned)[0].model.layout
    three = MarkovModel(tie=in_turn(tables, 3), pseudocount=1.0, **chain).fit(learned)
    drawn = [str(record.seq) for record in three.simulate(400, length=LENGTH, seed=1)]
    report("Markov, 2, three in turn", three, markov_bits, held_out, drawn, elapsed(begin))
    begin = time.perf_counter()
    network = RecurrentModel(
        hidden_size=arguments.hidden,
        n_epochs=arguments.epochs,
        learning_rate=0.005,
        seed=arguments.seed,
    ).fit(learned)
    seconds = elapsed(begin)
    drawn = [str(record.seq) for record in network.simulate(400, length=LENGTH, seed=1)]
    report(f"LSTM, {arguments.hidden} units", network, network_bits, held_out, drawn, seconds)
    result = compare(
        MarkovModel(tie=("time",), **chain), MarkovModel(tie=in_turn(tables, 3), **chain), genes
    )
    print(
        f"one table against three in turn, order 2: likelihood ratio {result.statistic:.0f} on "
        f"{result.df} degrees of freedom, log10 p = {result.log_pvalue / log(10):.0f} "
        f"({result.calibration})"
    )


def in_turn(layout, period):
    """Tie every table to the one a period before."""
    tables = layout.indices("next").reshape(layout.shapes["next"][0], -1)
    anchors = tables[np.arange(len(tables)) % period]
    return Tying.from_equations(layout.size, tables.ravel(), anchors.ravel())


def elapsed(begin):
    return time.perf_counter() - begin


def report(name, model, bits_of, held_out, drawn, seconds):
    codons = [text[i : i + 3] for text in drawn for i in range(0, LENGTH - 2, 3)]
    stops = 100 * np.mean([codon in STOPS for codon in codons])
    size, bits, by_position = "", "", ""
    if model is not None:
        table = bits_of(model, held_out)
        size, bits = str(model.n_free_parameters_), f"{table[:, 3:].mean():.4f}"
        by_position = "  ".join(f"{table[:, 3 + k :: 3].mean():.3f}" for k in range(3))
    print(f"{name:26s} {size:10s} {bits:>13s}   {by_position:21s} {stops:14.2f} {seconds:18.1f}",
          flush=True)  # fmt: skip


def markov_bits(model, records):
    """Bits of every letter, (n_records, LENGTH), as differences of those of beginnings."""
    return letter_bits(model.log_likelihood, records)


def network_bits(model, records):
    """The same for a network, whose beginnings have an end that must not count."""
    from seqbio.recurrent.network import forward
    from seqbio.recurrent.network_model import Batch

    network, full = model.model_, model.full_
    data = model._prepare(records, None)
    codes, lengths, targets = network.assemble(data, Batch(np.arange(len(data))))
    logits, _ = forward(
        network.architecture, network.blocks(full), codes, lengths, membership=network.membership
    )
    logits = logits[:LENGTH, :4]  # letters alone: given that the gene goes on
    logs = logits - np.log(np.exp(logits).sum(axis=1, keepdims=True))
    picked = np.take_along_axis(logs, targets[:LENGTH, None].astype(int), axis=1)[:, 0]
    return -picked.T / log(2)


def letter_bits(log_likelihood, records):
    ends = np.array([log_likelihood([r[:n] for r in records]) for n in range(1, LENGTH + 1)]).T
    return -np.diff(ends, axis=1, prepend=0) / log(2)


if __name__ == "__main__":
    main()
