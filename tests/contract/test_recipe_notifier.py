"""The recipe "a new notifier" of CONTRIBUTING, followed: what it makes passes the contract and runs from YAML."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from aiops_nb.cli import main
from aiops_nb.config import dump_config, parse_config
from aiops_nb.core.errors import ConfigError
from aiops_nb.monitor.notifications import open_notifications
from aiops_nb.notify import ChannelParams, Notifier, NotifierSpec, notifiers
from aiops_nb.notify.registry import plugged_in
from aiops_nb.testing.notifiers import NotifierContract, NotifierSpecContract
from tests.plug_ins import installed
from tests.unit.notify.receiver import change, step

RECIPE = Path(__file__).with_name("recipe")


@pytest.fixture(scope="module")
def spec(tmp_path_factory: pytest.TempPathFactory) -> Iterator[NotifierSpec]:
    """Found by its entry point, as an installed package's."""
    modules = {"notes.py": (RECIPE / "notes.py").read_text(encoding="utf-8")}
    points = (RECIPE / "notes_entry_points.txt").read_text(encoding="utf-8")
    with installed(tmp_path_factory.mktemp("site"), "notes", points, modules):
        (found,) = (one for one in plugged_in() if one.package == "notes")
        assert found.spec is not None, found.problem
        yield found.spec


@pytest.fixture
def params(spec: NotifierSpec, tmp_path: Path) -> ChannelParams:
    build: Any = spec.params
    made: ChannelParams = build(path=str(tmp_path / "alerts.txt"))
    return made


class TestTheNotifier(NotifierContract):
    @pytest.fixture
    def notifier(self, spec: NotifierSpec, params: ChannelParams) -> Notifier:
        return spec.make(params)

    @pytest.fixture
    def unreachable(self, spec: NotifierSpec) -> Notifier:
        build: Any = spec.params
        return spec.make(build(path="/no/such/folder/alerts.txt"))


class TestTheSpec(NotifierSpecContract):
    pass


def test_it_is_in_the_list(spec: NotifierSpec) -> None:
    row = notifiers().set_index("type").loc["notes"]
    assert (row["purpose"], row["package"], row["problem"]) == (spec.purpose, "notes", "")
    assert row["parameters"] == "name, timeout_seconds, path"


def test_a_configuration_names_it_and_each_message_is_delivered_once(params: Any, tmp_path: Path) -> None:
    text = f"notify:\n  channels:\n  - {{type: notes, path: {params.path}}}\n  group_wait: 0s\n"
    config = parse_config(text)
    assert config.notify is not None and config.notify.channels == (params,)
    assert parse_config(dump_config(config)) == config
    file = Path(params.path)
    file.mkdir()  # the first send fails, and is tried again
    sink = open_notifications(config.notify, None)
    try:
        sink.write(step(change("firing"), change("resolved", time_ns=5 * 10**9), change("resolved", time_ns=5 * 10**9)))
        deadline = time.monotonic() + 20
        while not any(row["attempts"] for row in sink.rows()) and time.monotonic() < deadline:
            time.sleep(0.01)  # nothing signals a failed attempt
        file.rmdir()
        while not (file.is_file() and "resolved" in file.read_text()) and time.monotonic() < deadline:
            time.sleep(0.01)
    finally:
        sink.close()
    keys = [line.partition("\t")[0] for line in file.read_text().splitlines()]
    assert keys == ["aiops_nb-f-1000000000-firing", "aiops_nb-f-1000000000-resolved"]


def test_the_command_line_sends_by_it(params: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "c.yaml"
    file.write_text(f"notify:\n  channels:\n  - {{type: notes, path: {params.path}}}\n")
    assert main(["notify", "--test", str(file)]) == 0
    assert "notes: accepted a firing and a resolved message" in capsys.readouterr().out
    assert len(Path(params.path).read_text().splitlines()) == 2


def test_a_mistake_in_its_parameters_has_its_place(spec: NotifierSpec) -> None:
    with pytest.raises(ConfigError, match=r"c\.yaml:3: notify\.channels\[0\]\.paths: expected a known key"):
        parse_config("notify:\n  channels:\n  - {type: notes, paths: a}\n", "c.yaml")


def test_the_recipe_has_at_most_eight_steps() -> None:
    text = (RECIPE.parents[2] / "CONTRIBUTING.md").read_text(encoding="utf-8")
    recipe = text.partition("## A new notifier")[2].partition("\n## ")[0]
    assert "recipe/notes.py" in recipe
    assert 3 <= len(re.findall(r"^\d+\. ", recipe, re.MULTILINE)) <= 8
