"""Reports of tests and of fitted models: what they say, and that they need nothing else."""

from __future__ import annotations

import base64
import re
import shutil
import subprocess
import sys
from xml.etree import ElementTree

import html5lib
import numpy as np
import pytest

import seqbio
from seqbio import MarkovModel, MotifDetector, PairHMM, RecurrentModel, compare, datasets
from seqbio.core.tables import Table
from seqbio.errors import MissingDependencyError, NotFittedError, ParameterError
from seqbio.report import check_installed, write_report

TRUTH = {
    "open_x": 0.03,
    "open_y": 0.05,
    "extend_x": 0.4,
    "extend_y": 0.5,
    "end": 0.02,
    "distance": 0.2,
    "kappa": 2.0,
}
HOSTILE = """<script src="https://example.org/x.js"></script>&'"><img src=x onerror=alert(1)>"""
CHROMIUM = next(
    filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None
)
SOURCES = {}


def source(function):
    SOURCES[function.__name__] = function
    return function


@pytest.fixture(scope="module")
def pairs():
    return PairHMM(tie=()).set_parameters(TRUTH).simulate(5, columns=60, seed=2)


@source
def chi_squared(pairs):
    return compare(PairHMM(), PairHMM(tie=()), pairs)


@source
def bootstrap(pairs):
    null, alternative = PairHMM(), PairHMM(tie=())
    return compare(null, alternative, pairs, calibration="bootstrap", n_replicates=5, seed=1)


@source
def no_p_value(pairs):
    return compare(PairHMM(), PairHMM(tie=()), pairs[:1], calibration="chi2")


@source
def pair_hmm(pairs):
    return PairHMM(tie=("open",)).fit(pairs)


@source
def markov_chain(pairs):
    settings = {"order": 0, "ends": False, "max_length": 12}
    records = [x[:12] for x, _ in pairs] + [y[:12] for _, y in pairs]
    null, alternative = (MarkovModel(tie=tie, **settings) for tie in (("time",), ()))
    return compare(null, alternative, records, calibration="split", n_splits=2, seed=1)


@source
def network(pairs):
    model = RecurrentModel(hidden_size=2, n_epochs=2, validation_fraction=0.3, seed=1)
    return model.fit([record for pair in pairs for record in pair])


@source
def detector(pairs):
    records = [record for pair in pairs for record in pair]
    labels = np.arange(len(records)) % 2
    return MotifDetector(n_motifs=1, width=4, n_epochs=2, seed=1).fit(records, labels)


@pytest.fixture(scope="module", params=SOURCES)
def report(request, pairs, tmp_path_factory):
    """Return the source, the path and the parsed report of each kind."""
    made = SOURCES[request.param](pairs)
    file = tmp_path_factory.mktemp("report") / f"{request.param}.html"
    origin = {"file": HOSTILE, "seed": 1}
    write_report(made, file, origin=origin, command=f"seqbio test '{HOSTILE}'")
    return made, file, parsed(file)


def parsed(file):
    """Parse HTML strictly: a wrong nesting or a stray end tag raises."""
    parser = html5lib.HTMLParser(strict=True, namespaceHTMLElements=False)
    return parser.parse(file.read_text(encoding="utf-8"))


def text_of(node):
    return " ".join("".join(node.itertext()).split())


def test_it_says_in_which_language_and_for_which_screen(report):
    _, _, page = report
    assert page.get("lang") == "en"
    assert page.find("head/title").text
    names = {meta.get("name"): meta.get("content") for meta in page.iter("meta")}
    assert names["viewport"].startswith("width=device-width")


def test_headings_are_in_order(report):
    _, _, page = report
    levels = [int(node.tag[1]) for node in page.iter() if re.fullmatch("h[1-6]", str(node.tag))]
    assert levels[0] == 1
    assert set(levels[1:]) == {2}
    ids = [node.get("id") for node in page.iter() if node.get("id")]
    assert len(ids) == len(set(ids))
    assert {node.get("aria-labelledby") for node in page.iter("section")} <= set(ids)


