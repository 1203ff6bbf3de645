"""Motifs: a training step beside PyTorch's, scanning beside Biopython and MOODS, and memory.

The training step is forward, backward and Adam for 256 sequences of 200 letters, 64 filters of
width 19, max pooling and logistic loss, in single precision. PyTorch is given its one-hot letters
ready-made; ours makes them from the codes in every step.

Biopython's `calculate` only scores; MOODS and lightmotif find the hits above a threshold, as we do.
They (``pip install MOODS-python lightmotif``) are given their thresholds, which they work out from
coarser scores, so that the numbers of hits differ a little, and lightmotif its encoded sequence;
ours checks the letters and works out the distribution of scores, and p- and q-values, in the time
shown.
"""

from __future__ import annotations

import argparse
import gzip
import tempfile
import time
from functools import partial
from pathlib import Path

import numpy as np

import seqbio
from seqbio import datasets
from seqbio.core import untied
from seqbio.core.optimizers import Adam
from seqbio.errors import DatasetError
from seqbio.motif import scan, windows
from seqbio.motif.motif_model import MotifModel
from seqbio.motif.motifs import make_motif
from seqbio.sequences import DNA
from seqbio.sequences.sequence_data import SequenceData
from tests.benchmarks import timing
from tests.benchmarks.timing import Report, Target, peak_memory, peak_memory_of

N, LENGTH, FILTERS, WIDTH = 256, 200, 64, 19
P_VALUE = 1e-4

# Everything runs on one thread, so the time of the processor leaves out what else it does.
take_turns = partial(timing.take_turns, clock=time.process_time)


class OurStep:
    """One step of Adam on one batch."""

    def __init__(self) -> None:
        generator = np.random.default_rng(0)
        codes = [generator.integers(0, 4, LENGTH).astype(np.uint8) for _ in range(N)]
        self.data = SequenceData(DNA, codes, generator.integers(0, 2, N))
        self.model = MotifModel(DNA, 2, FILTERS, WIDTH, "max", single=True)
        self.tying = untied(self.model.layout.size)
        self.free = self.model.random_start(generator)
        self.adam = Adam(self.tying.n_free)
        self.items, self.generator = np.arange(N), generator

    def __call__(self) -> None:
        full = self.tying.expand(self.free)
        _, n_items, gradient = self.model.batch_loss_and_gradient(
            full, self.data, self.items, self.generator
        )
        step = self.tying.pull_back(gradient) / n_items
        self.free = self.adam.step(self.free, step, learning_rate=1e-3)


class TorchStep:
    """The same in PyTorch."""

    def __init__(self, ours: OurStep) -> None:
        import torch

        torch.set_num_threads(1)
        self.torch = torch
        letters = windows.shares(ours.data, slice(None)).astype(np.float32).transpose(0, 2, 1)
        self.x = torch.tensor(np.ascontiguousarray(letters))
        self.y = torch.tensor(np.asarray(ours.data.labels), dtype=torch.float32)
        self.convolution = torch.nn.Conv1d(4, FILTERS, WIDTH)
        self.readout = torch.nn.Linear(FILTERS, 1)
        blocks = ours.model.layout.unflatten(ours.free)
        with torch.no_grad():
            self.convolution.weight.copy_(torch.tensor(blocks["weights"][0, 0]))
            self.convolution.bias.copy_(torch.tensor(blocks["bias"][0, 0]))
            self.readout.weight.copy_(torch.tensor(blocks["readout"][0]))
            self.readout.bias.copy_(torch.tensor(blocks["intercept"]))
        self.parameters = [*self.convolution.parameters(), *self.readout.parameters()]
        self.adam = torch.optim.Adam(self.parameters, lr=1e-3)

    def loss(self):
        pooled = self.convolution(self.x).amax(dim=2)
        return self.torch.nn.functional.binary_cross_entropy_with_logits(
            self.readout(pooled)[:, 0], self.y, reduction="sum"
        )

    def __call__(self) -> None:
        self.adam.zero_grad()
        (self.loss() / N).backward()
        self.adam.step()


def training(report: Report) -> None:
    ours = OurStep()
    try:
        theirs = TorchStep(ours)
    except ImportError:
        report.skip("training step, PyTorch", "PyTorch is not installed")
        return
    mine = ours.model.batch_loss(ours.free, ours.data, ours.items)[0]
    if not np.isclose(mine, float(theirs.loss().detach()), rtol=1e-5):
        raise SystemExit("the two do not compute the same loss")
    report.add("training step: PyTorch / ours", take_turns(ours, theirs), Target(6.0))


