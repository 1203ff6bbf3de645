"""What every option that writes does with files that are open, full, or named strangely."""

import contextlib
import csv
import json
import os
import re
import resource
import shutil
import subprocess
import sys
import threading
from pathlib import Path

import pytest

import seqbio
from seqbio import PairHMM, read_fasta
from seqbio.errors import ConvergenceError
from seqbio.motif import read_motifs

# Commands are started in other folders than this.
FOUND = os.environ | {"PYTHONPATH": str(Path(seqbio.__file__).parents[1])}
SEQBIO = [sys.executable, "-c", "from seqbio.cli import main; main()"]
NETWORK = "recurrent train {early} --hidden 1 --epochs 1 --save"
DETECTOR = "motif train {early} --width 4 --motifs 1 --epochs 1"
WRITERS = {
    "fit": "pairhmm fit {pairs} --intervals none -o {out}",
    "fit-json": "pairhmm fit {pairs} --intervals none --json -o {out}",
    "fit-save": "pairhmm fit {pairs} --intervals none --save {out}",
    "fit-report": "pairhmm fit {pairs} --intervals none --report {out}",
    "align": "pairhmm align {pairs} --model {model} -o {out}",
    "simulate": "pairhmm simulate --model {model} --seed 1 --columns 40 -o {out}",
    "motifs-save": f"{DETECTOR} --save {{out}}",
    "motifs": f"{DETECTOR} --write-motifs {{out}}",
    "motifs-logo": f"{DETECTOR} --logo {{out}}",
    "motifs-report": f"{DETECTOR} --report {{out}}",
    "scan": "motif scan {motif} {early} --threshold 0.1 -o {out}",
    "scan-bed": "motif scan {motif} {early} --threshold 0.1 --format bed -o {out}",
    "shuffle": "motif shuffle {early} --seed 1 -o {out}",
    "network": f"{NETWORK} {{out}}",
    "network-checkpoint": f"{NETWORK} /dev/null --checkpoint {{out}}",
    "sample": "recurrent sample {network} --length 90 --seed 1 -o {out}",
    "score": "recurrent score {network} {early} -o {out}",
}
# Reports have the time in them, and figures names that are drawn.
REPEATED = [name for name in WRITERS if not name.endswith(("report", "logo"))]


@pytest.fixture
def writes(run, small):
    """Return a function that runs one of the commands above with a file to write."""

    def writes(name, out):
        if not small["network"].exists():
            assert run(*f"{NETWORK} {{network}}".format_map(small).split()).exit_code == 0
        return run(*WRITERS[name].format_map(small | {"out": out}).split(), "--quiet")

    return writes


