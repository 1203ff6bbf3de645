"""Files are written whole or not at all."""

from __future__ import annotations

import csv
import gzip
import io
import os
import re
import signal
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from seqbio.errors import ParameterError
from seqbio.recurrent import MarkovModel, RecurrentModel
from seqbio.sequences import (
    atomic_writer,
    check_target,
    open_descriptor,
    read_fasta,
    stream_fasta,
    tsv_line,
)


@pytest.mark.parametrize("path_type", [str, Path])
def test_text_and_bytes_are_written(tmp_path, path_type):
    with atomic_writer(path_type(tmp_path / "text")) as stream:
        stream.write("é\n")
    with atomic_writer(path_type(tmp_path / "bytes"), "wb") as stream:
        stream.write(b"\0\r\n")
    assert (tmp_path / "text").read_bytes() == "é\n".encode()
    assert (tmp_path / "bytes").read_bytes() == b"\0\r\n"
    assert {each.name for each in tmp_path.iterdir()} == {"bytes", "text"}


@pytest.mark.parametrize(("mode", "content"), [("w", "text\n"), ("wb", b"text\n")])
def test_gzip_by_name_and_equal_content_gives_equal_files(tmp_path, mode, content):
    for name in ("a.gz", "b.gz"):
        with atomic_writer(tmp_path / name, mode) as stream:
            stream.write(content)
    written = (tmp_path / "a.gz").read_bytes()
    assert gzip.decompress(written) == b"text\n"
    assert written == (tmp_path / "b.gz").read_bytes()
    assert written[3:8] == bytes(5), "the header has a file name or a time"


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt, SystemExit])
@pytest.mark.parametrize("name", ["x", "x.gz"])
@pytest.mark.parametrize("before", [None, b"old"])
def test_nothing_changes_when_the_block_raises(tmp_path, error, name, before):
    path = tmp_path / name
    if before is not None:
        path.write_bytes(before)

    def interrupted():
        with atomic_writer(path) as stream:
            stream.write("half" * 10_000)
            raise error

    with pytest.raises(error):
        interrupted()
    assert [each.read_bytes() for each in tmp_path.iterdir()] == ([before] if before else [])


def test_the_target_stays_as_it_was_until_the_end(tmp_path):
    path = tmp_path / "x"
    path.write_text("old")
    with atomic_writer(path) as stream:
        stream.write("new")
        stream.flush()
        assert path.read_text() == "old"
    assert path.read_text() == "new"


def test_permissions_are_those_of_any_new_file_or_of_the_old_one(tmp_path):
    (tmp_path / "usual").write_text("")
    with atomic_writer(tmp_path / "new"):
        pass
    assert (tmp_path / "new").stat().st_mode == (tmp_path / "usual").stat().st_mode
    (tmp_path / "usual").chmod(0o640)
    with atomic_writer(tmp_path / "usual"):
        pass
    assert stat.S_IMODE((tmp_path / "usual").stat().st_mode) == 0o640


@pytest.mark.skipif(os.name == "nt" or os.geteuid() != 0, reason="needs root")
def test_root_leaves_a_file_to_its_owner(tmp_path):
    (tmp_path / "x").write_text("old")
    os.chown(tmp_path / "x", 1234, 4321)
    with atomic_writer(tmp_path / "x"):
        pass
    about = (tmp_path / "x").stat()
    assert (about.st_uid, about.st_gid) == (1234, 4321)


def test_a_link_stays_a_link(tmp_path):
    (tmp_path / "file").write_text("old")
    (tmp_path / "link").symlink_to("file")
    with atomic_writer(tmp_path / "link") as stream:
        stream.write("new")
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "file").read_text() == "new"


def test_the_name_given_decides_on_compression_even_if_it_is_a_link(tmp_path):
    (tmp_path / "file").write_text("old")
    (tmp_path / "link.gz").symlink_to("file")
    with atomic_writer(tmp_path / "link.gz") as stream:
        stream.write("new")
    assert gzip.decompress((tmp_path / "file").read_bytes()) == b"new"


def test_a_pipe_is_written_and_not_replaced(tmp_path):
    # A pipe of our own stands for devices too: a real one would be lost if this ever failed.
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    try:
        with atomic_writer(pipe) as stream:
            stream.write("through\n")
        assert os.read(reader, 100) == b"through\n"
    finally:
        os.close(reader)
    assert pipe.is_fifo()


def test_errors_name_the_target(tmp_path):
    path = tmp_path / "absent" / "x"
    with pytest.raises(FileNotFoundError, match=r"absent/x'$"), atomic_writer(path):
        pass
    with pytest.raises(IsADirectoryError), atomic_writer(tmp_path):
        pass


@pytest.mark.parametrize("target", ["-", Path("-")])
def test_a_dash_is_standard_output(capfdbinary, target):
    sys.stdout.write("first\n")
    with atomic_writer(target, "wb") as stream:
        stream.write(b"second\n")
    with atomic_writer(target) as stream:
        stream.write("third\n")
    sys.stdout.write("fourth\n")
    sys.stdout.flush()
    assert capfdbinary.readouterr().out == b"first\nsecond\nthird\nfourth\n"


def test_a_kill_just_before_the_end_leaves_the_old_file(tmp_path):
    code = (
        "import os, signal, sys\nfrom seqbio.sequences import atomic_writer\n"
        "os.replace = lambda *_: os.kill(os.getpid(), signal.SIGKILL)\n"
        "with atomic_writer(sys.argv[1]) as stream: stream.write('new' * 10_000)"
    )
    path = tmp_path / "x"
    path.write_text("old")
    run = subprocess.run([sys.executable, "-c", code, path], check=False)
    assert run.returncode == -signal.SIGKILL
    assert path.read_text() == "old"


