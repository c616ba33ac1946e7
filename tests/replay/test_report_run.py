"""A whole report by papermill, and its page."""

import asyncio
import json
import re
import subprocess
import sys
from base64 import b64encode
from hashlib import sha256
from pathlib import Path

import nbformat
import pytest
from nbformat.sign import NotebookNotary

from aiops_nb.core.errors import AiopsError, ConfigError, RecordingError
from aiops_nb.core.schemas import make_batch
from aiops_nb.demo import demo_recording
from aiops_nb.record.recorder import Recorder
from aiops_nb.report import run_report
from aiops_nb.report.batch.execution import execute

START, END = "2026-11-23T08:08:00Z", "2026-11-23T08:10:00Z"
TARGET = "http://127.0.0.1:8765/health"
MAX_PAGE_BYTES = 4_000_000
NAME = re.compile(r"monitoring_20261123T080800Z_20261123T0809\d\dZ_[0-9a-f]{8}_[0-9a-f]{8}")


@pytest.fixture(scope="module")
def report(tmp_path_factory):
    """Made from within a running event loop, as a notebook would."""

    async def make():
        out = tmp_path_factory.mktemp("reports") / "new"
        return run_report(demo_recording(), out=out, start=START, end=END, targets=[TARGET])

    return asyncio.run(make())


def test_names_carry_range_config_and_run(report):
    assert NAME.fullmatch(report.notebook.stem)
    assert report.html == report.notebook.with_suffix(".html")


def test_the_notebook_was_executed_with_the_parameters(report):
    notebook = nbformat.read(report.notebook, as_version=4)
    injected = [cell for cell in notebook.cells if "injected-parameters" in cell.metadata.get("tags", [])]
    assert f'targets = ["{TARGET}"]' in injected[0].source
    assert all(cell.execution_count for cell in notebook.cells if cell.cell_type == "code")


def test_the_notebook_is_not_signed_as_trusted(report):
    assert not NotebookNotary().check_signature(nbformat.read(report.notebook, as_version=4))


def test_the_page_allows_no_script_but_ours(report):
    text = report.html.read_text(encoding="utf-8")
    policy = re.search(r'http-equiv="Content-Security-Policy" content="([^"]+)"', text)[1].replace("&#39;", "'")
    rules = dict(rule.split(" ", 1) for rule in policy.split("; "))
    assert rules["default-src"] == rules["base-uri"] == rules["form-action"] == "'none'"
    scripts = re.findall(r"<script>(.*?)</script>", text, re.DOTALL)
    hashes = {f"'sha256-{b64encode(sha256(script.encode()).digest()).decode()}'" for script in scripts}
    assert set(rules["script-src"].split()) == hashes
    assert len(hashes) == 2


def test_the_browser_tab_says_what_and_when(report):
    text = report.html.read_text(encoding="utf-8")
    assert f"<title>Monitoring report {demo_recording().name}, 2026-11-23 08:08 to 2026-11-23 08:09 UTC</title>" in text


def test_charts_come_before_the_long_tables(report):
    text = report.html.read_text(encoding="utf-8")
    places = [text.index(f">{title}<") for title in ("Summary", "Alerts", "Latency", "Evidence", "Provenance")]
    assert places == sorted(places)


def test_the_page_is_small_and_asks_nothing_of_the_network(report):
    text = report.html.read_text(encoding="utf-8")
    assert len(text) < MAX_PAGE_BYTES
    assert text.count("BEGIN bokeh.min.js") == 1
    assert not re.search(r'<(script|link|img)[^>]+(src|href)="?(https?:)?//', text)


def test_the_page_has_prose_and_results_but_neither_code_nor_hints_for_the_notebook(report):
    text = report.html.read_text(encoding="utf-8")
    assert "Monitoring report</h1>" not in text.partition("<title>")[0]
    assert "figures reproduced" in text
    assert "open_recording" not in text
    assert "Run All" not in text


def test_only_the_chosen_target_is_reported(report):
    text = re.sub("<wbr/?>", "", report.html.read_text(encoding="utf-8"))
    assert f"{TARGET}</td>" in text
    assert "8765/checkout</td>" not in text


def test_a_failed_cell_is_told_and_its_notebook_kept(tmp_path):
    source = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell("x = 1"), nbformat.v4.new_code_cell("x / 0")])
    nbformat.write(source, tmp_path / "bad.ipynb")
    with pytest.raises(AiopsError) as caught:
        execute(tmp_path / "bad.ipynb", tmp_path / "kept.ipynb", {})
    assert str(caught.value) == (
        f"bad.ipynb, cell 2: ZeroDivisionError: division by zero (kept: {tmp_path / 'kept_failed.ipynb'})"
    )
    assert "ZeroDivisionError" in (tmp_path / "kept_failed.ipynb").read_text(encoding="utf-8")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["bad.ipynb", "kept_failed.ipynb"]