@contextlib.contextmanager
def files_of_at_most(n_bytes):
    """Let no file grow beyond a size, as on a full disk."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (n_bytes, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


@pytest.mark.parametrize("name", WRITERS)
@pytest.mark.parametrize("before", [None, b"old"])
def test_a_disk_that_is_full_half_way_leaves_the_old_file_or_none(writes, tmp_path, name, before):
    out = tmp_path / "out"
    assert writes(name, out).exit_code == 0
    assert len(out.read_bytes()) > 50
    out.unlink()
    if before is not None:
        out.write_bytes(before)
    with files_of_at_most(50):
        result = writes(name, out)
    assert result.exit_code == 1
    assert result.stderr == f"error: {out}: file too large\n"
    assert [file.read_bytes() for file in tmp_path.iterdir()] == ([before] if before else [])


@pytest.mark.parametrize("name", REPEATED)
def test_an_open_file_keeps_what_others_write(writes, tmp_path, name):
    assert writes(name, tmp_path / "alone").exit_code == 0
    with (tmp_path / "shared").open("wb", buffering=0) as stream:
        stream.write(b"first\n")
        result = writes(name, f"/dev/fd/{stream.fileno()}")
        assert result.exit_code == 0, result.stderr
        stream.write(b"last\n")
    alone = (tmp_path / "alone").read_bytes()
    assert (tmp_path / "shared").read_bytes() == b"first\n" + alone + b"last\n"


@pytest.mark.parametrize("name", WRITERS)
def test_a_pipe_gets_the_whole(writes, name):
    reader, writer = os.pipe()
    received = []

    def read():
        with os.fdopen(reader, "rb") as stream:
            received.append(stream.read())

    thread = threading.Thread(target=read)
    thread.start()
    with os.fdopen(writer, "wb"):
        result = writes(name, f"/proc/self/fd/{writer}")
    thread.join()
    assert result.exit_code == 0, result.stderr
    begins = {"report": b"<!DOCTYPE html>", "logo": b"\x89PNG"}
    assert received[0].startswith(begins.get(name.partition("-")[2], b""))
    assert len(received[0]) > 50


@pytest.mark.skipif(shutil.which("bash") is None, reason="needs bash")
@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("{ echo first; seqbio -o /dev/stdout; echo last; } > f; cat f", "first\n{}last\n"),
        ("{ echo first; seqbio -o -; echo last; } > f; cat f", "first\n{}last\n"),
        ("echo first > f; seqbio -o /dev/stdout >> f; cat f", "first\n{}"),
        ("seqbio -o /dev/stdout | cat", "{}"),
        (
            "seqbio -o >(cat > f); for i in 1 2 3 4 5 6 7 8 9; do [ -s f ] || sleep 1; done; cat f",
            "{}",
        ),
        ("ln -s /dev/stdout link; seqbio -o link | cat", "{}"),
        ("mkfifo p; cat p & seqbio -o p || echo > p; wait", "{}"),
        ("exec 3> f; seqbio -o /dev/fd/3; cat f", "{}"),
    ],
)
def test_a_shell_gets_what_it_asked_for(small, tmp_path, line, expected):
    command = f"motif shuffle {small['early']} --seed 1 -q".split()
    alone = subprocess.run([*SEQBIO, *command], capture_output=True, text=True, check=True).stdout
    function = f"seqbio() {{ {sys.executable} -c '{SEQBIO[2]}' {' '.join(command)} \"$@\"; }}; "
    run = subprocess.run(
        ["bash", "-c", function + line],
        cwd=tmp_path,
        env=FOUND,
        timeout=100,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (run.stderr, run.stdout) == ("", expected.format(alone))


@pytest.mark.parametrize(
    ("redirected", "status", "error"),
    [
        (">&-", 1, "error: standard output is closed\n"),
        ("-o /dev/stdout >&-", 1, "error: standard output is closed\n"),
        ("-o f >&-", 0, ""),
        ("-o f 2>&-", 0, ""),
        ("-o f >&- 2>&- <&-", 0, ""),
        ("-o g --nonsense 2>&-", 2, ""),
        ("| true", 0, ""),
        ("--copies 2000 | head -c 1 > f", 0, ""),
    ],
)
def test_closed_streams_are_one_line_at_most(small, tmp_path, redirected, status, error):
    line = f"{sys.executable} -c '{SEQBIO[2]}' motif shuffle {small['early']} --seed 1 {redirected}"
    run = subprocess.run(
        ["sh", "-c", line],
        cwd=tmp_path,
        env=FOUND,
        timeout=100,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (run.returncode, run.stdout, run.stderr) == (status, "", error)
    assert [file.name for file in tmp_path.iterdir()] == ["f"] * ("f" in redirected.split())


@pytest.mark.parametrize("encoding", ["cp1252", "ascii", "utf-16"])
@pytest.mark.parametrize("options", [[], ["--json"]])
def test_results_are_utf8_whatever_the_terminal(write, encoding, options):
    file = write("x.fa", ">é1 β\nACGTACGT\n>β2\nACGGACGT\n")
    run = subprocess.run(
        [*SEQBIO, "motif", "shuffle", file, "--seed", "1", *options],
        env=os.environ | {"PYTHONIOENCODING": encoding},
        capture_output=True,
        check=True,
    )
    text = run.stdout.decode("utf-8")
    assert "é1_shuffled" in text
    assert "β2_shuffled" in text


# -- failures that are not all ------------------------------------------------------------------


def test_an_output_that_fails_costs_no_other(run, fails, small, tmp_path):
    command = ("pairhmm", "fit", small["pairs"], "--intervals", "none", "--report")
    full, report, output = "/dev/full", tmp_path / "x.html", tmp_path / "x.txt"
    result = run(*command, report, "--save", full, "--output", output)
    assert result.exit_code == 1
    assert result.stderr == (
        "error: /dev/full: no space left on device; make room or choose another place\n"
    )
    assert "open_x" in output.read_text()
    assert "open_x" in report.read_text()
    result = run(*command, full, "--save", full, "--output", output)
    assert result.exit_code == 1
    assert result.stderr.count("error: /dev/full: no space left") == 2


def test_a_fit_without_intervals_says_so_in_every_output(run, small, tmp_path, monkeypatch):
    def refuse(*_, **__):
        raise ConvergenceError("the matrix is flat")

    monkeypatch.setattr(PairHMM, "confidence_intervals", refuse)
    report = tmp_path / "x.html"
    result = run("pairhmm", "fit", small["pairs"], "--report", report)
    assert result.exit_code == 0
    assert result.stderr == "warning: there are no intervals: the matrix is flat\n"
    assert "none: the matrix is flat" in result.stdout
    assert "there are no intervals: the matrix is flat" in report.read_text()
    assert "open_x" in report.read_text()
    content = json.loads(run("pairhmm", "fit", small["pairs"], "--json").stdout)
    assert content["interval_failure"] == "the matrix is flat"
    assert content["interval_method"] is None
    assert content["parameters"]["open_x"]["lower"] is None


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("pairhmm fit {pairs} --report x.pdf", "'x.pdf' ends in .pdf; name it .html"),
        ("pairhmm test {pairs} --report x.html.txt", "ends in .txt; name it .html"),
        ("pairhmm fit {pairs} --save x --output x", "--save: x is written for --output, too"),
        ("pairhmm fit {pairs} --save {pairs}", "is read, too; name another file"),
        ("pairhmm align {pairs} --model {model} -o {model}", "--output: .* is read, too"),
        ("pairhmm test {pairs} --groups x -o x", "--output: x is read, too"),
        ("motif train {early} --write-motifs x.svg --logo x.svg", "--logo: x.svg is written for"),
        (
            "motif train {early} --known {motif} --write-motifs {motif}",
            "--write-motifs: .* is read",
        ),
        ("motif train {early} --logo x.doc", "'x.doc' does not end in .png, .pdf, .svg"),
        ("motif train {early} --tie none --logo x.svg", "--logo: the filters are untied over posi"),
        ("motif scan {motif} {early} -o {early}", "--output: .* is read, too"),
        (
            "recurrent train {early} --save x --checkpoint x",
            "--checkpoint: x is written for --save",
        ),
        ("recurrent score {network} {early} -o {network}", "--output: .* is read, too"),
    ],
)
def test_files_that_cannot_be_meant_are_refused_before_the_work(
    fails, small, tmp_path, monkeypatch, line, message
):
    monkeypatch.chdir(tmp_path)
    before = {name: file.read_bytes() for name, file in small.items() if file.exists()}
    assert re.search(message, fails(2, *line.format_map(small).split()))
    assert {name: file.read_bytes() for name, file in small.items() if file.exists()} == before
    assert not list(tmp_path.iterdir())


# -- names ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "line",
    [
        "pairhmm fit {x} --intervals none",
        "pairhmm fit {x} --group-file {y} --tie open,extend,group.open --intervals none",
        "pairhmm test {x}",
        "motif train {x} --negatives {y} --width 3 --motifs 1 --epochs 1",
        "motif test {x} --negatives {y} --width 1 --splits 1",
        "motif shuffle {x}",
        "recurrent train {x} --hidden 1 --epochs 1 --save {z}",
        "recurrent test {x} --order 0 --window 1-4",
    ],
)
def test_names_of_files_that_are_no_text_are_escaped(run, small, tmp_path, line):
    names = {name: tmp_path / os.fsdecode(name.encode() + b"\xff.fa") for name in "xyz"}
    for name in "xy":
        shutil.copy(small["pairs"], names[name])
    words = [word.format_map(names) for word in line.split()]
    report = ["--report", tmp_path / "x.html"] * ("shuffle" not in line)
    text = run(*words, *report, "--seed", "1", "--quiet", "--output", tmp_path / "x.txt")
    assert text.exit_code == 0, text.stderr
    result = run(*words, "--seed", "1", "--quiet", "--json", "--output", tmp_path / "x.json")
    assert result.exit_code == 0, result.stderr
    content = json.loads((tmp_path / "x.json").read_text(encoding="utf-8"))
    assert str(names["x"]) in content.get("files", [content.get("file")])
    if report:
        assert r"x\udcff.fa" in (tmp_path / "x.html").read_text(encoding="utf-8")


def test_errors_escape_names_that_are_no_text(run, tmp_path):
    name = os.fsdecode(b"x\xff\x1b[31m.fa")
    result = run("motif", "shuffle", tmp_path / name)
    assert result.stderr.endswith(
        f"error: {tmp_path}/x\\udcff\\x1b[31m.fa: no such file or directory; check the name\n"
    )


NAMES = ["#c", ">x", "track1", "a%b", "a;b", "a=b", "a&b", "a,b", 'a"b', '"a', "é€", "id", "length"]


def named(names, letters="ACGTACGTAC", header="{}"):
    return "".join(f">{header.format(name)}\n{letters}\n" for name in names)


def test_hits_of_any_name_come_back(run, write):
    file = write("x.fa", named(NAMES))
    motif = "letter-probability matrix: w= 4\n" + "0.9 0.1 0 0\n" * 4
    motifs = write(
        "m.meme", "MEME version 4\n\n" + "".join(f"MOTIF {n} {n}\n{motif}" for n in NAMES)
    )
    assert [each.name for each in read_motifs(motifs)] == NAMES
    result = run("motif", "scan", motifs, file, "--threshold", "1")
    rows = list(csv.DictReader(result.stdout.splitlines(), dialect="excel-tab"))
    assert {row["sequence_name"] for row in rows} == {row["motif_id"] for row in rows} == set(NAMES)
    assert not any(line.startswith("#") for line in result.stdout.splitlines())


@pytest.mark.parametrize("classes", [["id", "length"], ["predicted", "#c"], ["class", 'a"b']])
def test_classes_named_like_columns_break_nothing(run, write, tmp_path, classes):
    rows = [named([f"r{i}"], "ACGT" * (i + 2), f"{{}} class={classes[i % 2]}") for i in range(12)]
    file, model = write("x.fa", "".join(rows)), tmp_path / "model.npz"
    run(
        "recurrent",
        "train",
        file,
        "--label",
        "class",
        "--hidden",
        1,
        "--epochs",
        1,
        "--save",
        model,
    )
    content = json.loads(run("recurrent", "score", model, file, "--json").stdout)
    assert [row["id"] for row in content["records"]] == [f"r{i}" for i in range(12)]
    assert [row["length"] for row in content["records"]] == [4 * (i + 2) for i in range(12)]
    table = run("recurrent", "score", model, file).stdout.splitlines()
    for row, record in zip(
        csv.DictReader(table, dialect="excel-tab"), content["records"], strict=True
    ):
        assert (row["id"], int(row["length"])) == (record["id"], record["length"])
        assert record["probabilities"].keys() == set(classes)
        for name in classes:
            assert float(row[f"P({name})"]) == pytest.approx(record["probabilities"][name], 1e-5)


def test_records_of_any_name_are_shuffled_and_scored(run, write, tmp_path):
    file = write("x.fa", named(NAMES))
    run("motif", "shuffle", file, "--seed", 1, "--output", tmp_path / "s.fa")
    ids = [record.id for record in read_fasta(tmp_path / "s.fa")]
    assert ids == [f"{name}_shuffled" for name in NAMES]
    run("recurrent", "train", file, "--hidden", 1, "--epochs", 1, "--save", tmp_path / "m.npz")
    result = run("recurrent", "score", tmp_path / "m.npz", file)
    rows = csv.DictReader(result.stdout.splitlines(), dialect="excel-tab")
    assert [row["id"] for row in rows] == NAMES


def test_groups_may_hold_pairs_with_commas(run, small, write):
    records = read_fasta(small["pairs"])
    ids = ["#x,1", "y", "x,1", "y,2", "a", "b", "c", "d"]
    text = "".join(f">{name}\n{record.seq}\n" for name, record in zip(ids, records, strict=True))
    labels = write("labels.tsv", "# a comment\n#x,1,y\tone\nx,1,y,2\tone\na,b\ttwo\nc,d\ttwo\n")
    result = run(
        "pairhmm", "fit", write("x.fa", text), "--groups", labels, "--intervals", "none", "--json"
    )
    assert json.loads(result.stdout)["groups"] == {"one": 2, "two": 2}


@pytest.mark.parametrize("letters", ["ACGTACGTAA ACCTACGTTA", "ACGTACGTACGT ACGTACGTACGT", "A C"])
@pytest.mark.parametrize(
    "options", ["", "--ends free", "--switch untied --end untied", "--intervals profile"]
)
def test_data_that_tell_little_get_every_output(run, write, tmp_path, letters, options):
    x, y = letters.split()
    file, report = write("x.fa", f">x\n{x}\n>y\n{y}\n"), tmp_path / "x.html"
    result = run("pairhmm", "fit", file, *options.split(), "--report", report)
    assert result.exit_code == 0, result.stderr
    assert "open_x" in result.stdout
    assert "open_x" in report.read_text()
