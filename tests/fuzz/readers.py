"""What reads files, what it is given to begin with, and what an accepted file must agree with."""

from __future__ import annotations

import io
import os
import re
import shlex
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from random import Random
from tempfile import mkdtemp
from typing import Any

import numpy as np
from typer.testing import CliRunner

from seqbio import motif, pairhmm, recurrent, sequences
from seqbio.cli import app, groups
from seqbio.errors import SeqbioError
from tests.fuzz import mutations

Spoil = Callable[[bytes, Random], bytes]


@dataclass(frozen=True)
class Reader:
    """A way to read a file.

    Parameters
    ----------
    read : callable
        Of a path; gives all that the file says, as something that can be compared.
    contents : list of bytes
        Files that are right.
    ways : list of callable
        How they are spoiled.
    complaint : callable
        Of the bytes of an accepted file, what was read from it, and what was read before it was
        spoiled. Says what is wrong, if it is; nothing by default.
    """

    read: Callable[[Path], Any]
    contents: list[bytes]
    ways: list[Spoil] = field(default_factory=lambda: mutations.BYTES)
    complaint: Callable[[bytes, Any, Any], str] = lambda content, found, before: ""


# -- sequences -----------------------------------------------------------------------------------

FASTA = b">one first\nACGTACGTNN\nacgtac\n\n>two\tkind=a\nTTGACA\n>three \xc3\xa9\nGGRYGGCA\nTT\n"
PROTEINS = b">p1 x\r\nMKVLAADE*\r\n>p2\r\nWWXYBZ\r\n"


def plainly_read(content: bytes) -> list[tuple[str, bytes]]:
    """Read FASTA in the simplest way, for comparison."""
    _, clean = sequences.read_input(io.BytesIO(content))
    found: list[tuple[str, bytes]] = []
    for line in clean.split(b"\n"):
        if line.startswith(b">"):
            found.append((line[1:].decode().split()[0], b""))
        elif line.strip(b" \t"):
            found[-1] = (found[-1][0], found[-1][1] + line.translate(None, b" \t"))
    return [(name, letters.removesuffix(b"*")) for name, letters in found]


def read_records(path: Path) -> Any:
    """Read at once and as a stream, which must not differ."""
    alphabet = "protein" if b"MKV" in path.read_bytes() else "dna"

    def whole() -> list[Any]:
        return [(str(each.id), bytes(each.seq)) for each in sequences.read_fasta(path, alphabet)]

    def streamed() -> list[Any]:
        found: list[Any] = []
        for piece in sequences.stream_fasta(path, alphabet):
            if piece.start == 0:
                found.append((piece.id, b""))
            found[-1] = (piece.id, found[-1][1] + piece.letters[piece.n_repeated :])
        return found

    results = []
    for read in (whole, streamed):
        try:
            results.append(read())
        except SeqbioError as error:
            results.append(error)
    if isinstance(results[0], SeqbioError) and isinstance(results[1], SeqbioError):
        raise results[0]
    if results[0] != results[1]:
        raise AssertionError(f"as a whole: {results[0]}; as a stream: {results[1]}")
    return results[0]


def wrong_records(content: bytes, found: Any, before: Any) -> str:
    plain = plainly_read(content)
    return "" if found == plain else f"read {found}, and there is {plain}"


# -- pairs and groups ----------------------------------------------------------------------------

PAIRS = b"".join(b">x%d\nACGTAC\n>y%d some\nACGAC\n" % (i, i) for i in range(4))


def read_pairs(path: Path) -> Any:
    pairs = sequences.read_pairs(path, pairing="consecutive")
    return [(str(record.id), bytes(record.seq)) for pair in pairs for record in pair]


@cache
def the_pairs() -> list[Any]:
    return sequences.read_pairs(io.BytesIO(PAIRS), pairing="consecutive")


LABELS = b"# pair\tgroup\nx0,y0\tmouse\n2\trat\n\nx2, y2\tmouse\n4\trat\n"


def read_groups(path: Path) -> Any:
    return groups.read_labels(str(path), the_pairs())


def wrong_groups(content: bytes, found: Any, before: Any) -> str:
    _, clean = sequences.read_input(io.BytesIO(content))
    lines = [line for line in clean.decode().split("\n") if line.strip()]
    said = [line.split("\t")[1].strip() for line in lines if not line.startswith("#")]
    return "" if sorted(said) == sorted(found) else f"read {found}, and there is {said}"


# -- motifs --------------------------------------------------------------------------------------

