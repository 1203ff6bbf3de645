"""What holds for every command: help, exit status, one line for every failure."""

import inspect
import json
import os
import shutil
import signal
import subprocess
import sys
import warnings
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

import seqbio
from seqbio import PairHMM
from seqbio.cli import app, common, pairhmm
from seqbio.errors import DuplicateIdWarning, NestingError, ParameterError, SeqbioError

FULL = Path("/dev/full")
SEQBIO = [sys.executable, "-c", "from seqbio.cli import main; main()"]
COMMANDS = [
    ("version",),
    ("ties",),
    *(("pairhmm", name) for name in ("fit", "align", "simulate", "test")),
    *(("motif", name) for name in ("train", "predict", "scan", "shuffle", "test")),
    *(("recurrent", name) for name in ("train", "score", "simulate", "test")),
]
TWO_SCREENS = 2 * 40  # lines of 100 columns
FAMILIES = {
    "pairhmm": seqbio.PairHMM,
    "motif": seqbio.MotifDetector,
    "recurrent": seqbio.RecurrentModel,
    "markov": seqbio.MarkovModel,
}


def options(*command):
    click_command = typer.main.get_command(app)
    for name in command:
        click_command = click_command.commands[name]
    return {name: option for option in click_command.params for name in option.opts}


def test_help_of_the_program_imports_nothing_heavy():
    code = (
        "import sys, seqbio.cli\n"
        "try: seqbio.cli.main()\n"
        "finally: print(*sys.modules, file=sys.stderr)"
    )
    command = [sys.executable, "-c", code, "--help"]
    run = subprocess.run(command, capture_output=True, text=True, check=True)
    assert "pairhmm" in run.stdout
    imported = {name.partition(".")[0] for name in run.stderr.split()}
    assert not imported & {"Bio", "numpy", "rich", "scipy"}
    assert "seqbio.pairhmm" not in run.stderr.split()


@pytest.mark.parametrize("command", [(), ("pairhmm",)])
def test_without_a_command_there_is_help(run, command):
    result = run(*command)
    assert result.exit_code == 2
    assert "Commands:" in result.stdout


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_every_command_has_the_same_options_and_an_example(run, command):
    assert {"--json", "--seed", "--quiet"} <= options(*command).keys()
    for flag in ("--help", "-h"):
        result = run(*command, flag)
        assert result.exit_code == 0
        assert f"seqbio {' '.join(command)} " in result.stdout.partition("For example:")[2]
        assert "Keys of --json" in result.stdout
        assert "{" not in result.stdout.partition("\n")[2]  # all placeholders are filled in


@pytest.mark.parametrize("command", [(), ("schema",), *COMMANDS], ids=" ".join)
def test_help_fits_two_screens(command):
    settings = {"resilient_parsing": True, "terminal_width": 100}
    here = typer.main.get_command(app)
    context = here.make_context("seqbio", [], **settings)
    for name in command:
        here = here.commands[name]
        context = here.make_context(name, [], parent=context, **settings)
    assert len(here.get_help(context).splitlines()) <= TWO_SCREENS


@pytest.mark.parametrize("command", COMMANDS[2:], ids=" ".join)
def test_every_option_is_explained(command):
    for name, option in options(*command).items():
        hidden = getattr(option, "hidden", False)
        assert hidden or option.help.endswith((".", "]")), name


@pytest.mark.parametrize(
    ("command", "families"),
    [
        *((f"pairhmm {name}", ["pairhmm"]) for name in ("fit", "align", "test")),
        *((f"motif {name}", ["motif"]) for name in ("train", "test")),
        ("recurrent train", ["recurrent"]),
        ("recurrent test", ["recurrent", "markov"]),
    ],
)
def test_help_names_every_tie_and_where_its_meaning_stands(run, command, families):
    text = " ".join(run(*command.split(), "--help").stdout.split())
    assert "'seqbio ties" in text
    for family in families:
        assert ", ".join(FAMILIES[family].ties()) in text


