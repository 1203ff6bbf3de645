"""A short attack on every reader; ``python -m tests.fuzz 10000`` is the long one."""

from __future__ import annotations

import signal
from random import Random

import pytest

from seqbio.errors import SequenceFormatError
from tests.fuzz import mutations
from tests.fuzz.attack import attack
from tests.fuzz.readers import Reader, readers

NAMES = ["sequences", "pairs", "groups", "motifs", "pair HMMs", "Markov models", "detectors"]
NAMES += ["recurrent models", "checkpoints", "settings"]

pytestmark = pytest.mark.skipif(not hasattr(signal, "SIGALRM"), reason="needs signals of UNIX")


def test_every_reader_is_attacked():
    assert list(readers()) == NAMES


@pytest.mark.parametrize("name", NAMES)
def test_spoiled_files_are_refused_or_read_as_they_are(name):
    n = 20 if name == "settings" else 100
    report = attack(name, readers()[name], n)
    assert report.failures == {}
    assert report.counts["refused"] > n / 4
    assert report.counts.total() == n


def read_badly(path):
    """Lose lines, fail on what is no text, and refuse what is empty."""
    content = path.read_bytes()
    if not content:
        raise SequenceFormatError("empty")
    return [line for line in content.decode("utf-8").split("\n") if line[:1].isdigit()]


def lines_lost(content, found, before):
    return "" if len(found) == content.count(b"\n") else "lines are lost"


def test_an_attack_finds_what_is_wrong():
    reader = Reader(read_badly, [b"1\n2\n3\n"], complaint=lines_lost)
    report = attack("bad", reader, 200)
    assert "accepted: lines are lost" in report.failures
    assert any("UnicodeDecodeError" in failure for failure in report.failures)
    assert report.counts["accepted"] > 20


@pytest.mark.parametrize(
    "way", [*mutations.BYTES, mutations.other_json], ids=lambda way: way.__name__
)
def test_the_same_seed_spoils_a_file_in_the_same_way(way):
    content = b'{"a": [1, 2.5, "x"],\n "b": {"c": null}}\n'
    spoiled = [way(content, Random(seed)) for seed in range(20)]
    assert spoiled == [way(content, Random(seed)) for seed in range(20)]
    assert len({*spoiled, content}) > 5 or way is mutations.other_encoding
