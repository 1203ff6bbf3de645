"""Do the same rules hold all along a protein? Markov chains and small networks.

Run it with ``python tests/experiments/homogeneity.py FILE``, FILE being the E. coli proteome,
``$SEQBIO_DATA/recurrent/ecoli_k12_proteome.faa.gz``. Windows of 29 residues are cut from the start
(residues 2 to 30; the first is methionine in nearly all) and from the middle; of copies of one
window the first is kept. Proteins of one family are not independent, so a third set leaves out
windows from the middle that share six letters in a row with an earlier one.

The chain of order 0 has one table or one for each place; that of order 1, which has 20 contexts,
one or three, for the first, the middle and the last third of the places. Their likelihood ratio has
a chi-squared law; for order 1, where many outcomes are rare, a bootstrap is made, too. The networks
(GRU, 4 units) read their state in the same way everywhere, or in three ways, by thirds. Nothing is
known of their likelihood ratio, so a held-out comparison of predictions is made or, with
``--split``, a split test. That needs the null's maximum, which is found for certain only where many
starts lead to it, as for a network of one unit (RNN, on 1000 windows, in double precision).
"""

from __future__ import annotations

import argparse
import os
import time

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import numpy as np

from seqbio import MarkovModel, RecurrentModel, Tying, compare, read_fasta

LENGTH = 29


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("file")
    parser.add_argument("--networks", type=int, default=4000, help="windows for the networks")
    parser.add_argument("--split", action="store_true")
    parser.add_argument("--no-chains", action="store_true", help="networks alone")
    parser.add_argument("--sets", nargs="*", help="names of window sets, as printed")
    arguments = parser.parse_args()

    proteins = [str(r.seq) for r in read_fasta(arguments.file, alphabet="protein")]
    proteins = [text for text in proteins if len(text) > LENGTH + 1]
    starts = [text[1 : LENGTH + 1] for text in proteins]
    middles = [text[(len(text) - LENGTH) // 2 :][:LENGTH] for text in proteins]
    sets = {
        "residues 2 to 30": starts,
        "the middle 29 residues": middles,
        "the middle, of related proteins the first": unrelated(middles),
    }
    for name in arguments.sets or sets:
        windows = [text for text in dict.fromkeys(sets[name]) if set(text).isdisjoint("BJOUXZ")]
        print(f"\n{name}: {len(windows)} different windows")
        for order in () if arguments.no_chains else (0, 1):
            chain = {"order": order, "alphabet": "protein", "ends": False, "max_length": LENGTH}
            if order:
                # 20 contexts at each place are too many for the data: one table for each third.
                report_thirds(windows, chain)
                continue
            report(
                f"Markov chain of order {order}",
                MarkovModel(tie=("time",), **chain),
                MarkovModel(tie=(), **chain),
                windows,
            )
        n_windows = 1000 if arguments.split else arguments.networks
        some = windows[:: max(1, len(windows) // n_windows)][:n_windows]
        network = {
            "cell": "rnn" if arguments.split else "gru",
            "hidden_size": 1 if arguments.split else 4,
            "alphabet": "protein",
            "ends": False,
            "max_length": LENGTH,
            "n_epochs": 20,
            "learning_rate": 0.01,
            "seed": 0,
        }
        if arguments.split:
            network["precision"] = "double"
        report(
            f"{network['cell'].upper()} on {len(some)} windows",
            RecurrentModel(tie=("time",), **network),
            RecurrentModel(tie=readout_by_thirds(network), **network),
            some,
            calibration="split" if arguments.split else "held-out",
            n_splits=2,
            n_starts=3 if arguments.split else 1,
        )


def unrelated(windows):
    """Leave out windows that share six letters in a row with an earlier one."""
    seen, kept = set(), []
    for text in windows:
        words = {text[i : i + 6] for i in range(LENGTH - 5)}
        if seen.isdisjoint(words):
            kept.append(text)
        seen |= words
    return kept


def report_thirds(windows, chain):
    """Order 1: a table each for the first, the middle and the last third of the places."""
    layout = MarkovModel(tie=(), **chain).hypothesis(windows)[0].model.layout
    for calibration in ("chi2", "bootstrap"):
        report(
            "Markov chain of order 1, by thirds",
            MarkovModel(tie=("time",), **chain),
            MarkovModel(tie=by_thirds(layout, "next"), **chain),
            windows,
            calibration=calibration,
            n_replicates=99,
        )


def readout_by_thirds(network):
    """Tie all but the readout over time, and the readout within each third of the places."""
    names = ("time.input", "time.recurrent")
    hypothesis, _ = RecurrentModel(tie=names, **network).hypothesis(["ACD"])
    layout, tying = hypothesis.model.layout, hypothesis.tying
    for block in ("readout.weight", "readout.bias"):
        tying = tying.intersect(by_thirds(layout, block))
    return tying


def by_thirds(layout, block):
    """Make a block the same within each third of its axis over time."""
    tables = layout.indices(block).reshape(layout.shapes[block][0], -1)
    first = np.array([part[0] for part in np.array_split(np.arange(len(tables)), 3)])
    anchor = first[np.searchsorted(first, np.arange(len(tables)), side="right") - 1]
    return Tying.from_equations(layout.size, tables.ravel(), tables[anchor].ravel())


def report(name, null, alternative, windows, **options):
    begin = time.perf_counter()
    result = compare(null, alternative, windows, seed=0, **options)
    pvalue = "none" if result.pvalue is None else f"{result.pvalue:.3g}"
    if result.log_pvalue is not None and result.log_pvalue < -700:
        pvalue = f"10^{result.log_pvalue / 2.302585:.0f}"
    print(
        f"  {name}: likelihood ratio {result.statistic:.1f}, df {result.df}, p {pvalue} "
        f"({result.calibration}; {time.perf_counter() - begin:.0f} s)"
    )
    if result.calibration not in ("chi-squared", "bootstrap"):
        print(f"    {result.null_law}\n    {result.conclusion}", flush=True)


if __name__ == "__main__":
    main()
