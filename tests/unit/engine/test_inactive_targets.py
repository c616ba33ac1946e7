"""A target that is paused or removed while the monitor runs: its alerts end, and nothing is expected of it."""

from __future__ import annotations

import numpy as np
import pytest

from aiops_nb.engine.commands import AddTarget, PauseTarget, RemoveTarget, ResumeTarget
from tests.unit.engine.test_alert_ends import Stream

BROKEN, WELL = "http://h/broken", "http://h/well"


def probed(stream: Stream, seconds: range, targets: tuple[str, ...] = (BROKEN, WELL), status: int = 503) -> None:
    """One probe of each target a second; the broken one answers with `status`."""
    for second in seconds:
        codes = [status if target == BROKEN else 200 for target in targets]
        stream.requests([second + 0.1] * len(targets), list(targets), codes, source="probe", origin="probe")


@pytest.mark.parametrize(
    ("command", "outcome"),
    [(PauseTarget(target=BROKEN), "target paused"), (RemoveTarget(target=BROKEN), "target removed")],
)
def test_its_alerts_end_and_none_begins(command, outcome):
    stream = Stream()
    probed(stream, range(20))
    stream.command(command)
    probed(stream, range(20, 200), (WELL,))
    ended = [change for change in stream.changes if change.labels["target"] == BROKEN and change.state == "resolved"]
    assert ended and {change.outcome for change in ended} == {outcome}
    assert not [one for one in stream.changes if one.time_ns > ended[-1].time_ns]


def test_rows_that_were_on_their_way_are_recorded_but_not_used():
    stream = Stream()
    probed(stream, range(20), status=200)
    stream.command(RemoveTarget(target=BROKEN))
    probed(stream, range(20, 30))
    probed(stream, range(30, 60), (WELL,))
    assert stream.changes == []


@pytest.mark.parametrize("again", [ResumeTarget(target=BROKEN), AddTarget(target=BROKEN, interval_seconds=1.0)])
def test_one_that_is_asked_again_is_judged_again_from_its_first_row_on(again):
    stream = Stream()
    probed(stream, range(20), status=200)
    stream.command(PauseTarget(target=BROKEN))
    probed(stream, range(20, 100), (WELL,))
    stream.command(again)
    probed(stream, range(100, 130), (WELL,))
    assert stream.changes == []
    probed(stream, range(130, 150))
    assert [state for state, target, _ in stream.seen("http_5xx") if target == BROKEN] == ["pending", "firing"]


def test_any_cut_gives_the_same():
    found = []
    for cut in (1, 3, 1 << 30):
        stream = Stream(cut=cut)
        probed(stream, range(20))
        stream.command(PauseTarget(target=BROKEN))
        times = np.arange(20, 80, 0.5)
        stream.requests(times, [WELL, BROKEN] * 60, [200, 503] * 60, source="probe", origin="probe")
        stream.command(ResumeTarget(target=BROKEN))
        stream.requests(times + 60, [WELL, BROKEN] * 60, [200, 503] * 60, source="probe", origin="probe")
        found.append(stream.changes)
    assert found[0] == found[1] == found[2] and len(found[0]) > 2


def test_the_features_of_a_paused_target_are_not_known():
    stream = Stream()
    probed(stream, range(10))
    stream.command(PauseTarget(target=BROKEN))
    steps = []
    push = stream.pipeline.push
    stream.pipeline.push = lambda item: steps.append(push(item)) or steps[-1]
    probed(stream, range(10, 20), (WELL,))
    ticks = [tick for step in steps for tick in step.ticks if tick.features.table == "requests"]
    counts = np.array([tick.features.column("count") for tick in ticks])
    assert np.isnan(counts[-3:, 0]).all() and (counts[-3:, 1] == 1).all()