def test_it_loads_nothing(report):
    _, _, page = report
    assert not list(page.iter("script")) + list(page.iter("link")) + list(page.iter("iframe"))
    for node in page.iter():
        for name in ("src", "href", "action", "data", "poster", "background", "srcset"):
            assert node.get(name, "data:").startswith("data:")
        assert not [name for name in node.attrib if name.startswith("on")]
    style = "".join(node.text for node in page.iter("style"))
    assert "url(" not in style
    assert "@import" not in style
    for image in images(page):
        drawing = image.decode()
        ElementTree.fromstring(drawing)
        assert not re.findall(r"""href\s*=\s*["'](?!#|\s*data:)""", drawing)
        assert "<script" not in drawing


def images(page):
    for node in page.iter("img"):
        yield base64.b64decode(node.get("src").partition("base64,")[2], validate=True)


def test_what_comes_from_files_is_text(report):
    _, _, page = report
    cells = [text_of(node) for node in page.iter("td")]
    assert " ".join(HOSTILE.split()) in cells
    assert [node.tag for node in page.iter("img") if node.get("onerror")] == []
    [command] = page.iter("code")
    assert text_of(command) == f"seqbio test '{HOSTILE}'"


def test_figures_tell_their_numbers_and_tables_what_they_are(report):
    made, _, page = report
    assert list(page.iter("img")) or not made.effects  # nothing to draw
    for node in page.iter("img"):
        assert re.search(r"\d|Logo of", node.get("alt"))
    for table in page.iter("table"):
        assert text_of(table.find("caption"))
        for cell in table.iter("th"):
            assert cell.get("scope") in ("row", "col")


def test_a_test_is_answered_and_its_doubts_are_told(report):
    made, _, page = report
    if not isinstance(made, seqbio.LikelihoodRatioResult):
        pytest.skip("is no test")
    text = text_of(page)
    assert " ".join(made.conclusion.split()) in text
    assert made.null_law.split(";")[0][1:] in text
    for check in made.warnings:
        assert f"{check.severity.capitalize()}: {check.message}" in text
    heading = "Why there is no p-value" if made.pvalue is None else "How the p-value was obtained"
    assert heading in [text_of(node) for node in page.iter("h2")]
    alts = " ".join(node.get("alt") for node in page.iter("img"))
    if made.pvalue is not None:
        assert f"{made.statistic:.6g}" in alts
    for effect in made.effects:
        assert f"{effect.estimate:.4g}" in alts


def test_it_can_be_repeated(report):
    _, _, page = report
    rows = {
        text_of(row.find("th")): text_of(row.find("td"))
        for row in page.iter("tr")
        if row.find("th") is not None and row.find("td") is not None
    }
    assert rows["seed"] == "1"
    assert f"seqbio {seqbio.__version__}" in rows["versions"]
    assert "numpy" in rows["versions"]


def test_all_estimates_of_a_pair_hmm_are_in_it(pairs, tmp_path):
    hmm = PairHMM(tie=()).fit(pairs)
    write_report(hmm, tmp_path / "fit.html")
    text = text_of(parsed(tmp_path / "fit.html"))
    for name, value in hmm.parameters_.items():
        assert f"{name} {value:.4g}".replace(" ", "") in text.replace(" ", "")


def test_statements_and_tables_of_the_callers(pairs, tmp_path):
    file = tmp_path / "report.html"
    tables = [Table("Mine", ("", "a < b"), [("row", "1")]), Table("Empty", (), [])]
    write_report(
        compare(PairHMM(), PairHMM(tie=()), pairs),
        file,
        doubted=["gaps open alike"],
        kept=["time flies"],
        tables=tables,
    )
    page = parsed(file)
    assert [text_of(node) for node in page.iter("li")][:2] == ["gaps open alike", "time flies"]
    captions = [text_of(node) for node in page.iter("caption")]
    assert captions == ["Mine", "Where this comes from"]
    assert not list(page.iter("code"))


def test_the_same_source_gives_the_same_figures(pairs, tmp_path):
    model = network(pairs)
    both = []
    for name in ("one.html", "two.html"):
        write_report(model, tmp_path / name)
        both.append(list(images(parsed(tmp_path / name))))
    assert both[0] == both[1]


