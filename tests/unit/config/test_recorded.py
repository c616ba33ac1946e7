"""What a stranger's recorded configuration can do: nothing but be read."""

from __future__ import annotations

import pytest

from aiops_nb.config import Config, dump_config, load_config
from aiops_nb.config.faults import read_yaml
from aiops_nb.config.recorded import recorded_config
from aiops_nb.core.errors import ConfigError

SECRET = "s3cr3t-value"


@pytest.fixture(autouse=True)
def secrets(monkeypatch, tmp_path):
    monkeypatch.setenv("PLANTED_SECRET", SECRET)
    (tmp_path / "secret").write_text(SECRET)
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize(
    "reference", ["${PLANTED_SECRET}", "a ${PLANTED_SECRET} b", "${NOT_SET:-x}", "$${PLANTED_SECRET}"]
)
def test_a_reference_in_the_pipeline_is_a_text(reference):
    text = dump_config(Config()).replace("alertname: http_5xx", f"alertname: '{reference}'")
    config = recorded_config(text, "config.yaml")
    assert config.pipeline.row_rules[0].alertname == reference.replace("$${", "${")
    assert SECRET not in dump_config(config)


@pytest.mark.parametrize(
    "text",
    [
        "record: ${PLANTED_SECRET}",
        "record: env:PLANTED_SECRET",
        "record: file:secret",
        "targets: [{url: 'http://h/${PLANTED_SECRET}', headers: {Authorization: '${PLANTED_SECRET}'}}]",
        "targets: [{url: 'http://h/', name: 'env:PLANTED_SECRET', headers: {Cookie: 'file:secret'}}]",
        "history: env:PLANTED_SECRET",
    ],
)
def test_a_reference_elsewhere_stays_one(text):
    config = recorded_config(text, "config.yaml")
    assert SECRET not in dump_config(config)
    assert SECRET not in repr(config)
    assert config == load_config(read_yaml(text, "x")), "as the file of a user would be read"


@pytest.mark.parametrize(
    "text", ["interval: ${PLANTED_SECRET}", "pipeline: {window: {span_ticks: '${PLANTED_SECRET}'}}"]
)
def test_a_reference_in_place_of_a_number_is_refused_unread(text):
    with pytest.raises(ConfigError) as caught:
        recorded_config(text, "config.yaml")
    assert SECRET not in str(caught.value)


def test_what_was_dumped_reads_back_the_same():
    rule = {"alertname": "a $${x} b", "condition": "failed"}
    given = load_config({"record": "r/${RUN:-today}", "pipeline": {"row_rules": [rule]}})
    assert given.pipeline.row_rules[0].alertname == "a ${x} b"
    assert recorded_config(dump_config(given), "config.yaml") == given


@pytest.mark.parametrize(
    "text",
    [
        "[1, 2]",
        "pipeline: 7",
        "pipeline: {feature_rules: 3}",
        "pipeline: {row_rules: [1]}",
        "collectors: [x]",
        "- ",
        "a: &a [*a]",
    ],
)
def test_other_shapes_are_one_clear_error(text):
    with pytest.raises(ConfigError, match=r"config\.yaml"):
        recorded_config(text, "config.yaml")