JASPAR = (
    b">MA1 one\nA [ 3 0 1 ]\nC [ 0 1.5 1 ]\nG [ 0 1.5 1 ]\nT [ 1 1 1 ]\n"
    b">MA2\nA 1 2\nC 2 1\nG 0 1\nT 1 0\n"
)
MEME = (
    b"MEME version 4\n\nALPHABET= ACGT\n\nstrands: + -\n\nBackground letter frequencies\n"
    b"A 0.3 C 0.2 G 0.2 T 0.3\n\nMOTIF M1 one\nletter-probability matrix: alength= 4 w= 3 "
    b"nsites= 17 E= 4.1e-009\n 0.1 0.2 0.3 0.4\n 1.0 0 0 0\n 0.25 0.25 0.25 0.25\n\n"
    b"MOTIF M2\nletter-probability matrix:\n0.5 0.5 0 0\n0 0 0.5 0.5\nURL http://x.org/1\n"
)
DREME = (
    b'# DREME 5.5\nMEME version 5.5\n\nALPHABET "DNA" DNA-LIKE\nA "Adenine" CC0000 ~ T "Thymine" '
    b'008000\nC "Cytosine" 0000CC ~ G "Guanine" FFB300\nN = ACGT\nEND ALPHABET\n\n'
    b"MOTIF GGAA DREME-1\n# Word RC\nletter-probability matrix: alength= 4 w= 2 nsites= 9 E= 1e-3\n"
    b"0.0 0.0 1.0 0.0\n0.0 0.1 0.9 0.0\n\n# Stopping reason: none\n"
)
TRANSFAC = (
    b"VV  TRANSFAC\nXX\n//\nAC  M1\nXX\nID  V$ONE\nP0   A   C   G   T\n01   1   2   2   0   S\n"
    b"02   2   1   2   0   R\n03   0   0   5   0   G\nXX\n//\n"
)


def read_motifs(path: Path) -> Any:
    return [
        (found.name, motif.motifs.count_matrix(found).tolist()) for found in motif.read_motifs(path)
    ]


def is_number(word: str) -> bool:
    return re.fullmatch(r"[-+]?(\d+\.?\d*|\.\d+)([eE][-+]?\d+)?", word) is not None


def wrong_motifs(content: bytes, found: Any, before: Any) -> str:
    """Complain of motifs or columns that are lost, or are none."""
    _, clean = sequences.read_input(io.BytesIO(content))
    lines = [line.strip() for line in clean.decode().split("\n")]
    counts = [np.array(matrix) for _, matrix in found]
    if not all(np.isfinite(each).all() and (each >= 0).all() for each in counts):
        return f"read {found}"
    n_columns = sum(matrix.shape[1] for matrix in counts)
    if next(filter(None, lines)).startswith(">"):
        n_named = sum(line.startswith(">") for line in lines)
        rows = [
            re.sub(r"[][]", " ", line[1:]).split() for line in lines if line[:1] in set("ACGTacgt")
        ]
        n_rows = sum(map(len, rows)) / 4
    elif "MEME version" in clean.decode():
        n_named = sum(re.match(r"MOTIF(\s|$)", line) is not None for line in lines)
        n_rows = sum(len(line.split()) == 4 and all(map(is_number, line.split())) for line in lines)
    else:
        n_named = sum(re.match(r"P[0O](\s|$)", line) is not None for line in lines)
        n_rows = sum(
            bool(line.split()[4:]) and all(map(is_number, line.split()[:5])) for line in lines
        )
    if (n_named, n_rows) != (len(found), n_columns):
        return f"read {len(found)} motifs, {n_columns} columns; not {n_named}, {n_rows}"
    return ""


# -- saved models and checkpoints ----------------------------------------------------------------

RECORDS = ["ACGTACGTAC", "ACGGACGTTT", "AGGTACTTGA", "TTGTACGACA"]


@cache
def folder() -> Path:
    return Path(mkdtemp())


def saved(model: Any) -> bytes:
    file = folder() / "saved"
    model.save(file)
    return file.read_bytes()


def changed(content: bytes, found: Any, before: Any) -> str:
    """Complain of any change: what was saved is read as it was, or not at all."""
    return "" if repr(found) == repr(before) else f"read {found}, and {before} was saved"


def read_pair_hmm(path: Path) -> Any:
    hmm = pairhmm.PairHMM.load(path)
    alphabet = "ACGTN" if hmm.alphabet == "dna" else "MKVW"
    pairs = [(alphabet, alphabet[1:])]
    if hmm.groups_:
        pairs = pairhmm.GroupedPairs(pairs, [hmm.groups_[0]])
    return hmm.get_params(), hmm.parameters_, hmm.groups_, hmm.log_likelihood(pairs).tolist()


def read_chain(path: Path) -> Any:
    chain = recurrent.MarkovModel.load(path)
    return chain.get_params(), chain.log_likelihood(RECORDS).tolist()


def read_detector(path: Path) -> Any:
    detector = motif.MotifDetector.load(path)
    shares = detector.predict_proba(RECORDS)
    motifs = [motif.motifs.count_matrix(each).tolist() for each in detector.motifs_]
    if not np.allclose(shares.sum(axis=1), 1):
        raise AssertionError(f"probabilities {shares}")
    return detector.get_params(), detector.classes_.tolist(), shares.tolist(), motifs


