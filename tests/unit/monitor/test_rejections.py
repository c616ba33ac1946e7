"""Lines that were not used are shown, and a source that is mostly not understood says so."""

from __future__ import annotations

import time
from pathlib import Path

import aiops_nb
from aiops_nb.collect.access_log.collector import AccessLog

LINE = '10.0.0.7 - - [10/Oct/2025:13:00:00 +0000] "GET / HTTP/1.1" 200 5'
WHY = "not_the_pattern (the line does not look like the pattern)"
TOLD = f"lines of web: 3 of 4 rejected, most as {WHY}, such as '10.0.0.7 - - "


def watched(path: Path, lines: list[str]) -> aiops_nb.Monitor:
    """A log that has been read."""
    path.write_text("".join(line + "\n" for line in lines))
    log = AccessLog(path, pattern="common", name="web", from_start=True)
    with aiops_nb.watch(log, config={"host_metrics": False}) as monitor:
        deadline = time.monotonic() + 20
        while log.counters["bytes_total"] < path.stat().st_size and time.monotonic() < deadline:
            monitor.wait(0.02)
    return monitor


def test_what_was_not_used_is_shown_with_the_reason(tmp_path: Path) -> None:
    monitor = watched(tmp_path / "access.log", [LINE, "<b>", LINE.replace("2025", "9999"), LINE, LINE])
    rejected = monitor.rejected()
    assert rejected[["source", "reason", "line"]].to_numpy().tolist() == [
        ["web", "not_the_pattern", "<b>"],
        ["web", "time_not_understood", LINE.replace("2025", "9999")],
    ]
    told = [warning for warning in monitor.warnings() if "lines of web: 2 of 5 rejected" in warning]
    assert len(told) == 1 and f"{WHY}, such as '<b>'" in told[0]


def test_a_log_that_is_understood_has_no_warning(tmp_path: Path) -> None:
    monitor = watched(tmp_path / "access.log", [LINE, LINE])
    assert not [warning for warning in monitor.warnings() if "lines of" in warning]


def test_a_pattern_that_does_not_fit_is_told(tmp_path: Path) -> None:
    monitor = watched(tmp_path / "access.log", [LINE, *[LINE + ' "-" "curl"'] * 3])
    assert any(warning.startswith(TOLD) for warning in monitor.warnings())


def test_a_replay_has_no_lines_to_show(tmp_path: Path) -> None:
    with aiops_nb.watch(AccessLog(tmp_path / "a.log"), config={"host_metrics": False}, record=tmp_path / "r"):
        pass
    replayed = aiops_nb.replay(aiops_nb.open_recording(tmp_path / "r"))
    assert len(replayed.rejected()) == 0


def test_what_a_collector_says_is_shown_while_it_runs(tmp_path: Path) -> None:
    (tmp_path / "a.log").write_text(LINE + "\n")
    logs = [AccessLog(tmp_path / f"{name}.log", name=name, from_start=True) for name in ("a", "absent")]
    with aiops_nb.watch(logs, config={"host_metrics": False}) as monitor:
        assert f"absent, file: {tmp_path}/absent.log: file not found yet" in monitor.warnings()
        assert any(notice.startswith("a, pattern: common (found on 1 of 1 lines)") for notice in monitor.notices())


def test_a_pattern_that_would_fit_is_named(tmp_path: Path) -> None:
    monitor = watched(tmp_path / "access.log", [LINE, *[LINE + ' "-" "curl"'] * 3])
    assert any("pattern 'combined' reads 3 of the last 3 such lines" in warning for warning in monitor.warnings())
    assert set(monitor.rejected()["suggestion"]) == {"pattern 'combined' reads 3 of the last 3 such lines"}


def test_a_collector_whose_members_fail_hides_nobody_else(tmp_path: Path) -> None:
    class Broken(AccessLog):
        @property
        def problems(self) -> dict[str, str]:
            raise RuntimeError

        @property
        def notices(self) -> dict[str, str]:
            raise RuntimeError

    logs = [Broken(tmp_path / "b.log", name="broken"), AccessLog(tmp_path / "absent.log", name="absent")]
    with aiops_nb.watch(logs, config={"host_metrics": False}) as monitor:
        assert any("file not found yet" in warning for warning in monitor.warnings())
        assert monitor.notices() == []
