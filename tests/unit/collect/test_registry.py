"""Plug-ins: found by their entry points, and a line in a list when they are broken."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

import aiops_nb.collect as collect
from aiops_nb.collect import CollectorParams, CollectorSpec, collectors
from aiops_nb.collect.registry import make_collector, plugged_in
from aiops_nb.config import parse_config
from aiops_nb.core.errors import ConfigError
from tests.plug_ins import installed

GOOD = """
from aiops_nb.collect import CollectorParams, CollectorSpec
class Params(CollectorParams, frozen=True, kw_only=True, tag="TAG"):
    name: str = "x"
SPEC = CollectorSpec(params=Params, factory="nowhere:Nothing", purpose="nothing")
"""
BROKEN = {
    "import that fails": ("import no_such_module_of_ours", "ModuleNotFoundError: No module named"),
    "syntax": ("def", "SyntaxError"),
    "exit": ("raise SystemExit(3)", "SystemExit: 3"),
    "no spec": ("SPEC = 3", "expected a CollectorSpec, got int"),
    "no such name": ("", "AttributeError"),
    "no struct": (
        "from aiops_nb.collect import CollectorSpec\nSPEC = CollectorSpec(params=int, factory=int, purpose='')",
        "ConfigError: params: expected a subclass of CollectorParams with a tag",
    ),
    "no factory": (GOOD.replace("'nowhere:Nothing'", "3").replace('"nowhere:Nothing"', "3"), "ConfigError: factory: "),
    "access_log": (GOOD.replace("TAG", "access_log"), "the type 'access_log' is taken by aiops_nb"),
    "another name": (GOOD.replace("TAG", "queue"), "expected the entry point's name to be its type 'queue'"),
}


def points(module: str, name: str = "jobs") -> str:
    return f"[aiops_nb.collectors]\n{name} = {module}:SPEC\n"


@pytest.mark.parametrize("kind", BROKEN)
def test_a_broken_plug_in_is_a_line_in_the_list_and_costs_nothing_else(kind: str, tmp_path: Path) -> None:
    source, problem = BROKEN[kind]
    name = kind.replace(" ", "_")
    with installed(tmp_path, "broken", points("broken_plug_in", name), {"broken_plug_in.py": source}):
        table = collectors().set_index("package")
        assert problem in table.loc["broken", "problem"]
        assert "access_log" in set(collectors()["type"])
        assert parse_config("collectors: [{type: synthetic}]").collectors
        with pytest.raises(ConfigError, match=r"collectors\[0\]\.type: expected a known type, got 'jobs'") as raised:
            parse_config("collectors: [{type: jobs}]")
        assert f"plug-ins not loaded: {name} of broken (" in str(raised.value)


def test_two_plug_ins_of_one_type_are_told_apart(tmp_path: Path) -> None:
    source = GOOD.replace("TAG", "jobs")
    with (
        installed(tmp_path / "b", "b-package", points("b_plug_in"), {"b_plug_in.py": source}),
        installed(tmp_path / "a", "a-package", points("a_plug_in"), {"a_plug_in.py": source}),
    ):
        problems = {one.package: one.problem for one in plugged_in()}
    assert problems == {"a-package": "", "b-package": "the type 'jobs' is taken by a-package"}


def test_a_plug_in_is_loaded_only_for_a_type_that_is_not_ours(tmp_path: Path) -> None:
    marker = tmp_path / "loaded"
    source = f"import pathlib\npathlib.Path({str(marker)!r}).touch()\n"
    with installed(tmp_path / "site", "lazy", points("lazy_plug_in"), {"lazy_plug_in.py": source}):
        parse_config("collectors: [{type: synthetic}]")
        make_collector(collect.registry.built_in.SyntheticParams(), "here").close()
        assert not marker.exists()
        with pytest.raises(ConfigError):
            parse_config("collectors: [{type: other}]")
        assert marker.exists()


def test_a_factory_that_is_not_there_is_an_error_when_it_is_made(tmp_path: Path) -> None:
    with installed(tmp_path, "lazy", points("late_plug_in", "late"), {"late_plug_in.py": GOOD.replace("TAG", "late")}):
        (params,) = parse_config("collectors: [{type: late}]").collectors
        with pytest.raises(ConfigError, match=r"collectors\[0\]\.type: expected a collector that can be loaded, got"):
            make_collector(params, "collectors[0]")


def test_parameters_of_no_collector_are_refused() -> None:
    class Orphan(CollectorParams, frozen=True, kw_only=True, tag="orphan"):
        name: str = "orphan"

    with pytest.raises(ConfigError, match=r"here\.type: expected a known type, got 'orphan'"):
        make_collector(Orphan(), "here")


def test_a_spec_says_what_is_wrong_with_it() -> None:
    class Untagged(msgspec.Struct):
        name: str = ""

    with pytest.raises(ConfigError, match="params: expected a subclass of CollectorParams with a tag"):
        CollectorSpec(params=Untagged, factory="a:b", purpose="")  # type: ignore[arg-type]


def test_every_public_name_loads_and_is_documented() -> None:
    assert collect.__all__ == sorted(collect.__all__)
    assert dir(collect) == collect.__all__
    expected = {"AccessLog", "HttpProbe", "ProbeTarget", "HostMetrics", "TcpClient", "TcpListener", "UdpListener"}
    assert set(collect.__all__) >= expected | {"WebSocketClient", "SyntheticStream", "from_frame", "collectors"}
    for name in collect.__all__:
        assert getattr(collect, name).__doc__
    with pytest.raises(AttributeError, match="has no attribute 'Kafka'"):
        collect.Kafka  # noqa: B018