def test_what_has_no_report_is_refused_and_leaves_no_file(tmp_path):
    with pytest.raises(ParameterError, match="source is 'result'; give a Like"):
        write_report("result", tmp_path / "x.html")
    with pytest.raises(NotFittedError):
        write_report(PairHMM(), tmp_path / "x.html")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("package", ["jinja2", "matplotlib"])
def test_what_is_missing_is_named(monkeypatch, package):
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(
        MissingDependencyError, match=f"{package}: pip install 'seqbio\\[report\\]'"
    ):
        check_installed()


def contrast(one, other):
    """Ratio of luminances as WCAG 2.1 defines it."""

    def luminance(colour):
        channels = np.array([int(colour[i : i + 2], 16) for i in (1, 3, 5)]) / 255
        linear = np.where(
            channels <= 0.04045, channels / 12.92, ((channels + 0.055) / 1.055) ** 2.4
        )
        return float(linear @ [0.2126, 0.7152, 0.0722])

    high, low = sorted((luminance(one), luminance(other)), reverse=True)
    return (high + 0.05) / (low + 0.05)


def test_contrast_is_enough_in_light_and_in_dark(report):
    _, _, page = report
    style = next(page.iter("style")).text
    themes = [
        dict(re.findall(r"--(\w+): (#[0-9a-f]{6})", block))
        for block in re.findall(r":root \{(.*?)\}", style, flags=re.DOTALL)
    ]
    themes = [theme for theme in themes if "ink" in theme]
    assert len(themes) == 2
    for theme in themes:
        for ink in ("ink", "soft", "alarm", "caution"):
            for paper in ("paper", "panel"):
                assert contrast(theme[ink], theme[paper]) >= 4.5


@pytest.mark.slow
@pytest.mark.skipif(CHROMIUM is None, reason="there is no Chromium here")
def test_a_browser_shows_it_without_a_network(report, tmp_path):
    """Render at the width of a phone; what the page would load from elsewhere would be logged."""
    _, file, _ = report
    picture, log = tmp_path / "page.png", tmp_path / "network.json"
    subprocess.run(
        [
            *(CHROMIUM, "--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"),
            *("--disable-background-networking", f"--user-data-dir={tmp_path / 'profile'}"),
            *(f"--log-net-log={log}", "--window-size=500,1600", f"--screenshot={picture}"),
            file.as_uri(),
        ],
        check=True,
        capture_output=True,
        timeout=120,
    )
    from matplotlib.image import imread

    pixels = imread(picture)
    assert pixels.shape[1] == 500
    assert pixels[..., :3].std() > 0.05  # there is something on it
    assert "example.org" not in log.read_text(errors="replace")


# -- on the command line -----------------------------------------------------------------------


@pytest.fixture
def run():
    from typer.testing import CliRunner

    from seqbio.cli import app

    return lambda *arguments: CliRunner().invoke(app, [str(each) for each in arguments])


def test_commands_write_reports_that_say_how_to_repeat_them(run, pairs, tmp_path):
    file, report = tmp_path / "pairs.fa", tmp_path / "out.html"
    seqbio.write_fasta((record for pair in pairs for record in pair), file)
    result = run("pairhmm", "test", file, "--report", report, "--quiet")
    assert result.exit_code == 0, result.output
    page = parsed(report)
    [command] = page.iter("code")
    assert text_of(command) == f"seqbio pairhmm test {file} --report {report} --quiet"
    items = [text_of(node) for node in page.iter("li")]
    assert list(PairHMM.ties().values())[:2] == items[:2]
    result = run("pairhmm", "fit", file, "--tie", "none", "--report", report)
    assert "Parameters, 95 % Wald intervals" in text_of(parsed(report))
    assert "Parameters, 95 % Wald intervals" in result.stdout


def test_a_report_that_cannot_be_written_is_refused_before_the_work(run, monkeypatch, tmp_path):
    nowhere = tmp_path / "nowhere" / "out.html"
    result = run("pairhmm", "test", datasets.path("simulated_reads"), "--report", nowhere)
    assert result.exit_code == 1
    assert "nowhere; create it first" in result.stderr
    monkeypatch.setitem(sys.modules, "jinja2", None)
    result = run("pairhmm", "fit", "never-read.fa", "--report", tmp_path / "out.html")
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr == "error: a report needs jinja2: pip install 'seqbio[report]'\n"
