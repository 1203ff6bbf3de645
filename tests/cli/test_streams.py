"""Pipes are read once, by whichever command and option, or refused in a line."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from seqbio import MotifDetector, RecurrentModel
from seqbio.motif import make_motif, write_motifs

pytestmark = pytest.mark.skipif(not Path("/dev/fd").is_dir(), reason="pipes have no names here")

PAIRS = ">a\nACGTTGCATGCATCA\n>b\nACGTTGATGCATCA\n>c\nGGATTGCATGCATCA\n>d\nGGATTCATGCATCA\n"
FILES = ("pairs.fa", "groups.tsv", "m.meme", "pair.json", "r.npz", "d.json")
COUNTS = [[0, 0, 9], [0, 9, 0], [0, 0, 0], [9, 0, 0]]


@pytest.fixture(scope="module")
def files(tmp_path_factory, model):
    folder = tmp_path_factory.mktemp("streams")
    (folder / "pairs.fa").write_text(PAIRS)
    (folder / "groups.tsv").write_text("1\tx\n2\ty\n")
    write_motifs(make_motif(COUNTS, "m"), folder / "m.meme")
    sequences = ["ACGTTGCATGC", "GGATTCATGCA"] * 4
    model.save(folder / "pair.json")
    RecurrentModel(hidden_size=2, n_epochs=1, validation_fraction=0).fit(sequences).save(
        folder / "r.npz"
    )
    detector = MotifDetector(n_motifs=1, width=3, n_epochs=1, validation_fraction=0)
    detector.fit(sequences, [0, 1] * 4).save(folder / "d.json")
    return folder


@pytest.fixture
def pipe():
    """Return a function that puts a file into a pipe and gives the name of the pipe."""
    ends = []

    def fill(file):
        ends.extend(os.pipe())
        os.write(ends[-1], file.read_bytes())
        os.close(ends.pop())
        return f"/dev/fd/{ends[-1]}"

    yield fill
    for end in ends:
        os.close(end)


COMMANDS = [
    ("motif", "scan", "m.meme", "pairs.fa", "--threshold", "0.1"),
    ("motif", "scan", "--model", "d.json", "pairs.fa", "--threshold", "0.1"),
    ("motif", "predict", "--model", "d.json", "pairs.fa"),
    ("motif", "shuffle", "pairs.fa", "--seed", "1"),
    (
        *("motif", "train", "pairs.fa", "--negatives", "pairs.fa", "--known", "m.meme"),
        *("--width", "3", "--epochs", "1", "--validation", "0"),
    ),
    ("pairhmm", "fit", "pairs.fa"),
    ("pairhmm", "fit", "pairs.fa", "pairs.fa"),
    ("pairhmm", "fit", "pairs.fa", "--groups", "groups.tsv"),
    ("pairhmm", "align", "pairs.fa", "--model", "pair.json"),
    ("pairhmm", "simulate", "--model", "pair.json", "--seed", "1"),
    ("recurrent", "score", "r.npz", "pairs.fa"),
    ("recurrent", "simulate", "r.npz", "--seed", "1"),
]


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_a_pipe_is_as_good_as_a_file(run, files, pipe, command):
    plain = [files / word if word in FILES else word for word in command]
    piped = [pipe(word) if isinstance(word, os.PathLike) else word for word in plain]
    expected, result = run(*plain), run(*piped)
    assert result.exit_code == expected.exit_code == 0, result.output
    text = result.stdout
    for one, other in zip(piped, plain, strict=True):
        text = text.replace(str(one), str(other))
    # Lines are wrapped after names of other lengths.
    assert text.split() == expected.stdout.split()


TWICE = [
    ("motif", "scan", "m.meme", "STREAM", "--background", "sequences"),
    ("motif", "scan", "--model", "d.json", "STREAM", "--background", "sequences"),
    ("motif", "scan", "STREAM", "STREAM"),
    ("motif", "scan", "--model", "STREAM", "STREAM"),
    ("motif", "predict", "--model", "STREAM", "STREAM"),
    ("motif", "train", "STREAM", "--negatives", "STREAM"),
    ("motif", "train", "STREAM", "STREAM"),
    ("motif", "train", "STREAM", "--known", "STREAM"),
    ("motif", "test", "STREAM", "--negatives", "STREAM"),
    ("pairhmm", "fit", "STREAM", "STREAM"),
    ("pairhmm", "fit", "STREAM", "--groups", "STREAM"),
    ("pairhmm", "test", "STREAM", "--groups", "STREAM"),
    ("pairhmm", "align", "--model", "STREAM", "STREAM"),
]


@pytest.mark.parametrize("command", TWICE, ids=" ".join)
def test_a_stream_is_not_read_twice(fails, files, pipe, command):
    models = {"motif": "d.json", "pairhmm": "pair.json"}
    of_model = command[2:4] == ("--model", "STREAM")
    name = pipe(files / (models[command[0]] if of_model else "pairs.fa"))
    words = [files / word if word in FILES else word for word in command]
    line = fails(2, *(name if word == "STREAM" else word for word in words))
    assert line == f"{name} is a stream and cannot be read twice; save it in a file, and name that"
    if not of_model:
        line = fails(2, *("-" if word == "STREAM" else word for word in words), stdin=PAIRS)
        assert line.startswith("standard input is a stream and cannot be read twice")


def test_a_pipe_that_nobody_fills_is_refused_before_it_is_opened(fails, files, tmp_path):
    os.mkfifo(tmp_path / "named")
    words = ("scan", files / "m.meme", tmp_path / "named", "--background", "sequences")
    assert "named is a stream and cannot be read twice" in fails(2, "motif", *words)


@pytest.mark.parametrize("command", ["scan {}/m.meme -", "shuffle -", "scan - {}/pairs.fa"])
def test_standard_input_may_be_closed(files, command):
    program = f"{sys.executable} -c 'from seqbio.cli import main; main()'"
    shell = f"{program} motif {command.format(files)} <&-"
    run = subprocess.run(shell, shell=True, capture_output=True, text=True, check=False)
    assert run.returncode == 1
    assert run.stderr == "error: standard input is closed; give it something to read, or a file\n"


def test_standard_input_has_more_than_one_name(files, tmp_path):
    code = "from seqbio.cli import main; main()"
    for other in ("/dev/stdin", "/dev/fd/0"):
        command = [sys.executable, "-c", code, "motif", "scan", other, "-"]
        run = subprocess.run(command, input=b"MEME", capture_output=True, check=False)
        assert run.returncode == 2
        assert b"standard input is a stream and cannot be read twice" in run.stderr
