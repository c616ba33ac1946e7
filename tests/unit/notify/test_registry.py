"""Channels of plug-ins: found by their entry points, a line in a list when broken, and left out where unknown."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

import aiops_nb.notify as notify
from aiops_nb.config import dump_config, parse_config
from aiops_nb.config.recorded import recorded_config, recording_yaml
from aiops_nb.core.errors import ConfigError
from aiops_nb.notify import ChannelParams, NotifierSpec, notifiers
from aiops_nb.notify.params import WebhookParams
from aiops_nb.notify.registry import make_notifier, plugged_in
from tests.plug_ins import installed

GOOD = """
from aiops_nb.notify import ChannelParams, NotifierSpec
class Params(ChannelParams, frozen=True, kw_only=True, tag="TAG"):
    SECRETS = ("key",)
    key: str | None = None
    name: str = "TAG"
SPEC = NotifierSpec(params=Params, factory="nowhere:Nothing", purpose="nothing")
"""
BROKEN = {
    "import_that_fails": ("import no_such_module_of_ours", "ModuleNotFoundError: No module named"),
    "exits": ("raise SystemExit(3)", "SystemExit: 3"),
    "no_spec": ("SPEC = 3", "expected a NotifierSpec, got int"),
    "no_struct": (
        "from aiops_nb.notify import NotifierSpec\nSPEC = NotifierSpec(params=int, factory=int, purpose='')",
        "ConfigError: params: expected a subclass of ChannelParams with a tag",
    ),
    "no_factory": (GOOD.replace('"nowhere:Nothing"', "3"), "ConfigError: factory: "),
    "slack": (GOOD.replace("TAG", "slack"), "the type 'slack' is taken by aiops_nb"),
    "another": (GOOD.replace("TAG", "pager"), "expected the entry point's name to be its type 'pager'"),
}
YAML = """
notify:
  channels:
  - {type: pager, key: "env:PAGER_KEY", name: nights}
  - {type: webhook, url: "http://127.0.0.1:9/"}
  routes:
  - {matchers: {severity: [critical]}, channels: [nights, webhook]}
  default: [nights]
"""


def points(name: str, module: str = "pager_one") -> str:
    return f"[aiops_nb.notifiers]\n{name} = {module}:SPEC\n"


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_plug_in_is_a_line_in_the_list_and_costs_nothing_else(name: str, tmp_path: Path) -> None:
    source, problem = BROKEN[name]
    with installed(tmp_path, "broken", points(name, f"broken_{name}"), {f"broken_{name}.py": source}):
        table = notifiers().set_index("package")
        assert problem in table.loc["broken", "problem"]
        assert "slack" in set(notifiers()["type"])
        assert parse_config("notify: {channels: [{type: webhook, url: 'http://h/'}]}").notify is not None
        with pytest.raises(ConfigError, match=r"notify\.channels\[0\]\.type: expected a known type, got 'x'") as raised:
            parse_config("notify: {channels: [{type: x}]}")
        assert f"plug-ins not loaded: {name} of broken (" in str(raised.value)


def test_a_configuration_names_it_and_reads_it_again(tmp_path: Path) -> None:
    with installed(tmp_path, "pager", points("pager"), {"pager_one.py": GOOD.replace("TAG", "pager")}):
        config = parse_config(YAML)
        assert config.notify is not None and type(config.notify) is notify.NotifyParams
        first, second = config.notify.channels
        assert (first.name, second) == ("nights", WebhookParams(url="http://127.0.0.1:9/"))
        assert parse_config(dump_config(config)) == config
        with pytest.raises(ConfigError, match=r"c:2: notify\.channels\[0\].*key: expected a reference.*not shown"):
            parse_config("notify:\n  channels: [{type: pager, key: s3cret}]", "c")
        with pytest.raises(ConfigError, match=r"type: expected a channel that can be loaded, got .pager .No module"):
            make_notifier(first)


def test_a_recording_opens_where_the_plug_in_is_not_installed(tmp_path: Path) -> None:
    with installed(tmp_path, "pager", points("pager"), {"pager_one.py": GOOD.replace("TAG", "pager")}):
        text = recording_yaml(parse_config(YAML))
    read = recorded_config(text, "config.yaml").notify
    assert read is not None
    assert [channel.name for channel in read.channels] == ["webhook"]
    assert (read.routes[0].channels, read.default) == (("webhook",), ())


def test_no_query_of_a_channel_is_recorded() -> None:
    yaml = "notify: {channels: [{type: webhook, url: 'http://joe@h/a?customer=hush', name: w}]}"
    text = recording_yaml(parse_config(yaml))
    assert "hush" not in text and "joe" not in text and "http://h/a" in text


def test_a_plug_in_is_loaded_only_for_a_type_that_is_not_ours(tmp_path: Path) -> None:
    marker = tmp_path / "loaded"
    source = f"open({str(marker)!r}, 'w').close()\n{GOOD.replace('TAG', 'pager')}"
    with installed(tmp_path / "site", "pager", points("pager"), {"pager_one.py": source}):
        parse_config("notify: {channels: [{type: webhook, url: 'http://h/'}]}")
        make_notifier(WebhookParams(url="http://127.0.0.1:9/")).close()
        assert not marker.exists()
        assert [one.name for one in plugged_in() if one.package == "pager"] == ["pager"]
        assert marker.exists()


def test_parameters_of_no_channel_are_refused() -> None:
    class Orphan(ChannelParams, frozen=True, kw_only=True, tag="orphan"):
        name: str = "orphan"

    with pytest.raises(ConfigError, match="type: expected a known type, got 'orphan'"):
        make_notifier(Orphan())


def test_a_spec_says_what_is_wrong_with_it() -> None:
    class Untagged(msgspec.Struct):
        name: str = ""

    with pytest.raises(ConfigError, match="params: expected a subclass of ChannelParams with a tag"):
        NotifierSpec(params=Untagged, factory="a:b", purpose="")  # type: ignore[arg-type]


def test_every_public_name_loads_and_is_documented() -> None:
    assert notify.__all__ == sorted(notify.__all__) == dir(notify)
    for name in notify.__all__:
        assert getattr(notify, name).__doc__
