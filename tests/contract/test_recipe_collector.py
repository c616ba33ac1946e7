"""The recipe "a new collector" of CONTRIBUTING, followed: what it makes passes the contract and runs from YAML."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from aiops_nb import watch
from aiops_nb.cli import main
from aiops_nb.collect import CollectorParams, CollectorSpec, collectors
from aiops_nb.collect.registry import plugged_in
from aiops_nb.config import dump_config, parse_config
from aiops_nb.core.protocols import Collector
from aiops_nb.testing.collectors import CollectorContract, CollectorSpecContract
from tests.plug_ins import installed

RECIPE = Path(__file__).with_name("recipe")


@pytest.fixture(scope="module")
def spec(tmp_path_factory: pytest.TempPathFactory) -> Iterator[CollectorSpec]:
    """Found by its entry point, as an installed package's."""
    modules = {"file_size.py": (RECIPE / "file_size.py").read_text(encoding="utf-8")}
    points = (RECIPE / "entry_points.txt").read_text(encoding="utf-8")
    with installed(tmp_path_factory.mktemp("site"), "file-size", points, modules):
        (found,) = (one for one in plugged_in() if one.package == "file-size")
        assert found.spec is not None, found.problem
        yield found.spec


@pytest.fixture
def params(spec: CollectorSpec, tmp_path: Path) -> CollectorParams:
    file = tmp_path / "a.bin"
    file.write_bytes(b"x" * 1_000)
    build: Any = spec.params
    made: CollectorParams = build(path=str(file), interval_seconds=0.02)
    return made


class TestTheCollector(CollectorContract):
    @pytest.fixture
    def collector(self, spec: CollectorSpec, params: CollectorParams) -> Iterator[Collector]:
        made = spec.make(params, "collectors[0]")
        yield made
        made.close()


class TestTheSpec(CollectorSpecContract):
    pass


def test_it_is_in_the_list(spec: CollectorSpec) -> None:
    row = collectors().set_index("type").loc["file_size"]
    assert (row["purpose"], row["package"], row["problem"]) == (spec.purpose, "file-size", "")
    assert row["parameters"] == "name, path, interval_seconds"


def test_a_configuration_names_it_and_a_monitor_runs_it(params: Any) -> None:
    text = f"host_metrics: false\ncollectors:\n- {{type: file_size, path: {params.path}, interval: 20ms}}\n"
    config = parse_config(text)
    assert config.collectors == (params,)
    assert parse_config(dump_config(config)) == config
    with watch(config=config) as monitor:
        seen: list[float] = []
        while not seen:
            monitor.wait(0.1)
            seen = monitor.samples().query("metric == 'size_bytes'")["value"].tolist()
    assert seen[0] == 1000.0


def test_a_check_lists_it(params: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "c.yaml"
    file.write_text(f"host_metrics: false\ncollectors:\n- {{type: file_size, path: {params.path}}}\n")
    assert main(["check", str(file)]) == 0
    assert f"file_size: file_size, path {params.path}" in capsys.readouterr().out


def test_a_mistake_in_its_parameters_has_its_place(spec: CollectorSpec) -> None:
    text = "collectors:\n- type: file_size\n  path: a\n  interval: soon\n"
    with pytest.raises(ValueError, match=r"c\.yaml:4: collectors\[0\]\.interval: expected a duration"):
        parse_config(text, "c.yaml")
    with pytest.raises(ValueError, match=r"c\.yaml:3: collectors\[0\]\.paths: expected a known key"):
        parse_config("collectors:\n- type: file_size\n  paths: a\n", "c.yaml")


def test_the_recipe_has_at_most_eight_steps() -> None:
    text = (RECIPE.parents[2] / "CONTRIBUTING.md").read_text(encoding="utf-8")
    assert "recipe/file_size.py" in text
    recipe = text.partition("## A new collector")[2].partition("\n## ")[0]
    steps = [line for line in recipe.splitlines() if line[:1].isdigit()]
    assert 3 <= len(steps) <= 8
