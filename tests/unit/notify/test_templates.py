"""What messages say, in two languages, and by templates of users; a bad one is refused with its field and line."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from aiops_nb.config.load import load_config
from aiops_nb.core.errors import ConfigError
from aiops_nb.notify.message import Message
from aiops_nb.notify.templates import MessageParams, Texts

LATENCY = Message(
    kind="firing",
    fingerprint="f",
    episode_ns=1_780_000_000_000_000_000,
    labels={"alertname": "latency_p95_anomaly", "severity": "warning", "target": "shop"},
    summary="p95 latency 258 ms (expected 33, limit 63)",
    starts_at_ns=1_780_000_000_000_000_000,
    value=0.258,
    expected=0.033,
    threshold=0.063,
    feature="duration_p95_seconds",
    phase="wait",
)
LINKS = MessageParams(dashboard="https://lab.example.org/lab", runbooks={"*": "https://wiki.example.org/all"})


def test_a_message_says_what_where_since_when_and_how_bad() -> None:
    texts = Texts(LINKS, "recordings/my day")
    assert texts.title([LATENCY]) == "FIRING: latency_p95_anomaly on shop"
    assert texts.text([LATENCY]).splitlines() == [
        "p95 latency 258 ms (expected 33, limit 63)",
        "Severity: warning",
        "Since: 2026-05-28 20:26:40 UTC",
        "Value: 258 ms (expected 33 ms, limit 63 ms)",
        "Slowest part: time to first byte",
        "Runbook: https://wiki.example.org/all",
        "Dashboard: https://lab.example.org/lab",
        "Replay: aiops-nb replay 'recordings/my day'",
    ]


def test_the_same_in_korean() -> None:
    texts = Texts(MessageParams(language="ko"))
    ended = msgspec.structs.replace(LATENCY, kind="resolved", ends_at_ns=LATENCY.starts_at_ns + 90 * 10**9)
    assert texts.title([ended]) == "해결: shop의 latency_p95_anomaly"
    lines = texts.text([ended]).splitlines()
    assert "가장 느려진 구간: 첫 바이트 대기" in lines and "해결: 2026-05-28 20:28:10 UTC, 지속 시간 90 s" in lines
    assert texts.title([LATENCY, ended]) == "1건 발생, 1건 해결"


def test_a_digest_counts_all_and_lists_the_worst_first() -> None:
    many = [msgspec.structs.replace(LATENCY, fingerprint=str(number)) for number in range(500)]
    critical = msgspec.structs.replace(LATENCY, labels={**LATENCY.labels, "severity": "critical", "target": "till"})
    lines = Texts().text([*many, critical]).splitlines()
    assert Texts().title([*many, critical]) == "501 firing, 0 resolved"
    assert lines[0].startswith("FIRING: latency_p95_anomaly on till: ") and lines[-1] == "and 481 more"
    assert len(lines) == 21


def test_a_group_is_named_by_its_labels() -> None:
    grouped = [msgspec.structs.replace(LATENCY, group={"target": "shop"}, fingerprint=one) for one in "ab"]
    assert Texts().title(grouped) == "2 firing, 0 resolved (target shop)"


@pytest.mark.parametrize(
    ("kind", "update", "state"),
    [
        ("repeat", "", "STILL FIRING"),
        ("update", "severity", "SEVERITY CHANGED"),
        ("update", "flapping", "FLAPPING"),
        ("update", "acknowledged", "ACKNOWLEDGED"),
    ],
)
def test_the_title_says_what_happened(kind: str, update: str, state: str) -> None:
    one = msgspec.structs.replace(LATENCY, kind=kind, update=update)
    assert Texts().title([one]) == f"{state}: latency_p95_anomaly on shop"


def test_html_escapes_text_from_outside() -> None:
    hostile = msgspec.structs.replace(LATENCY, summary="<img src=x onerror=alert(1)>", note="{{ 7 * 7 }}")
    page = Texts().html([hostile])
    assert "<img src=x" not in page and "&lt;img" in page and "{{ 7 * 7 }}" in page


def test_templates_of_users_come_from_the_configuration_or_from_files(tmp_path: Path) -> None:
    (tmp_path / "text.jinja").write_text("{% for one in alerts %}{{ one.labels.target }}!{% endfor %}", "utf-8")
    params = MessageParams(title="{{ alert.rule|upper }}", text=f"file:{tmp_path / 'text.jinja'}")
    assert Texts(params).title([LATENCY]) == "LATENCY_P95_ANOMALY"
    assert Texts(params).text([LATENCY, LATENCY]) == "shop!shop!"


@pytest.mark.parametrize(
    ("template", "message"),
    [
        ("one\n{{ alert.rule", r"text: expected a Jinja template, got line 2: "),
        ("{{ alerts }}\n{{ alret.rule }}", r"text: expected one of alert, .*, got 'alret' in line 2"),
        ("{% include '/etc/passwd' %}", r"no loader|include|template"),
        ("{{ alert.rulle }}", r"text: expected a template that renders, got .*no attribute 'rulle'"),
        ("{{ ''.__class__.__mro__ }}", r"unsafe"),
        ("{{ alert.__init__.__globals__ }}", r"unsafe"),
    ],
)
def test_a_bad_template_is_refused_with_its_field_and_line(template: str, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        Texts(MessageParams(text=template))


def test_a_configuration_names_the_path_of_a_bad_template(tmp_path: Path) -> None:
    config = tmp_path / "config.yaml"
    config.write_text("notify:\n  messages:\n    title: '{{ alert.rule '\n", "utf-8")
    with pytest.raises(ConfigError, match=r":3: notify\.messages\.title: expected a Jinja template, got line 1: "):
        load_config(config)
    with pytest.raises(ConfigError, match=r"notify.messages.html: .*missing.jinja: expected a template, got No such"):
        Texts(MessageParams(html=f"file:{tmp_path}/missing.jinja"))
    with pytest.raises(ConfigError, match="dashboard: expected an http or https URL"):
        MessageParams(dashboard="javascript:alert(1)")


@pytest.mark.parametrize("url", ["https://me:planted@lab/", "https://lab/?token=planted", "planted", "https://"])
def test_a_link_with_a_secret_is_refused_and_not_shown(url: str) -> None:
    for fields in ({"dashboard": url}, {"runbooks": {"http_5xx": url}}):
        with pytest.raises(ConfigError, match="expected a") as refused:
            MessageParams(**fields)  # type: ignore[arg-type]
        assert "planted" not in str(refused.value)
    assert MessageParams(dashboard="https://lab.example.org/lab?kiosk=1").dashboard