def read_network(path: Path) -> Any:
    network = recurrent.RecurrentModel.load(path)
    records = RECORDS if network.alphabet == "dna" else ["to be", "be to"]
    if network.task == "next":
        return network.get_params(), network.log_likelihood(records).tolist()
    return network.get_params(), network.classes_.tolist(), network.predict_proba(records).tolist()


def trained(n_epochs: int, file: Path, *, resume: bool) -> Any:
    model = recurrent.RecurrentModel(
        hidden_size=2, n_epochs=n_epochs, batch_size=2, validation_fraction=0.3, seed=1
    )
    return model.fit(RECORDS, checkpoint=file, resume=resume)


def checkpoint() -> bytes:
    file = folder() / "checkpoint"
    trained(1, file, resume=False)
    return file.read_bytes()


def read_checkpoint(path: Path) -> Any:
    model = trained(2, path, resume=True)
    return model.full_.tolist(), [record.loss for record in model.training_.history]


@cache
def models() -> dict[str, Any]:
    """Make one model of each kind."""
    rates = {"open_x": 0.02, "open_y": 0.03, "extend_x": 0.3, "extend_y": 0.4, "end": 0.02}
    hmm = pairhmm.PairHMM(tie=()).set_parameters(rates | {"distance": 0.1, "kappa": 2.0})
    protein = pairhmm.PairHMM(alphabet="protein", tie=()).set_parameters(rates | {"distance": 0.5})
    grouped = pairhmm.PairHMM(tie=("open", "extend", "group.open"), gap_lengths=2, seed=1)
    grouped.fit(pairhmm.GroupedPairs(hmm.simulate(8, columns=30, seed=1), list("abababab")))
    chain = recurrent.MarkovModel(order=1, pseudocount=0.5).fit(RECORDS)
    untied = recurrent.MarkovModel(order=0, tie=(), max_length=10).fit(RECORDS)
    network = {"hidden_size": 2, "n_epochs": 1, "seed": 1}
    return {
        "pair HMMs": [hmm, protein, grouped],
        "Markov models": [chain, untied],
        "detectors": [
            motif.MotifDetector(n_motifs=1, width=4, n_epochs=1, seed=1).fit(RECORDS, [0, 1, 0, 1]),
            motif.MotifDetector(
                n_motifs=2, width=3, n_epochs=1, seed=1, tie=("position",), pooling="sum"
            ).fit(RECORDS, list("abca")),
        ],
        "recurrent models": [
            recurrent.RecurrentModel(**network).fit(RECORDS),
            recurrent.RecurrentModel(task="class", cell="gru", **network).fit(
                RECORDS, list("abab")
            ),
            recurrent.RecurrentModel(alphabet="text", cell="rnn", **network).fit(
                ["to be", "be to"]
            ),
        ],
    }


# -- the command line ----------------------------------------------------------------------------

COMMANDS = """\
pairhmm fit pairs.fa --tie open,extend --seed 1 --starts 1 --json
pairhmm fit pairs.fa --groups groups.tsv --tie open --frequencies 0.1,0.2,0.3,0.4
pairhmm test pairs.fa --null open --alternative none --calibration chi2 --seed 1
pairhmm test pairs.fa --calibration bootstrap --replicates 3 --seed 1
pairhmm align pairs.fa --model hmm.json --method mea --gap-factor 0.5 --format fasta
pairhmm align pairs.fa --pair x1,y1 --samples 2 --seed 3
pairhmm simulate --model hmm.json --pairs 2 --columns 20 --seed 1
pairhmm simulate @set --pairs 2 --seed 1
motif train kinds.fa --negatives others.fa --width 4 --motifs 1 --epochs 1 --save out.json --seed 1
motif scan m.meme kinds.fa --threshold 0.01 --pseudocount 0.5 --background 0.3,0.2,0.2,0.3
motif scan m.meme kinds.fa --format bed --strands one
motif predict kinds.fa --model detector.json --json
motif shuffle kinds.fa --copies 2 --seed 1
motif test kinds.fa --negatives others.fa --width 4 --splits 1 --seed 1
recurrent train kinds.fa --save o.npz --hidden 2 --epochs 1 --learning-rate 0.01 --clip 1 --seed 1
recurrent train kinds.fa --save o.npz --label kind --hidden 2 --epochs 1 --validation 0.5 --seed 1
recurrent score network.npz kinds.fa --json
recurrent simulate network.npz --records 2 --length 5 --temperature 0.5 --prime AC --seed 1
recurrent test kinds.fa --order 0 --window 2-4 --null time --seed 1
version --json
"""
_RATES = "open_x=0.02 open_y=0.02 extend_x=0.4 extend_y=0.4 end=0.1 distance=0.2 kappa=2"
_COUNTS = re.compile(
    r"--(epochs|replicates|splits|starts|copies|samples|pairs|records|length|columns)$"
)
"""Options that say how much work to do: as much as is asked for is done."""


