"""The process that looks at files first: it starts quickly, because it imports nothing but what reads them."""

from __future__ import annotations

import json
import subprocess
import sys

import aiops_nb
from aiops_nb.record.inspection import _SCRIPT


def test_it_imports_the_arrow_readers_only(tmp_path):
    aiops_nb.from_synthetic(5, seed=1, targets=1, record=tmp_path / "r")
    files = sorted((tmp_path / "r").glob("*/*.parquet"))
    command = [sys.executable, "-S", "-X", "importtime", str(_SCRIPT)]
    lines = "".join(json.dumps(str(file)) + "\n" for file in files)
    path = {"PYTHONPATH": ":".join(filter(None, sys.path))}
    done = subprocess.run(command, input=lines, capture_output=True, text=True, env=path, timeout=60)
    assert done.stdout.split() == ["ready", *['""'] * len(files)]
    imported = {line.rpartition("|")[2].strip().partition(".")[0] for line in done.stderr.splitlines()}
    assert {"pyarrow", "numpy"} <= imported
    assert not imported & {"aiops_nb", "pandas", "msgspec", "site", "subprocess", "asyncio"}
