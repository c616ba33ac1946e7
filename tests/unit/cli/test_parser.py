"""Every command is documented, shows an example that it accepts, and refuses what it cannot read with code 2."""

from __future__ import annotations

import re
import shlex

import pytest

from aiops_nb.cli import main
from aiops_nb.cli import process as codes
from aiops_nb.cli.parser import COMMANDS, build_parser
from tests.paths import ROOT

DOCS = (ROOT / "docs" / "reference" / "cli.md").read_text(encoding="utf-8")
names = pytest.mark.parametrize("name", COMMANDS)


@names
def test_help_shows_an_example_that_parses(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([name, "--help"]) == codes.OK
    example = COMMANDS[name].EXAMPLE
    assert example in capsys.readouterr().out
    arguments = shlex.split(example.partition(" > ")[0])[1:]
    assert build_parser().parse_args(arguments).run is COMMANDS[name].run


@names
def test_a_command_and_its_options_are_in_the_docs(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert f"## `aiops-nb {name}`" in DOCS
    main([name, "--help"])
    options = set(re.findall(r"--[a-z-]+", capsys.readouterr().out)) - {"--help", "--verbose"}
    assert {option for option in options if option not in DOCS} == set()


def test_every_example_in_the_docs_parses() -> None:
    examples = [line for line in DOCS.splitlines() if line.startswith("aiops-nb ")]
    assert len(examples) >= len(COMMANDS)
    for example in examples:
        build_parser().parse_args(shlex.split(example)[1:])


@pytest.mark.parametrize("code", ["OK", "MISTAKE", "USAGE", "ALERTED", "INTERRUPTED"])
def test_every_exit_code_is_in_the_docs(code: str) -> None:
    assert f"\n| {getattr(codes, code)} |" in DOCS


@pytest.mark.parametrize(
    ("argv", "told"),
    [
        ([], "COMMAND"),
        (["observe"], "invalid choice"),
        (["replay"], "RECORDING"),
        (["watch", "http://127.0.0.1/", "--for", "soon"], "such as 500ms, 30s, 5m or 2h, got 'soon'"),
        (["watch", "http://127.0.0.1/", "--interval", "0s"], "got '0s'"),
        (["replay", "somewhere", "--speed", "-1"], "got '-1'"),
        (["export", "somewhere", "--format", "xls"], "invalid choice: 'xls'"),
    ],
)  # fmt: skip
def test_wrong_usage_is_2_and_says_why(argv: list[str], told: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(argv) == codes.USAGE
    captured = capsys.readouterr()
    assert told in captured.err
    assert captured.out == ""


def test_the_version_is_printed(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--version"]) == codes.OK
    assert re.fullmatch(r"aiops-nb \d+\.\d+\.\d+\n", capsys.readouterr().out)