def test_ties_says_what_each_means(run, fails):
    whole = run("ties").stdout
    for family, model in FAMILIES.items():
        text = run("ties", family).stdout
        assert text.splitlines()[2:] == [f"Ties of {family}", *text.splitlines()[3:]]
        assert text.partition("\n\n")[2] in whole
        words = text.split()
        for name, meaning in model.ties().items():
            sentence = [name, *meaning.split()]
            assert any(words[i : i + len(sentence)] == sentence for i in range(len(words))), name
    content = json.loads(run("ties", "--json").stdout)
    assert content["ties"] == {family: model.ties() for family, model in FAMILIES.items()}
    message = "FAMILY: 'motifs' is unknown (did you mean 'motif'?); choose from motif, recurrent"
    assert fails(2, "ties", "motifs").startswith(message)


def test_help_states_the_defaults_of_the_library():
    defaults = {
        name: parameter.default
        for name, parameter in inspect.signature(PairHMM.__init__).parameters.items()
    }
    shown = options("pairhmm", "align")
    for option, name in (("--switch", "switch"), ("--end", "end"), ("--starts", "n_starts")):
        assert shown[option].help.endswith(f"[default: {defaults[name]}]")
    assert shown["--tie"].help.endswith(f"[default: {','.join(defaults['tie'])}]")
    test = options("pairhmm", "test")
    assert test["--null"].default == ",".join(defaults["tie"])


def test_version(run):
    assert run("--version").stdout == f"seqbio {seqbio.__version__}\n"
    assert run("version").stdout.startswith(f"seqbio {seqbio.__version__} (python ")
    content = json.loads(run("version", "--json", "--quiet", "--seed", 1).stdout)
    assert list(content)[:3] == ["seqbio_version", "schema_version", "command"]
    assert content["seqbio_version"] == seqbio.__version__
    assert content["numpy"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["foo"], "No such command 'foo'; see 'seqbio --help'"),
        (
            ["pairhmm", "fti"],
            "No such command 'fti'. Did you mean 'fit'? See 'seqbio pairhmm --help'",
        ),
        (["pairhmm", "fit"], "Missing argument 'PAIRS_FILE'; see 'seqbio pairhmm fit --help'"),
        (["pairhmm", "fit", "x.fa", "--starts", "0"], "Invalid value for '--starts'"),
        (["pairhmm", "fit", "x.fa", "--alphabt", "dna"], "No such option: --alphabt"),
        (
            ["motif", "test", "x.fa", "--width", "1", "--width=3"],
            "--width: it is given more than once; give it once",
        ),
        (
            ["recurrent", "train", "x.fa", "-o", "a", "--json", "--json", "--output", "b"],
            "--output: it is given more than once; give it once",
        ),
    ],
)
def test_wrong_usage_is_one_line_and_status_2(arguments, message):
    run = subprocess.run([*SEQBIO, *arguments], capture_output=True, text=True, check=False)
    assert run.returncode == 2
    assert run.stdout == ""
    assert run.stderr.startswith(f"error: {message}")
    assert run.stderr.count("\n") == 1


# -- failures of commands, with a command that fails as it is told -----------------------------


@pytest.fixture
def failing():
    """Return a function that runs a program whose only command raises or warns."""

    def run(action):
        program = typer.Typer(cls=common.Program)
        program.command("only")(action)
        program.callback()(lambda: None)
        return CliRunner().invoke(program, ["only"])

    return run


def raising(error):
    def action():
        raise error

    return action