def known_motifs(n_motifs: int) -> list:
    from Bio import motifs as bio_motifs

    with gzip.open(datasets.path("jaspar2024"), "rt") as stream:
        found = list(bio_motifs.parse(stream, "transfac", strict=False))
    # No window of a narrower motif is as rare as the threshold.
    found = [motif for motif in found if motif.length >= 8]
    chosen = found[:: len(found) // n_motifs][:n_motifs]
    return [
        make_motif([motif.counts[letter] for letter in "ACGT"], motif["AC"]) for motif in chosen
    ]


def scanning(report: Report) -> None:
    try:
        record = seqbio.read_fasta(datasets.path("ecoli_genome"))[0]
        motifs = known_motifs(50)
    except DatasetError as error:
        report.skip("scanning E. coli", str(error).split(";")[0])
        return
    narrow = next(motif for motif in motifs if motif.length == 12)
    pssm = narrow.counts.normalize(pseudocounts=0.25).log_odds()
    other = pssm.reverse_complement()
    report.add(
        "one motif of width 12: Biopython / ours",
        take_turns(
            partial(scan, narrow, [record], P_VALUE),
            lambda: (pssm.calculate(record.seq), other.calculate(record.seq)),
        ),
        Target(40.0),
    )
    letters = str(record.seq)
    for name, chosen in (("one motif", [narrow]), ("50 motifs", motifs)):
        ours = partial(scan, chosen, [record], P_VALUE)
        for peer, prepare, target in (
            ("MOODS", moods_scan, Target(2.0)),
            ("lightmotif", lightmotif_scan, None),
        ):
            theirs = prepare(chosen, letters)
            if theirs is None:
                report.skip(f"{name}, {peer}", f"{peer} is not installed")
                continue
            case = f"{name}: {peer} / ours ({theirs()} and {len(ours())} hits)"
            report.add(case, take_turns(ours, theirs, at_least=5), target)


def moods_scan(motifs: list, letters: str):
    """Prepare MOODS's scan of both strands, without its preparation in the time."""
    try:
        import MOODS.scan
        import MOODS.tools
    except ImportError:
        return None
    background = MOODS.tools.flat_bg(4)
    matrices, thresholds = [], []
    for motif in motifs:
        counts = np.array([motif.counts[letter] for letter in "ACGT"])
        log_odds = MOODS.tools.log_odds([list(row) for row in counts], background, 1.0)
        for matrix in (log_odds, MOODS.tools.reverse_complement(log_odds)):
            matrices.append(matrix)
            thresholds.append(MOODS.tools.threshold_from_p(matrix, background, P_VALUE))
    scanner = MOODS.scan.Scanner(7)
    scanner.set_motifs(matrices, background, thresholds)
    return lambda: sum(map(len, scanner.scan(letters)))


def lightmotif_scan(motifs: list, letters: str):
    """Prepare lightmotif's scan of both strands, without its preparation in the time."""
    try:
        import lightmotif
    except ImportError:
        return None
    matrices = []
    for motif in motifs:
        counts = {letter: [round(count) for count in motif.counts[letter]] for letter in "ACGT"}
        log_odds = lightmotif.CountMatrix(counts).normalize(0.25).log_odds()
        for matrix in (log_odds, log_odds.reverse_complement()):
            matrices.append((matrix, matrix.score(P_VALUE)))
    striped = lightmotif.stripe(letters)
    return lambda: sum(
        len(list(lightmotif.scan(matrix, striped, threshold=threshold)))
        for matrix, threshold in matrices
    )


def memory(megabases: int) -> None:
    """Scan a synthetic chromosome and print the peak memory of this process."""
    generator = np.random.default_rng(0)
    alphabet = np.frombuffer(b"ACGT", dtype=np.uint8)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "chromosome.fa"
        with path.open("wb") as stream:
            stream.write(b">chromosome\n")
            for _ in range(megabases):
                lines = alphabet[generator.integers(0, 4, (10_000, 100))]
                line_ends = np.full((10_000, 1), ord("\n"), dtype=np.uint8)
                stream.write(np.hstack([lines, line_ends]).tobytes())
        motif = make_motif(generator.dirichlet([0.3] * 4, 14).T * 100, "random")
        scan(motif, path, P_VALUE)
    print(peak_memory())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--memory", type=int, metavar="MB", help="only scan so many megabases")
    parser.add_argument("--quick", action="store_true", help="leave out the 100 Mb chromosome")
    options = parser.parse_args()
    if options.memory:
        memory(options.memory)
        return
    if not options.quick:  # before this process grows: the size at the fork would count
        peak = peak_memory_of("tests.benchmarks.motif", "--memory", "100")
    report = Report("Motifs, one thread", "ours", "theirs", "theirs / ours")
    training(report)
    scanning(report)
    report.show()
    if not options.quick:
        print(f"scanning a chromosome of 100 Mb: peak memory {peak:.0f} MB (target: below 500)")


if __name__ == "__main__":
    main()
