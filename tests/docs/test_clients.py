"""Each rule on clients has its page, with its picture, its defaults, and an example that can be used."""

from __future__ import annotations

import msgspec
import pytest

from aiops_nb.config import parse_config
from aiops_nb.engine.params import PipelineParams
from aiops_nb.features.clients.table import CLIENT_FEATURES
from benchmarks.pictures import clients
from benchmarks.pictures.scene import draw
from tests.paths import ROOT

DOCS = ROOT / "docs" / "reference"
RULES = {rule.alertname: rule for rule in PipelineParams().client_rules}
CLIENTS = (DOCS / "clients.md").read_text(encoding="utf-8")
OF_EVERY_RULE = ("alertname", "severity", "hold", "max_alerts")


def page_of(name):
    return (DOCS / "rules" / f"{name}.md").read_text(encoding="utf-8")


def examples_of(page):
    return [parse_config(part.split("```")[0]) for part in page.split("```yaml\n")[1:]]


@pytest.mark.parametrize("name", RULES)
def test_a_page_tells_the_defaults(name):
    page, rule = page_of(name), RULES[name]
    own = {field: value for field, value in msgspec.structs.asdict(rule).items() if field not in OF_EVERY_RULE}
    hold = f"| for, keep firing for | {rule.hold.for_seconds:g} s, {rule.hold.keep_firing_for_seconds:g} s |"
    told = [f"| severity | {rule.severity} |", hold, *(f"| `{field}` | {value:g}" for field, value in own.items())]
    assert [one for one in told if one not in page] == []


@pytest.mark.parametrize("name", RULES)
def test_a_page_is_linked_and_has_its_picture(name):
    assert f"](../../images/rules/{name}.svg)" in page_of(name) and f"](rules/{name}.md)" in CLIENTS
    assert f"| [{name}](rules/{name}.md) | {RULES[name].severity} |" in CLIENTS


@pytest.mark.parametrize("name", RULES)
def test_the_example_is_a_config_of_this_rule(name):
    (example,) = examples_of(page_of(name))
    assert example.pipeline.client_rules[0].alertname == name and example.pipeline.client_rules[0] != RULES[name]


@pytest.mark.parametrize("scene", clients.SCENES, ids=lambda scene: scene.name)
def test_a_page_quotes_what_its_picture_says(scene, tmp_path):
    told = next(change.summary for change in draw(scene, tmp_path) if change.state == "firing")
    assert f"`{told}`" in page_of(scene.name)


def test_the_page_on_clients_knows_every_feature_and_its_examples_work():
    assert [name for name in CLIENT_FEATURES if f"`{name}`" not in CLIENTS] == []
    ignoring, masking = examples_of(CLIENTS)
    assert len(ignoring.pipeline.clients.ignored_networks) == 3 and masking.pipeline.clients.ipv4_prefix_bits == 24