@pytest.mark.parametrize(
    ("error", "status", "line"),
    [
        (SeqbioError("x.fa: two\n  lines"), 1, "error: x.fa: two lines\n"),
        (ParameterError("bad value"), 2, "error: bad value\n"),
        (NestingError("not nested"), 2, "error: not nested\n"),
        (
            FileNotFoundError(2, "No such file", "x.fa"),
            1,
            "error: x.fa: no such file; check the name\n",
        ),
        (OSError("odd"), 1, "error: odd\n"),
        (MemoryError(), 1, "error: there is not enough memory; take fewer or shorter"),
        (KeyboardInterrupt(), 130, ""),
        (BrokenPipeError(32, "Broken pipe"), 141, ""),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, BaseException) else "",
)
def test_expected_failures_are_one_line(failing, error, status, line):
    result = failing(raising(error))
    assert result.exit_code == status
    assert result.stderr.startswith(line) if line else result.stderr == ""
    assert result.stderr.count("\n") <= 1


def test_a_file_that_is_missing_is_asked_for_by_a_name_that_is_there(failing, tmp_path):
    (tmp_path / "reads.fa.gz").touch()
    meant = tmp_path / "raeds.fa.gz"
    result = failing(raising(FileNotFoundError(2, "No such file", str(meant))))
    assert result.stderr == (
        f"error: {meant}: no such file (did you mean 'reads.fa.gz'?); check the name\n"
    )
    result = failing(raising(FileNotFoundError(2, "No such file", str(meant / "x.fa"))))
    assert result.stderr == f"error: {meant / 'x.fa'}: no such file; check the name\n"


def test_a_mistake_in_the_program_shows_where_it_is(failing):
    assert isinstance(failing(raising(ZeroDivisionError())).exception, ZeroDivisionError)


def test_warnings_are_one_line(failing):
    def warn():
        warnings.warn("twice\n  here", DuplicateIdWarning, stacklevel=1)

    result = failing(warn)
    assert result.exit_code == 0
    assert result.stderr == "warning: twice here\n"


# -- the world outside -------------------------------------------------------------------------


def test_a_reader_who_has_gone_is_no_news(model_file):
    reader, writer = os.pipe()
    os.close(reader)
    run = subprocess.run(
        [*SEQBIO, "pairhmm", "simulate", "--model", model_file, "--seed", "1"],
        stdout=writer,
        stderr=subprocess.PIPE,
        check=False,
    )
    os.close(writer)
    assert (run.returncode, run.stderr) == (141, b"")


@pytest.mark.skipif(not FULL.exists(), reason="has no device that is always full")
def test_a_full_disk_is_one_line(model_file):
    with FULL.open("wb") as full:
        run = subprocess.run(
            [*SEQBIO, "pairhmm", "simulate", "--model", model_file, "--seed", "1"],
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )
    assert run.returncode == 1
    assert run.stderr == (
        "error: standard output: no space left on device; make room or choose another place\n"
    )


@pytest.mark.skipif(os.name == "nt", reason="needs signals")
def test_an_interrupt_is_status_130_and_leaves_no_file(tmp_path):
    code = (
        "import signal, sys\nfrom seqbio.cli import main\n"
        # What runs in the background of a shell is told to ignore interrupts.
        "signal.signal(signal.SIGINT, signal.default_int_handler)\n"
        "print('ready', file=sys.stderr, flush=True)\nmain()"
    )
    output = tmp_path / "out.txt"
    process = subprocess.Popen(
        [sys.executable, "-c", code, "pairhmm", "fit", "-", "--output", output],
        stdin=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stderr.readline() == "ready\n"
    # More than a pipe holds: once all is written, the program is reading and waits for the rest.
    process.stdin.write(">a\n" + "A" * 1_000_000)
    process.stdin.flush()
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=30)
    assert process.returncode == 130
    assert errors == ""
    assert not list(tmp_path.iterdir())


FORESEEN = (
    "note: testing: at most 999 rounds of fits to do; about {} if each takes as long as the first "
    "fits\n"
)
MEASURED = "note: testing: 5 of at most 999 rounds of fits are done; up to {} to go\n"