@cache
def files() -> Path:
    """Write what the commands read."""
    place = folder() / "files"
    place.mkdir(exist_ok=True)
    texts = {"pairs.fa": PAIRS, "groups.tsv": LABELS, "m.meme": MEME}
    texts["hmm.json"] = saved(models()["pair HMMs"][0])
    texts["detector.json"] = saved(models()["detectors"][0])
    texts["network.npz"] = saved(models()["recurrent models"][0])
    for name, letters in (("kinds.fa", "ACGTACGGTA"), ("others.fa", "TTGACAGGCT")):
        rows = [f">{i} kind={i % 2}\n{letters[i:]}{letters}\n" for i in range(6)]
        texts[name] = "".join(rows).encode()
    for name, text in texts.items():
        (place / name).write_bytes(text)
    return place


VALUES = [*mutations.NUMBERS, "x", " ", "-", "--", "--json", "a,b", ",", "=", "1=2", "none", "auto"]
VALUES += [
    "open",
    "/",
    ".",
    "/dev/null",
    "\u0416",
    "\udcff",
    "%s",
    "$HOME",
    "1-",
    "0.5,0.5",
    "2-1",
    "\0",
]


def other_words(content: bytes, chance: Random) -> bytes:
    """Change one word of a command."""
    words = content.decode("utf-8", "surrogateescape").split("\n")
    place = chance.randrange(1, len(words))
    way = chance.choice(["value", "value", "value", "drop", "repeat", "swap", "cut"])
    if way == "value" and _COUNTS.match(words[place - 1]):
        words[place] = chance.choice(["0", "-1", "nan", "1e3", "1.5", "", "x", "9" * 30])
    elif way == "value":
        words[place] = chance.choice(VALUES)
    elif way == "drop":
        del words[place]
    elif way == "repeat":
        words[place:place] = words[place - 1 : place + 1]
    elif way == "swap":
        other = chance.randrange(1, len(words))
        words[place], words[other] = words[other], words[place]
    else:
        words[place] = words[place][: chance.randrange(len(words[place]) + 1)]
    return "\n".join(words).encode("utf-8", "surrogateescape")


def read_words(path: Path) -> Any:
    """Run a command, which must end in a result or one line that says what is wrong."""
    words = path.read_bytes().decode("utf-8", "surrogateescape").split("\n")
    os.chdir(files())
    result = CliRunner().invoke(app, words)
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    said = result.stderr.splitlines()
    if result.exit_code == 0:
        return result.stdout
    if result.exit_code not in (1, 2) or not said or not said[-1].startswith("error: "):
        raise AssertionError(f"exit {result.exit_code}: {said}")
    if sum(line.startswith("error: ") for line in said) != 1 or result.stdout:
        raise AssertionError(f"exit {result.exit_code}: {said}, {result.stdout[:200]}")
    raise SeqbioError(said[-1])


def wrong_output(content: bytes, found: Any, before: Any) -> str:
    return (
        f"not a number in {found[:300]}" if re.search(r"\b(nan|NaN|inf|Infinity)\b", found) else ""
    )


@cache
def readers() -> dict[str, Reader]:
    """Give all readers by name."""
    made = models()
    text = [*mutations.BYTES, *[mutations.other_json] * 6]
    arrays = [*mutations.BYTES, *[mutations.other_arrays] * 12]
    rates = " ".join(f"--set {each}" for each in _RATES.split())
    lines = COMMANDS.replace("@set", rates).splitlines()

    def of_models(kind: str, read: Callable[[Path], Any], ways: list[Spoil]) -> Reader:
        return Reader(read, [saved(model) for model in made[kind]], ways, changed)

    return {
        "sequences": Reader(read_records, [FASTA, PROTEINS], complaint=wrong_records),
        "pairs": Reader(read_pairs, [PAIRS], complaint=wrong_records),
        "groups": Reader(read_groups, [LABELS], complaint=wrong_groups),
        "motifs": Reader(read_motifs, [JASPAR, MEME, DREME, TRANSFAC], complaint=wrong_motifs),
        "pair HMMs": of_models("pair HMMs", read_pair_hmm, text),
        "Markov models": of_models("Markov models", read_chain, text),
        "detectors": of_models("detectors", read_detector, text),
        "recurrent models": of_models("recurrent models", read_network, arrays),
        "checkpoints": Reader(read_checkpoint, [checkpoint()], arrays, changed),
        "settings": Reader(
            read_words,
            ["\n".join(shlex.split(line)).encode() for line in lines],
            [other_words],
            wrong_output,
        ),
    }
