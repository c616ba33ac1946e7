"""A plug-in that cannot be used is a row in the list and a warning, and nothing else changes."""

from __future__ import annotations

from pathlib import Path

import pytest

from aiops_nb.config import parse_config
from aiops_nb.config.load import checked_config
from aiops_nb.core.errors import ConfigError
from aiops_nb.detect.registry import DETECTORS, detectors, series_detector, spec_named
from tests.plug_ins import installed

STRUCT = """
import msgspec
from aiops_nb.detect.spec import DetectorSpec
class P(msgspec.Struct, frozen=True, tag_field="type", tag={tag!r}):
    pass
SPEC = DetectorSpec(params=P, build=lambda *_: None, threshold_unit="score", purpose="nothing")
"""
BROKEN = {
    "raises": ("raise RuntimeError('no\\n  luck')", "RuntimeError: no luck"),
    "exits": ("raise SystemExit(3)", "SystemExit: 3"),
    "raises_base": ("class E(BaseException): pass\nraise E('x')", "E: x"),
    "needs_another": ("import a_package_that_is_not_there", "ModuleNotFoundError: No module named"),
    "no_syntax": ("def (", "SyntaxError"),
    "endless": ("def f(): return f()\nf()", "RecursionError"),
    "without_spec": ("x = 1", "AttributeError"),
    "other_kind": ("SPEC = 5", "expected a DetectorSpec, got int"),
    "bad_params": (
        "from aiops_nb.detect.spec import DetectorSpec\n"
        "SPEC = DetectorSpec(params=dict, build=print, threshold_unit='score', purpose='x')",
        "params: expected a frozen msgspec.Struct",
    ),
    "level": (STRUCT.format(tag="level"), "the type 'level' is taken by aiops_nb"),
    "one_name": (STRUCT.format(tag="another"), "expected the entry point's name to be its type 'another'"),
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_plug_in_is_a_row_and_a_warning(name: str, tmp_path: Path) -> None:
    source, problem = BROKEN[name]
    points = f"[aiops_nb.detectors]\n{name} = broken_{name}:SPEC\n"
    with installed(tmp_path, f"broken-{name}", points, {f"broken_{name}.py": source}):
        with pytest.warns(RuntimeWarning, match=f"detector plug-in {name} of broken-{name} is not available"):
            table = detectors().reset_index()
        row = table[table["package"] == f"broken-{name}"].iloc[0]
        assert problem in row["problem"] and "\n" not in row["problem"]
        assert set(DETECTORS) <= set(table["detector"])
        checked_config(parse_config("interval: 1s"))  # never asks for it
        assert spec_named("level").type == "level"
        assert series_detector("ewma").type == "ewma"


def test_an_unknown_type_says_which_plug_ins_could_not_be_loaded(tmp_path: Path) -> None:
    points = "[aiops_nb.detectors]\nlost = broken_lost:SPEC\n"
    text = "pipeline: {feature_rules: [{alertname: a, feature: rate_hz, detector: {type: lost}}]}"
    with installed(tmp_path, "broken-lost", points, {"broken_lost.py": "raise OSError('gone')"}):
        with pytest.warns(RuntimeWarning), pytest.raises(ConfigError, match=r"lost of broken-lost .OSError: gone"):
            parse_config(text)
        with pytest.warns(RuntimeWarning), pytest.raises(ConfigError, match=r"lost of broken-lost .OSError: gone"):
            spec_named("lost")


def test_two_packages_with_one_type_are_told_apart(tmp_path: Path) -> None:
    points = "[aiops_nb.detectors]\ntwin = {}:SPEC\n"
    source = STRUCT.format(tag="twin")
    with (
        installed(tmp_path / "a", "twin_a", points.format("twin_a"), {"twin_a.py": source}),
        installed(tmp_path / "b", "twin_b", points.format("twin_b"), {"twin_b.py": source}),
        pytest.warns(RuntimeWarning, match="twin of twin_b is not available: the type 'twin' is taken by twin_a"),
    ):
        assert detectors().loc["twin", "package"].tolist() == ["twin_a", "twin_b"]


def test_nothing_is_loaded_until_it_is_asked_for(tmp_path: Path) -> None:
    points = "[aiops_nb.detectors]\nlazy = lazy_one:SPEC\n"
    source = f"open({str(tmp_path / 'loaded')!r}, 'w').close()\n{STRUCT.format(tag='lazy')}"
    with installed(tmp_path, "lazy", points, {"lazy_one.py": source}):
        checked_config({"pipeline": {"feature_rules": []}})
        assert not (tmp_path / "loaded").exists()
        assert "lazy" in detectors().index
        assert (tmp_path / "loaded").exists()