@pytest.mark.parametrize(
    ("fits", "seconds", "quiet", "lines"),
    [
        (0.01, 0.01, False, ""),
        (9, 9, True, ""),
        (9, 9, False, FORESEEN.format("2.5 h")),
        (9, 17, False, FORESEEN.format("2.5 h")),
        (9, 2, False, FORESEEN.format("2.5 h") + MEASURED.format("33 min")),
        (9, 30, False, FORESEEN.format("2.5 h") + MEASURED.format("8.3 h")),
        (4, 2, False, MEASURED.format("33 min")),
    ],
)
def test_without_a_terminal_long_work_is_told_before_it_begins(
    capsys, monkeypatch, fits, seconds, quiet, lines
):
    now = 0.0
    monkeypatch.setattr(common.time, "monotonic", lambda: now)
    with common.progress("testing", quiet=quiet) as on_done:
        now += fits
        for n_done in (0, 5, 10, 15):
            on_done(n_done, 999)
            now += 5 * seconds
    assert capsys.readouterr() == ("", lines)


def test_without_a_terminal_a_long_training_is_told_once(capsys, monkeypatch):
    now = 0.0
    monkeypatch.setattr(common.time, "monotonic", lambda: now)
    with common.progress("training", quiet=False) as update:
        for n_done in range(1, 9):
            now += 2
            update(n_done, 100, f"step {n_done}")
    assert capsys.readouterr().err == "note: training: step 2; up to 3 min to go\n"


def test_training_tells_the_epoch():
    told = []
    on_batch = common.epochs(lambda *words: told.append(words), 3, "bits", factor=2.0)
    on_batch(2, 5, 10, 0.25)
    assert told == [(15, 30, "epoch 2 of 3, 0.500 bits")]


@pytest.mark.skipif(os.name == "nt", reason="needs a pseudo-terminal")
@pytest.mark.parametrize("quiet", [False, True])
def test_progress_shows_on_a_terminal_unless_quiet(quiet):
    import pty

    terminal, side = pty.openpty()
    code = (
        "from seqbio.cli import common\n"
        f"with common.progress('waiting', quiet={quiet}) as on_done: on_done(1, 2)"
    )
    run = subprocess.run(
        [sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=side, check=True
    )
    os.write(side, b"end\n")
    shown = os.read(terminal, 10000)
    os.close(side)
    os.close(terminal)
    assert (b"waiting: 1 of 2" in shown) is not quiet
    assert run.stdout == b""


def test_each_group_has_a_module_of_its_name():
    groups = {group.name: group.typer_instance for group in app.registered_groups}
    assert groups["pairhmm"] is pairhmm.app
    for name, group in groups.items():
        assert sys.modules[f"seqbio.cli.{name}"].app is group


# -- completion --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("seqbio ", {"motif", "pairhmm", "recurrent", "schema", "version"}),
        ("seqbio pair", {"pairhmm"}),
        ("seqbio pairhmm ", {"align", "fit", "simulate", "test"}),
        ("seqbio pairhmm test --nul", {"--null"}),
    ],
)
def test_bash_completes_commands_and_options(line, expected):
    variables = {"_SEQBIO_COMPLETE": "complete_bash", "COMP_WORDS": line}
    variables["COMP_CWORD"] = str(len(line.split(" ")) - 1)
    run = subprocess.run(
        SEQBIO, env=os.environ | variables, capture_output=True, text=True, check=True
    )
    assert set(run.stdout.split()) >= expected


def test_bash_takes_the_completion_script():
    run = subprocess.run(
        [*SEQBIO, "--show-completion"],
        env=os.environ | {"_TYPER_COMPLETE_TEST_DISABLE_SHELL_DETECTION": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 2  # without a shell to detect, its name is asked for
    run = subprocess.run(
        SEQBIO,
        env=os.environ | {"_SEQBIO_COMPLETE": "source_bash"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert "complete -o default -F _seqbio_completion seqbio" in run.stdout
    bash = shutil.which("bash")
    if bash:
        subprocess.run([bash, "-c", run.stdout], check=True)
