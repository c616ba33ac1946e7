"""docs/reference/rules has a section for each rule on requests: how it is set, a picture, and how to change it."""

from __future__ import annotations

import re
from typing import Any

import pytest

from aiops_nb.config import parse_config
from aiops_nb.engine.params import DEFAULT_FEATURE_RULES
from aiops_nb.rules.defaults.certificate import CERTIFICATE_RULES
from aiops_nb.rules.defaults.errors import ERROR_RULES
from aiops_nb.rules.defaults.latency import LATENCY_RULES
from aiops_nb.rules.defaults.metrics import SCRAPE_RULES
from aiops_nb.rules.defaults.ready import AVAILABLE_RULES
from aiops_nb.rules.defaults.traffic import TRAFFIC_RULES
from aiops_nb.rules.message.params import DEFAULT_MESSAGE_RULES
from aiops_nb.rules.row.params import DEFAULT_ROW_RULES
from aiops_nb.rules.source_times import DEFAULT_SOURCE_RULES
from tests.paths import ROOT

FOLDER = ROOT / "docs" / "reference" / "rules"
FAMILIES = ("latency", "errors", "traffic", "certificates", "slo", "times", "messages", "metrics")
PAGES = {f"{name}.md": (FOLDER / f"{name}.md").read_text(encoding="utf-8") for name in FAMILIES}
SECTIONS = {
    part.split("`")[0]: part for page in PAGES.values() for part in re.split(r"^## `", page, flags=re.MULTILINE)[1:]
}
ON: tuple[Any, ...] = (
    *DEFAULT_ROW_RULES,
    *LATENCY_RULES,
    *ERROR_RULES,
    *TRAFFIC_RULES,
    *CERTIFICATE_RULES,
    *SCRAPE_RULES,
    *DEFAULT_SOURCE_RULES,
    *DEFAULT_MESSAGE_RULES,
)
EXAMPLES = [
    pytest.param(part.split("```")[0], id=f"{name}-{place}")
    for name, page in PAGES.items()
    for place, part in enumerate(page.split("```yaml\n")[1:])
]


@pytest.mark.parametrize("rule", ON, ids=lambda rule: rule.alertname)
def test_a_rule_that_is_on_says_so_with_its_severity(rule):
    assert f"On by default, {rule.severity}." in SECTIONS[rule.alertname]
    assert rule in (*DEFAULT_ROW_RULES, *DEFAULT_FEATURE_RULES, *DEFAULT_SOURCE_RULES, *DEFAULT_MESSAGE_RULES)


@pytest.mark.parametrize("rule", AVAILABLE_RULES.values(), ids=lambda rule: rule.alertname)
def test_a_ready_rule_says_so_with_its_severity(rule):
    table = f"| `{rule.alertname}` | {rule.severity} | {rule.threshold:g} |"
    assert f"Disabled by default, {rule.severity}." in SECTIONS[rule.alertname] or table in PAGES["slo.md"]
    assert rule not in DEFAULT_FEATURE_RULES


@pytest.mark.parametrize("page", PAGES)
def test_pictures_and_links_exist(page):
    links = re.findall(r"\]\(([^)#]+)\)", PAGES[page])
    assert all((FOLDER / link).exists() for link in links)


@pytest.mark.parametrize("example", EXAMPLES)
def test_examples_are_configs(example):
    assert parse_config(example).pipeline != parse_config("").pipeline
