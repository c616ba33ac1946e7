"""A configuration: read, checked, kept; every fault with its file, its line and its path in the words of the file."""

from __future__ import annotations

import re
from itertools import pairwise
from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from msgspec import Meta, Struct

from aiops_nb.collect.http.target import ProbeTarget
from aiops_nb.collect.params import AccessLogParams
from aiops_nb.config import Config, dump_config, load_config, parse_config
from aiops_nb.config.normalise import spelled_out
from aiops_nb.core.errors import ConfigError
from aiops_nb.core.quantities import exact_duration, parse_duration
from aiops_nb.session.plan import plan_run

SECRET = "s3cret-value"
TARGET = "targets:\n- url: http://h/\n"
RULE = "pipeline:\n  feature_rules:\n  - alertname: a\n    feature: error_ratio\n"


@pytest.fixture(autouse=True)
def variables(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TOKEN", SECRET)
    monkeypatch.setenv("PAUSE", "5m")
    monkeypatch.setenv("PORT", "9000")
    monkeypatch.delenv("ABSENT", raising=False)


FAULTS = [
    (f"{TARGET}- url: http://i/\n- url: http://j/\n  interval: 5s\n  timeout: 10s\n",
     "6: targets[2].timeout: expected less than the interval (5 s), got 10 s"),
    (f"{TARGET}  timeout_seconds: 10\n",
     "3: targets[0].timeout_seconds: expected less than the interval (1 s), got 10 s"),
    (f"timeout: 2s\n{TARGET}", "3: targets[0].timeout: expected less than the interval (1 s), got 2 s"),
    ("targets: [http://h/, ftp://x]", "1: targets[1].url: expected http://host"),
    ("targets:\n- {url: http://h/,\n   timeot: 3}\n",
     "3: targets[0].timeot: expected a known key, got 'timeot'; did you mean timeout?"),
    ("targets:\n- {name: x}\n", "2: targets[0].url: expected a value, got nothing"),
    ("targets: http://h/", "1: targets: expected a list, got a string"),
    (f"{TARGET}  assertions:\n  - status == 200\n  - status is 200\n",
     "5: targets[0].assertions[1], character 8: expected one of"),
    (f"{TARGET}  http_version: 3\n", "3: targets[0].http_version: expected a known value, got 3; known here: 1.1, 2"),
    (f"{TARGET}  headers: {{X-Count: 5}}\n", "3: targets[0].headers: expected a string, got a whole number"),
    (f"{TARGET}  name: a\n- url: http://i/\n  name: a",
     "5: targets[1].name: expected another than targets[0], got 'a'"),
    ("interval: soon", "1: interval: expected a duration such as 250ms, 30s, 5m, 2h or 14d, got 'soon'"),
    ("interval: -1", "1: interval: expected a number > 0.0, got -1"),
    ("interval: .nan", "1: interval: expected a finite number, got nan"),
    ("interval: 1s\ninterval_seconds: 2", "2: interval_seconds: expected interval or interval_seconds, got both"),
    ("interval: 1s\ninterval: 2s", "2: interval: duplicate key (first in line 1)"),
    ("intervall: 1s", "1: intervall: expected a known key, got 'intervall'; did you mean interval?"),
    ("zzz: 1", "1: zzz: expected a known key, got 'zzz'; known here: interval, timeout, targets, collectors"),
    ("collectors:\n- type: acces_log\n",
     "2: collectors[0].type: expected a known type, got 'acces_log'; did you mean access_log?"),
    ("collectors:\n- path: x\n",
     "2: collectors[0].type: expected a known type, got None; known here: access_log, log, tcp_client"),
    ("collectors:\n- type: tcp_client\n  host: h\n  port: 99999",
     "4: collectors[0].port: expected a whole number <= 65535, got 99999"),
    ("collectors:\n- {type: access_log, path: a}\n- {type: access_log, path: b}\n",
     "3: collectors[1].name: expected another than collectors[0]"),
    (f"{RULE}    hold: {{for: 3 weeks}}\n", "5: pipeline.feature_rules[0].hold.for: expected a duration"),
    (f"{RULE}    detector:\n      type: robust_z\n      warmup: 1\n",
     "7: pipeline.feature_rules[0].detector.warmup: expected a known key"),
    (f"{RULE}    detector:\n      type: robust_z\n      warmup_ticks: 1\n",
     "7: pipeline.feature_rules[0].detector.warmup_ticks: expected a whole number >= 3, got 1"),
    (f"{RULE}    severity: fatal\n",
     "5: pipeline.feature_rules[0].severity: expected a known value, got 'fatal'; known here: critical"),
    ("a: b: c\n", "1: invalid YAML: mapping values are not allowed"),
    ("targets: &a [*a]", " expected at most 1,000,000 values, got more"),
    ("targets: &a\n- {url: http://h/, headers: *a}\n", " expected at most 1,000,000 values, got more"),
    ("a: &a [1, 1, 1, 1]\n" + "".join(f"{b}: &{b} [{', '.join(['*' + a] * 9)}]\n" for a, b in pairwise("abcdefgh")),
     " expected at most 1,000,000 values, got more"),
    ("a: 1\nb: " + "[" * 200_000, " expected at most 64 nested levels, got more"),
    ("- " * 200_000, " expected at most 64 nested levels, got more"),
    ("- a", " expected a mapping, got a list"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "message"), FAULTS, ids=[message[:60] for _, message in FAULTS])
def test_a_fault_is_told_with_its_line_and_path(text: str, message: str) -> None:
    with pytest.raises(ConfigError) as raised:
        parse_config(text, "config.yaml")
    assert str(raised.value).startswith(f"config.yaml:{message}")


LATER = [
    ("targets:\n- url: ${ABSENT}/x\n",
     "2: targets[0].url: expected an environment variable that is set, got '${ABSENT}'"),
    (f"{TARGET}  headers:\n    X-A: env:ABSENT\n",
     "4: targets[0].headers.X-A: expected an environment variable that is set"),
    (f"{TARGET}  ca_file: /no/such.pem\n", "3: targets[0].ca_file: expected a readable file, got '/no/such.pem'"),
    (f"{TARGET}  ca_file: {__file__}\n", "3: targets[0].ca_file: expected a file of certificates in PEM, got"),
    ("record: rec/${ABSENT}\n", "1: record: expected an environment variable that is set, got '${ABSENT}'"),
    ("collectors:\n- type: access_log\n  path: a\n  pattern: '(('\n", "4: collectors[0].pattern: expected"),
    ("host_metrics: false\n", "1: targets: expected something to watch"),
    (RULE.replace("error_ratio", "error_ration"),
     "4: pipeline.feature_rules[0].feature: expected a feature of requests, got 'error_ration'; did you mean "),
    (f"{RULE}    preprocess:\n    - type: ema\n    - type: resample\n",
     "3: pipeline.feature_rules[0].steps[1]: expected resample as the first step only"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "message"), LATER, ids=[message[:60] for _, message in LATER])
def test_a_fault_of_the_surroundings_is_told_when_it_is_to_run(text: str, message: str, tmp_path: Path) -> None:
    file = tmp_path / "config.yaml"
    file.write_text(text)
    load_config(file)
    with pytest.raises(ConfigError) as raised:
        plan_run((), file)
    assert str(raised.value).startswith(f"{file}:{message}")


def test_a_fault_of_a_mapping_has_its_path() -> None:
    with pytest.raises(ConfigError, match=r"^config: targets\[0\]\.timeot: expected a known key"):
        load_config({"targets": [{"url": "http://h/", "timeot": 1}]})


@pytest.mark.parametrize("source", [5, [1], b"config.yaml"])
def test_what_is_no_config_at_all_is_refused(source: Any) -> None:
    with pytest.raises(ConfigError, match=r"^config: expected a Config, a mapping or the path of a YAML file, got "):
        load_config(source)


def test_a_line_that_is_no_yaml_is_not_shown() -> None:
    with pytest.raises(ConfigError) as raised:
        parse_config(f"a: b\nX-Api-Key: {SECRET}: :\n", "config.yaml")
    assert str(raised.value).startswith("config.yaml:2: invalid YAML") and SECRET not in str(raised.value)


@pytest.mark.parametrize("text", ["interval: ${TOKEN}", "host_metrics: ${TOKEN}", f"{RULE}    severity: ${{TOKEN}}"])
def test_what_a_variable_holds_is_not_shown(text: str) -> None:
    with pytest.raises(ConfigError) as raised:
        parse_config(text, "config.yaml")
    assert SECRET not in str(raised.value)


@pytest.mark.parametrize(
    ("written", "seconds"),
    [("30s", 30.0), ("5m", 300.0), ("2h", 7200.0), ("250ms", 0.25), ("14d", 1_209_600.0), ("2", 2.0),
     (3, 3), (0.5, 0.5), ("${PAUSE}", 300.0), ("${ABSENT:-90s}", 90.0)],
)  # fmt: skip
def test_durations_and_numbers_are_seconds_with_and_without_the_ending(written: object, seconds: float) -> None:
    for key in ("interval", "interval_seconds"):
        assert load_config({key: written}).interval_seconds == seconds


@given(st.integers(1, 10**12).map(lambda milliseconds: milliseconds / 1000))
def test_a_duration_that_is_written_reads_the_same(seconds: float) -> None:
    assert parse_duration(exact_duration(seconds)) == pytest.approx(seconds, rel=1e-9)


class Later(Struct, frozen=True, kw_only=True, tag="later", tag_field="type"):
    quiet_seconds: Annotated[float, Meta(gt=0)] | None = None
    limits: dict[str, tuple[int, ...]] = {}
    mode: Literal["a", "b"] = "a"


class Other(Struct, frozen=True, kw_only=True, tag="other", tag_field="type"):
    steps: tuple[Later | None, ...] = ()


def test_a_struct_that_nobody_told_of_is_covered_too() -> None:
    kind = msgspec.inspect.type_info(tuple[Later | Other, ...])
    written = [
        {"type": "later", "quiet": "2m"},
        {"type": "other", "steps": [{"type": "later", "quiet_seconds": "1s"}, None]},
    ]
    contents = spelled_out(written, kind)
    later, other = msgspec.convert(contents, tuple[Later | Other, ...])
    assert later.quiet_seconds == 120.0 and other.steps[0].quiet_seconds == 1.0 and other.steps[1] is None  # type: ignore[union-attr]
    with pytest.raises(
        ConfigError, match=r"^\[1\]\.steps\[0\]\.mode: expected a known value, got 'c'; known here: a, b"
    ):
        spelled_out([None, {"type": "other", "steps": [{"type": "later", "mode": "c"}]}], kind)


FULL = """
interval: 2s
targets:
- https://example.org/
- name: shop
  url: https://${USER}:${TOKEN}@shop.example.org/${TOKEN}?key=${TOKEN}
  headers: {Authorization: "Bearer ${TOKEN}", X-Other: env:TOKEN}
  body: "${TOKEN}"
  http_version: 1.1
  interval: 30s
collectors:
- {type: tcp_client, host: "${TOKEN}", port: "${PORT}"}
record: rec/${TOKEN}
pipeline:
  row_rules: [{alertname: "from ${PAUSE} $${TOKEN}", condition: failed, keep_firing_for: "${PAUSE}"}]
"""


def test_what_is_kept_holds_references_and_reads_the_same() -> None:
    config = parse_config(FULL)
    kept = dump_config(config)
    assert SECRET not in kept and SECRET not in repr(config)
    assert parse_config(kept) == config
    stored = yaml.safe_load(kept)
    assert stored["targets"][1]["headers"] == {"Authorization": "Bearer ${TOKEN}", "X-Other": "env:TOKEN"}
    assert stored["record"] == "rec/${TOKEN}" and stored["collectors"][0]["port"] == 9000


def test_what_decides_the_alerts_is_kept_as_it_was_read() -> None:
    rule = parse_config(FULL).pipeline.row_rules[0]
    assert rule.alertname == "from 5m ${TOKEN}" and rule.keep_firing_for_seconds == 300.0


def test_what_is_told_in_python_is_taken_as_it_is(tmp_path: Path) -> None:
    target, log = ProbeTarget(url="http://h/", timeout_seconds=0.5), AccessLogParams(path="a")
    told = {"targets": [target], "collectors": [log], "record": tmp_path, "pipeline": Config().pipeline}
    config = load_config(told)
    assert config.targets == (target,) and config.collectors == (log,) and config.record == str(tmp_path)


def test_the_shared_timeout_and_interval_are_for_those_that_have_none() -> None:
    targets = ["http://h/", {"url": "http://i/", "timeout": "100ms"}, {"url": "http://j/", "interval": "1m"}]
    plan = plan_run((), {"interval": "2s", "timeout": "1500ms", "targets": targets, "host_metrics": False})
    told = {name: (probe.timeout_for(2.0), probe.interval_at(2.0)) for name, probe in plan.probes.items()}
    assert told == {"http://h/": (1.5, 2.0), "http://i/": (0.1, 2.0), "http://j/": (1.5, 60.0)}


@pytest.mark.parametrize(
    "target",
    [ProbeTarget(url="http://h/", headers={"Authorization": SECRET}), f"https://joe:{SECRET}@h/"],
)
@pytest.mark.parametrize("key", ["targets", "connectivity"])
def test_a_literal_secret_is_refused_in_python_too(target: Any, key: str) -> None:
    if key == "connectivity" and not isinstance(target, str):
        return
    with pytest.raises(ConfigError) as raised:
        Config(**{key: (target,)})
    assert f"{key}[0]" in str(raised.value) and SECRET not in str(raised.value)


def test_a_file_that_cannot_be_read_says_why(tmp_path: Path) -> None:
    (tmp_path / "binary.yaml").write_bytes(b"\xff\x00")
    for name, why in (
        (".", "(Is a directory|Permission denied)"),
        ("none.yaml", "No such file or directory"),
        ("binary.yaml", "it is no text"),
    ):
        expected = rf"^config: expected a readable YAML file, got {re.escape(str(tmp_path / name))} \({why}"
        with pytest.raises(ConfigError, match=expected):
            load_config(tmp_path / name)
