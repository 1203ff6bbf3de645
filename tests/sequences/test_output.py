"""Files are written whole or not at all."""

from __future__ import annotations

import gzip
import os
import stat
import sys
from pathlib import Path

import pytest

from seqbio.sequences import atomic_writer


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
