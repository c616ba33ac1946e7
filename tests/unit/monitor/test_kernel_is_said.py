"""Which code computes is said once a run and by `aiops-nb check`, in the same words."""

from __future__ import annotations

import json
import logging
from pathlib import Path

import pytest

from aiops_nb import kernel
from aiops_nb.cli import main
from aiops_nb.engine.params import PipelineParams
from aiops_nb.monitor.live import LiveRun
from aiops_nb.monitor.monitor import Monitor
from aiops_nb.record.tap import NullTap


def test_a_run_says_once_which_code_computes(caplog: pytest.LogCaptureFixture) -> None:
    with (
        caplog.at_level(logging.INFO, "aiops_nb"),
        Monitor(lambda deliver: LiveRun([], NullTap(), PipelineParams(), deliver)),
    ):
        pass
    said = [record for record in caplog.records if "computed by" in record.message]
    assert [(one.levelname, one.message) for one in said] == [("INFO", f"computed by: {kernel.status()}")]


def test_check_says_which_code_computes(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    config = tmp_path / "c.yaml"
    config.write_text("targets: [http://127.0.0.1:9/]\n", encoding="utf-8")
    assert main(["check", str(config)]) == 0
    assert f"kernel\n  {kernel.status()}\n" in capsys.readouterr().out
    assert main(["check", str(config), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["kernel"] == kernel.status()
