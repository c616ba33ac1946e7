"""A report verified later: whether the recording is what it was, and the figures still follow from it."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import msgspec
import pandas as pd

from aiops_nb.core.errors import AiopsError
from aiops_nb.core.moments import range_ns
from aiops_nb.core.quantities import format_count
from aiops_nb.core.schemas import TableName
from aiops_nb.record.files import read_limited
from aiops_nb.report.proof.proof import (
    MIME,
    ROWS,
    Proof,
    TableProof,
    config_hashes,
    frame_hash,
    read_proof,
    table_proof,
)
from aiops_nb.report.proof.verification import Check, figure_checks, recomputed_figures
from aiops_nb.report.tables import alerts_of
from aiops_nb.session.recording import Recording, open_recording

MAX_NOTEBOOK_BYTES = 256 << 20
MOST_NAMED = 3


def verify_report(report: str | Path, recording: str | Path | None = None, *, trust: bool = False) -> pd.DataFrame:
    """Derive the figures of a report again from its recording, and compare rows and configuration by their hashes.

    Parameters
    ----------
    report
        The HTML page, the notebook or the JSON file; the JSON file must be next to the page.
    recording
        Where the recording is now; None: where it was.
    trust
        Whether rules of the recording may run estimators, as in `open_recording`.

    Returns
    -------
    pandas.DataFrame
        A row per check: `figure`, `reported`, `recomputed`, `is_equal`. A changed key of the configuration is a
        row, and so is a changed minute (or longer slice) of rows.

    Raises
    ------
    AiopsError
        If the report has no JSON file.
    RecordingError
        If the folder is not a recording.
    """
    proof = proof_of(Path(report))
    source = open_recording(recording or proof.recording, trust=trust, derived=False)
    start_ns, end_ns = range_ns(proof.start, proof.end)
    again = recomputed_figures(source.reader.blocks("requests", start_ns=start_ns, end_ns=end_ns))
    checks = [
        *_config_checks(proof.config, config_hashes(source.reader.config_yaml)),
        *(check for name in ROWS for check in _table_checks(source, name, proof, start_ns, end_ns)),
        *(check for line in proof.summary for check in figure_checks(line, again)),
        _alerts_check(source, proof),
    ]
    return pd.DataFrame(checks, columns=list(Check._fields))


def proof_of(report: Path) -> Proof:
    """What a report claims: from its JSON file, or from the output of its notebook.

    Raises
    ------
    AiopsError
        If there is neither.
    """
    figures = report.with_suffix(".json")
    if figures.exists() or report.suffix != ".ipynb":
        return read_proof(figures)
    try:
        notebook = msgspec.json.decode(read_limited(report, MAX_NOTEBOOK_BYTES))
        outputs = [output for cell in notebook["cells"] for output in cell.get("outputs", ())]
        claimed = [output["data"][MIME] for output in outputs if MIME in output.get("data", {})]
        return msgspec.convert(claimed[-1], Proof)
    except OSError as problem:
        raise AiopsError(f"{report}: {problem.strerror or problem}") from None
    except (msgspec.MsgspecError, LookupError, TypeError, AttributeError):
        raise AiopsError(f"{report}: expected an executed report, found no figures in it") from None


def _config_checks(then: Mapping[str, str], now: Mapping[str, str]) -> Iterator[Check]:
    for key in dict.fromkeys([*then, *now]):
        same = then.get(key) == now.get(key)
        yield Check(f"configuration: {key}", float(key in then), float(key in now) if same else math.nan, same)


def _table_checks(
    source: Recording, name: TableName, proof: Proof, start_ns: int | None, end_ns: int | None
) -> Iterator[Check]:
    then = proof.tables.get(name, TableProof(0, "", [], []))
    now = table_proof(source.reader, name, start_ns, end_ns, proof.first_ns, proof.width_ns)
    if not then.rows and not now.rows:
        return
    yield Check(f"rows of {name}", then.rows, now.rows, then.sha256 == now.sha256)
    if then.sha256 == now.sha256:
        return
    changed = list(_changed_slices(then, now))
    for i in changed[:MOST_NAMED]:
        start = pd.Timestamp(proof.first_ns + i * proof.width_ns, tz="UTC")
        figure = f"{name} from {start:%Y-%m-%d %H:%M:%S} to {start + pd.Timedelta(proof.width_ns):%H:%M:%S} UTC"
        yield Check(figure, _at(then.counts, i), _at(now.counts, i), False)
    if len(changed) > MOST_NAMED:
        more = format_count(len(changed) - MOST_NAMED, "more slice")
        yield Check(f"{name}: {more} of time changed", then.rows, now.rows, False)


def _changed_slices(then: TableProof, now: TableProof) -> Iterator[int]:
    for i in range(max(len(then.counts), len(now.counts))):
        if (_at(then.counts, i), _at(then.sums, i)) != (_at(now.counts, i), _at(now.sums, i)):
            yield i


def _at(values: list[Any], i: int) -> Any:
    return values[i] if i < len(values) else 0


def _alerts_check(source: Recording, proof: Proof) -> Check:
    alerts = alerts_of(source.alerts(start=proof.start, end=proof.end), proof.targets)
    return Check("alerts of a new replay", proof.alerts, len(alerts), frame_hash(alerts) == proof.alerts_sha256)
