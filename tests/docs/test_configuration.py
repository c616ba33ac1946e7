"""The page on configuration: its examples are right, its messages are those that come, its table knows every key."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from aiops_nb.collect.registry import BUILT_IN
from aiops_nb.config import Config, parse_config
from aiops_nb.config.normalise import short_name
from aiops_nb.core.errors import ConfigError
from aiops_nb.session.plan import plan_run
from tests.paths import ROOT

PAGE = (ROOT / "docs" / "reference" / "configuration.md").read_text(encoding="utf-8")
EXAMPLE = PAGE.split("```yaml\n")[1].split("```")[0]
MESSAGES = PAGE.split("```text\n")[1].split("```")[0].splitlines()

# What each message of the page comes from, in its order.
FAULTS = (
    "targets:\n- http://h/\n- http://i/\n- url: http://j/\n  interval: 5s\n  timeout: 10s\n",
    "targets:\n- url: http://h/\n  timeot: 1s\n",
    "collectors:\n- type: acces_log\n",
    "targets:\n- url: http://h/\n  headers: {Authorization: Bearer abc}\n",
    "pipeline:\n  feature_rules:\n  - alertname: a\n    feature: error_ration\n",
)


def test_the_example_is_a_run(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SHOP_TOKEN", "t")
    config = parse_config(EXAMPLE)
    assert [probe.interval_at(config.interval_seconds) for probe in config.probes] == [5.0, 30.0]
    assert config.record == "recordings/today" and config.collectors[0].name == "access_log"


def test_every_key_and_every_type_is_in_the_table() -> None:
    keys = re.findall(r"^\| `(\w+)` \|", PAGE, re.MULTILINE)
    assert keys == [short_name(name) for name in Config.__struct_fields__]
    assert all(f"`{spec.params.__struct_config__.tag}`" in PAGE for spec in BUILT_IN)


@pytest.mark.parametrize(("text", "message"), [*zip(FAULTS, MESSAGES, strict=True)], ids=range(len(MESSAGES)))
def test_a_message_is_what_comes(text: str, message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("config.yaml").write_text(text)
    with pytest.raises(ConfigError) as raised:
        plan_run((), "config.yaml")
    assert str(raised.value) == message


def test_the_links_lead_somewhere() -> None:
    targets = [link.partition("#")[0] for link in re.findall(r"\]\(([^)]+)\)", PAGE)]
    assert targets and all((ROOT / "docs" / "reference" / target).exists() for target in targets)
