"""`aiops-nb notify`: what it shows, sends and refuses."""

from __future__ import annotations

from pathlib import Path

import pytest

from aiops_nb.cli import main
from tests.ports import free_port
from tests.unit.notify.receiver import receiving

CONFIG = """
targets: [http://127.0.0.1:9/]
notify:
  channels:
    - {{type: webhook, url: "{url}/hook?token=${{HOOK_TOKEN}}", name: chat}}
    - {{type: webhook, url: "http://127.0.0.1:{port}/", name: dead, timeout: 1s}}
  routes:
    - matchers: {{severity: [critical]}}
      channels: [dead]
  default: [chat]
"""


@pytest.fixture
def config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("HOOK_TOKEN", "planted-5ecret")
    with receiving() as receiver:
        path = tmp_path / "config.yaml"
        path.write_text(CONFIG.format(url=receiver.url, port=free_port()))
        yield path, receiver


def test_it_shows_channels_and_routes_and_sends_nothing(config, capsys: pytest.CaptureFixture[str]) -> None:
    path, receiver = config
    assert main(["notify", str(path)]) == 0
    out = capsys.readouterr().out
    assert 'route    severity="critical" -> dead' in out
    assert "default  severity warning or higher -> chat" in out
    assert "planted" not in out and receiver.requests == []


def test_a_test_message_is_sent_and_resolved_and_a_dead_channel_is_an_error(config, capsys) -> None:
    path, receiver = config
    assert main(["notify", "--test", str(path)]) == 1
    out = capsys.readouterr().out
    assert [one.body["status"] for one in receiver.accepted] == ["firing", "resolved"]
    assert "accepted a firing and a resolved message" in out and "failed: http://127.0.0.1:" in out
    assert "planted" not in out
    assert main(["notify", "--test", "--channel", "chat", str(path)]) == 0


def test_an_unknown_channel_and_a_configuration_without_channels(config, tmp_path: Path, capsys) -> None:
    path, _ = config
    assert main(["notify", "--channel", "chatt", str(path)]) == 1
    assert "did you mean chat?" in capsys.readouterr().err
    (tmp_path / "none.yaml").write_text("targets: [http://127.0.0.1:9/]\n")
    assert main(["notify", str(tmp_path / "none.yaml")]) == 1
    assert "expected notify.channels, got none" in capsys.readouterr().err


def test_it_shows_how_alerts_are_grouped_and_refuses_a_bad_template(config, capsys) -> None:
    path, receiver = config
    text = path.read_text()
    path.write_text(text + "  group_by: [target]\n  group_wait: 10s\n  group_interval: 5m\n  repeat_interval: 4h\n")
    assert main(["notify", str(path)]) == 0
    assert "-> chat (by target, after 10 s, then at most every 5 min; repeated every 4 h)" in capsys.readouterr().out
    path.write_text(text + "  messages: {text: '{{ alert.rulle }}'}\n")
    assert main(["notify", "--test", str(path)]) == 1
    assert "notify.messages.text: expected a template that renders" in capsys.readouterr().err
    path.write_text(text + "  messages: {title: '[{{ alert.target }}]', language: ko}\n")
    assert main(["notify", "--test", "--channel", "chat", str(path)]) == 0
    assert len(receiver.accepted) == 2
