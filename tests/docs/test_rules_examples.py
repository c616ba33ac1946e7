"""An example in docs/reference/rules changes what it shows, and loses nothing else that the rule has."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec
import pytest

from aiops_nb.config import parse_config
from aiops_nb.engine.params import DEFAULT_FEATURE_RULES
from aiops_nb.rules.defaults.ready import AVAILABLE_RULES
from aiops_nb.rules.feature.params import FeatureRuleParams
from tests.paths import ROOT

FOLDER = ROOT / "docs" / "reference" / "rules"
OURS = {rule.alertname: rule for rule in (*DEFAULT_FEATURE_RULES, *AVAILABLE_RULES.values())}


def examples() -> Iterator[FeatureRuleParams]:
    for page in sorted(FOLDER.glob("*.md")):
        for part in page.read_text(encoding="utf-8").split("```yaml\n")[1:]:
            for rule in parse_config(part.split("```")[0]).pipeline.feature_rules:
                if rule.alertname in OURS and rule != OURS[rule.alertname]:
                    yield rule


def lost(shown: msgspec.Struct, ours: msgspec.Struct, where: str = "") -> list[str]:
    """Fields that are no more than the default of their kind where our rule says something else."""
    told = []
    for field in msgspec.structs.fields(type(shown)):
        mine, theirs = getattr(ours, field.name, None), getattr(shown, field.name)
        if isinstance(theirs, tuple) and theirs and isinstance(theirs[0], msgspec.Struct):
            told += [name for one, two in zip(theirs, mine, strict=True) for name in lost(one, two, f"{field.name}.")]
        elif isinstance(theirs, msgspec.Struct) and type(theirs) is type(mine):
            told += lost(theirs, mine, f"{field.name}.")
        elif theirs != mine and not field.required and theirs == field.default:
            told.append(where + field.name)
    return told


@pytest.mark.parametrize("example", list(examples()), ids=lambda rule: rule.alertname)
def test_an_example_keeps_what_it_does_not_show(example: FeatureRuleParams) -> None:
    assert lost(example, OURS[example.alertname]) == []