HOSTILE = [
    'it\'s "quoted"',
    "two\nlines\r\n",
    "{{ 7 * 7 }} {% raw %} {recording} {0} ${HOME} %(x)s",
    "back\\slash\\",
    '"""; raise SystemExit  #',
    "\N{SNOWMAN} \u202egnp \x1b[31m \0 \ud7ff",
    "<script>alert(1)</script><!--",
]


def test_parameters_and_paths_are_data_whatever_they_hold(tmp_path):
    folder = tmp_path / '{recording} {0} {{x}} it\'s "q" \N{SNOWMAN}\nline'
    folder.mkdir()
    cells = [nbformat.v4.new_code_cell("texts = []\none = ''", metadata={"tags": ["parameters"]})]
    cells.append(nbformat.v4.new_code_cell("import json; print(json.dumps([texts, one]))"))
    language = {"language_info": {"name": "python"}}
    nbformat.write(nbformat.v4.new_notebook(cells=cells, metadata=language), folder / "echo.ipynb")
    done = execute(folder / "echo.ipynb", folder / "done.ipynb", {"texts": HOSTILE, "one": "".join(HOSTILE)})
    assert done == folder / "done.ipynb"
    (output,) = nbformat.read(done, as_version=4).cells[-1].outputs
    assert json.loads(output.text) == [HOSTILE, "".join(HOSTILE)]


def test_a_report_on_a_recording_with_hostile_names_is_made(tmp_path):
    folder = tmp_path / '{{ 7 * 7 }} {recording} it\'s "q" <b>\nline'
    target = '/it\'s "q" {{ 7 * 7 }} {start} <b>bold</b>\nnext \N{SNOWMAN}'
    times = [1_780_000_000_000_000_000 + second * 1_000_000_000 for second in range(30)]
    columns = {"time": times, "target": [target, "/other"] * 15, "origin": "traffic", "status_code": [500, 200] * 15}
    with Recorder(folder) as recorder:
        recorder.write(make_batch("requests", "web", columns | {"duration_seconds": [0.1] * 30}))
    made = run_report(folder, out=tmp_path / "out {recording}", targets=[target], start="2026-05-28")
    text = made.html.read_text(encoding="utf-8")
    assert made.html.parent == tmp_path / "out {recording}"
    assert "{{ 7 * 7 }}" in text and ">49<" not in text and "<b>bold" not in text and "<b>\nline" not in text
    assert "/other</td>" not in text


@pytest.mark.parametrize(
    ("start", "error", "message"),
    [
        ("2031-01-01", ConfigError, "start: expected a time before the end"),
        ("", RecordingError, "not a recording"),
    ],
)
def test_nothing_to_report_on_is_one_clear_error(tmp_path, start, error, message):
    recording = demo_recording() if start else tmp_path
    with pytest.raises(error, match=message):
        run_report(recording, out=tmp_path / "out", start=start)
    assert not (tmp_path / "out").exists()


def test_a_target_that_is_not_there_is_refused(tmp_path):
    with pytest.raises(ConfigError, match=r"targets: expected a known target, got .*; did you mean"):
        run_report(demo_recording(), out=tmp_path / "out", targets=[TARGET + "y"])
    assert not (tmp_path / "out").exists()


def test_without_papermill_the_install_line_is_named(tmp_path):
    code = (
        "import sys; sys.modules['papermill'] = None\n"
        "from aiops_nb.report import run_report\n"
        f"try: run_report({json.dumps(str(demo_recording()))}, out='.')\n"
        "except Exception as problem: print(type(problem).__name__, problem)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=tmp_path)
    assert done.stdout == "MissingExtraError reports need an extra: pip install 'aiops-nb[report]'\n"
    assert list(Path(tmp_path).iterdir()) == []


def test_a_recording_that_is_being_written_and_holds_no_requests_gives_a_report(tmp_path):
    seconds = range(30)
    columns = {"time": [1_780_000_000_000_000_000 + second * 1_000_000_000 for second in seconds]}
    samples = columns | {"target": "host", "metric": "cpu_ratio", "value": [0.5] * len(seconds)}
    with Recorder(tmp_path / "live") as recorder:
        recorder.write(make_batch("samples", "host", samples))
        page = run_report(tmp_path / "live", out=tmp_path / "out").html
    text = page.read_text(encoding="utf-8")
    assert "No data for this chart." in text
    assert "24 samples" in text
    assert "0 of 0 figures reproduced" in text