@pytest.mark.parametrize("form", ["/dev/fd/{}", "/proc/self/fd/{}", "link", "folder/{}"])
def test_an_open_file_is_written_where_others_stopped(tmp_path, form):
    with (tmp_path / "x").open("wb", buffering=0) as stream:
        path = form.format(stream.fileno())
        if "/" not in path:
            (tmp_path / path).symlink_to(f"/dev/fd/{stream.fileno()}")
        (tmp_path / "folder").symlink_to("/proc/self/fd")
        stream.write(b"first\n")
        with atomic_writer(tmp_path / path) as inner:
            inner.write("second\n")
        stream.write(b"third\n")
        assert open_descriptor(tmp_path / path) == stream.fileno()
    assert (tmp_path / "x").read_text() == "first\nsecond\nthird\n"
    with pytest.raises(OSError, match="Bad file descriptor"):
        check_target(f"/dev/fd/{10_000}")


def test_what_cannot_be_replaced_gets_nothing_when_the_block_raises(tmp_path, capsys):
    def broken(path):
        with atomic_writer(path) as stream:
            stream.write("half")
            raise ValueError

    with (tmp_path / "x").open("wb", buffering=0) as stream:
        for path in ("-", f"/dev/fd/{stream.fileno()}"):
            with pytest.raises(ValueError, match=r"^$"):
                broken(path)
    assert (tmp_path / "x").read_bytes() == b""
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize(
    ("path", "error"),
    [
        ("", ParameterError),
        (".", IsADirectoryError),
        ("new/", IsADirectoryError),
        ("absent/x", FileNotFoundError),
        ("file/x", NotADirectoryError),
        ("loop", OSError),
        ("n" * 300, OSError),
        ("a\0b", ParameterError),
        ("\ud800", ParameterError),
        (3, ParameterError),
        (None, ParameterError),
    ],
)
def test_targets_that_cannot_be_are_refused_and_nothing_is_left(tmp_path, monkeypatch, path, error):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "file").write_text("")
    (tmp_path / "loop").symlink_to("loop")
    before = {each.name for each in tmp_path.iterdir()}
    with pytest.raises(error), atomic_writer(path) as stream:
        stream.write("x")
    assert {each.name for each in tmp_path.iterdir()} == before


def test_a_link_to_nothing_yet_leads_to_the_new_file(tmp_path):
    (tmp_path / "link").symlink_to("file")
    with atomic_writer(tmp_path / "link") as stream:
        stream.write("new")
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "file").read_text() == "new"


def test_a_file_that_may_not_be_written_is_not_replaced(tmp_path, monkeypatch):
    (tmp_path / "x").write_text("old")
    protected = {"x": os.W_OK, tmp_path.name: os.W_OK | os.X_OK}
    for name, mode in protected.items():
        # Root may write everywhere.
        monkeypatch.setattr(os, "access", lambda p, m, n=name, k=mode: (Path(p).name, m) != (n, k))
        with pytest.raises(PermissionError, match=r"x'$"), atomic_writer(tmp_path / "x"):
            pass
    assert (tmp_path / "x").read_text() == "old"


def test_text_is_utf8_and_what_is_none_is_escaped(tmp_path, monkeypatch):
    class Terminal(io.TextIOWrapper):
        pass

    raw = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", Terminal(raw, "ascii"))
    for path in ("-", tmp_path / "x"):
        with atomic_writer(path) as stream:
            stream.write("é \udcff\n")
    expected = "é \\udcff\n".encode()
    assert raw.getvalue() == (tmp_path / "x").read_bytes() == expected


def test_a_standard_output_for_text_refuses_bytes(monkeypatch):
    monkeypatch.setattr(sys, "stdout", io.StringIO())
    with atomic_writer("-") as stream:
        stream.write("é\n")
    assert sys.stdout.getvalue() == "é\n"
    with pytest.raises(ParameterError, match="name a file"), atomic_writer("-", "wb") as stream:
        stream.write(b"\xff")


def test_a_closed_standard_output_is_told_beforehand(monkeypatch):
    monkeypatch.setattr(sys, "stdout", None)
    for path in ("-", "/dev/stdout", "/dev/fd/1"):
        with pytest.raises(OSError, match="standard output is closed"):
            check_target(path)


CELLS = ["#c", '"', 'a"b', "a\tb", "a\nb", "a\rb", " a ", "", "a,b", ">x", "é", "#", "'", "\\t"]


@pytest.mark.parametrize("first", CELLS)
def test_cells_of_tables_come_back_from_other_readers(first):
    text = tsv_line(CELLS) + tsv_line([first] * len(CELLS))
    assert list(csv.reader(io.StringIO(text, newline=""), "excel-tab")) == [
        CELLS,
        [first] * len(CELLS),
    ]
    assert not re.search("^#", text, re.MULTILINE)


@pytest.mark.parametrize("name", ["a\0b", "a\ud800b"], ids=["NUL", "no text"])
def test_names_that_no_file_can_have_are_refused(name):
    for use in (
        lambda: read_fasta(name),
        lambda: list(stream_fasta(name)),
        lambda: atomic_writer(name).__enter__(),
        lambda: check_target(name),
        lambda: MarkovModel.load(name),
        lambda: RecurrentModel.load(name),
        lambda: MarkovModel().fit(["ACGT"]).save(name),
    ):
        with pytest.raises(ParameterError, match=r"no file can be called 'a.*b'; give another"):
            use()
