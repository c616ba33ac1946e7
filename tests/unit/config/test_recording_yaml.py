"""What a recording keeps of a configuration: no literal of a URL's query or user info, no literal body."""

from __future__ import annotations

from pathlib import Path

import pytest

from aiops_nb import open_recording, watch
from aiops_nb.collect.http.target import ProbeTarget
from aiops_nb.collect.params import SyntheticParams
from aiops_nb.config import Config, load_config, parse_config
from aiops_nb.config.recorded import recorded_config, recording_yaml
from aiops_nb.core.urls import recordable_url
from tests import collect_servers as servers
from tests.plug_ins import installed
from tests.unit.collect.test_registry import GOOD, points


@pytest.mark.parametrize(
    ("url", "kept"),
    [
        ("http://h/a", "http://h/a"),
        ("http://h/a?x=hush", "http://h/a"),
        ("http://h/a?hush", "http://h/a"),
        ("http://h/a#hush", "http://h/a"),
        ("http://h/a?x=hush&k=${KEY}&y=hush", "http://h/a?k=${KEY}"),
        ("http://h/a?k=${KEY:-hush}", "http://h/a"),
        ("http://h/a?k=hush${KEY}", "http://h/a"),
        ("http://h/a?k=${KEY}hush", "http://h/a"),
        ("http://hush@h/a", "http://h/a"),
        ("http://hush:${PW}@h/a", "http://h/a"),
        ("http://${USER}:${PW}@h/a", "http://${USER}:${PW}@h/a"),
        ("http://joe:hu/sh@h/a", "http://h/a"),
        ("http://${HOST}/${TENANT}/a?x=hush", "http://${HOST}/${TENANT}/a"),
        ("env:HEALTH_URL", "env:HEALTH_URL"),
        ("file:/run/url", "file:/run/url"),
        ("wss://h/feed?x=hush", "wss://h/feed"),
        ("http://h/a?x=1;y=hush", "http://h/a"),
        ("http://[hush", "<malformed URL>"),
    ],
)
def test_what_is_kept_of_a_url(url: str, kept: str) -> None:
    assert recordable_url(url) == kept


EVERYWHERE = """
targets:
- http://h/a?x=hush
- {url: "http://h/a?y=hush"}
- {url: "http://h/b?y=hush&k=${KEY}", name: named, method: POST, body: "q=hush"}
- {url: "http://h/c", method: POST, body: "file:/run/body"}
connectivity: ["http://h/d?z=hush"]
collectors:
- {type: websocket, url: "ws://h/feed?customer=hush"}
- {type: synthetic}
host_metrics: false
"""


def test_no_literal_is_recorded_and_names_stay() -> None:
    config = parse_config(EVERYWHERE)
    text = recording_yaml(config)
    assert "hush" not in text
    read = recorded_config(text, "config.yaml")
    assert [probe.shown_name for probe in read.probes] == [probe.shown_name for probe in config.probes]
    assert read.probes[2].url == "http://h/b?k=${KEY}"
    assert read.probes[3].body == "file:/run/body"
    assert "hush" in repr(load_config(config).probes[0].url), "what runs is unchanged"


def test_without_secrets_the_same_is_recorded() -> None:
    config = Config(targets=("http://h/a", ProbeTarget(url="http://h/b")), collectors=(SyntheticParams(),))
    assert recorded_config(recording_yaml(config), "config.yaml") == config


def test_no_file_of_a_recording_holds_a_query(tmp_path: Path) -> None:
    with servers.raw_server(servers.reply_ok) as port:
        url = f"http://127.0.0.1:{port}/a?customer=hush-hush"
        config = {"targets": [url], "host_metrics": False, "collectors": [{"type": "synthetic"}]}
        with watch(f"{url}2", config=config, record=str(tmp_path / "r")) as monitor:
            while len(monitor.requests()) < 5:
                monitor.wait(0.1)
    files = [file for file in (tmp_path / "r").rglob("*") if file.is_file()]
    assert len(files) >= 3
    assert not [file.name for file in files if b"hush" in file.read_bytes()]
    assert open_recording(tmp_path / "r").config.targets == (f"http://127.0.0.1:{port}/a",)


def test_a_recording_with_a_collector_of_a_plug_in_opens_without_it(tmp_path: Path) -> None:
    with installed(tmp_path / "site", "jobs", points("jobs_plug_in"), {"jobs_plug_in.py": GOOD.replace("TAG", "jobs")}):
        config = load_config({"collectors": [{"type": "jobs"}, {"type": "synthetic"}], "host_metrics": False})
        text = recording_yaml(config)
        assert recorded_config(text, "config.yaml") == config
    assert "jobs" in text
    assert recorded_config(text, "config.yaml").collectors == (SyntheticParams(),)
