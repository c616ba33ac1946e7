"""Labels of a recording: intervals of which somebody knows what was wrong, kept next to the rows."""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import msgspec

from aiops_nb.core.errors import ConfigError
from aiops_nb.core.labels import LabelLine
from aiops_nb.core.moments import Moment, moment_ns
from aiops_nb.core.types import ALL_TARGETS
from aiops_nb.frames.alert_choice import AlertChoice, chosen_alert
from aiops_nb.frames.html import summary_html
from aiops_nb.monitor.answering.choices import author_or_user
from aiops_nb.record.labels import LabelFile

if TYPE_CHECKING:
    import pandas as pd

COLUMNS = ("kind", "target", "start", "end", "note", "author", "created", "id", "alert", "targets")
CSV_COLUMNS = ("start", "end", "kind", "targets", "note", "author", "id")
RIGHT, NOISE = "right", "noise"
Judgement = Literal["right", "noise"]
SEPARATOR = "|"  # between targets in a field of CSV
MS_NS = 1_000_000
LABEL_STUDIO_TYPE = "timeserieslabels"
# A number in Label Studio is what the time column holds; its length says in which unit.
UNITS_NS = ((1e11, 1_000_000_000), (1e14, MS_NS), (1e17, 1_000), (float("inf"), 1))


class Labels:
    """The labels of one recording: a frame to read, and methods that write `labels.jsonl`.

    Lines are only ever added to that file; `history()` shows what was edited and deleted.

    Parameters
    ----------
    path
        The file.
    alerts
        Gives the alerts of the recording.
    end_ns
        Gives the end of the recording, for alerts that still fire.

    Examples
    --------
    >>> from tempfile import mkdtemp
    >>> import aiops_nb
    >>> path = mkdtemp() + "/recording"
    >>> _ = aiops_nb.from_synthetic(5, seed=1, targets=1, hosts=0, record=path)
    >>> recording = aiops_nb.open_recording(path)
    >>> slow = recording.labels.add("2026-05-01 12:00", "2026-05-01 12:05", kind="slow", note="deploy")
    >>> recording.labels.edit(slow, kind="outage")
    >>> recording.labels.to_frame()[["kind", "note"]].values.tolist()
    [['outage', 'deploy']]
    """

    def __init__(
        self, path: Path, alerts: Callable[[], pd.DataFrame], end_ns: Callable[[], int | None] = lambda: None
    ) -> None:
        self._file, self._alerts, self._end_ns = LabelFile(path), alerts, end_ns

    def __len__(self) -> int:
        return len(self._file.current())

    def __repr__(self) -> str:
        return f"<Labels {self._file.path.name}: {len(self)} labels>"

    def _repr_html_(self) -> str:
        facts = {"labels": str(len(self)), "next": ".add(start, end, kind=...), .to_frame()"}
        return summary_html(f"Labels of {self._file.path.parent.name}", facts, (), None)

    def to_frame(self) -> pd.DataFrame:
        """The labels as they are now, by start.

        Returns
        -------
        pandas.DataFrame
            kind, target (empty: everything; of several a list with commas), start, end (UTC), note, author, created
            (UTC), id, alert (fingerprint of the alert that was judged), targets (a tuple).
        """
        frame = _frame_of(self._file.current())
        return frame.sort_values("start", kind="stable").reset_index(drop=True)

    def history(self) -> pd.DataFrame:
        """Every version of every label in the order of writing, with `deleted`."""
        lines = self._file.history()
        return _frame_of(lines).assign(deleted=[line.deleted for line in lines])

    def add(
        self,
        start: Moment,
        end: Moment,
        *,
        kind: str = "fault",
        targets: str | Iterable[str] = (),
        note: str = "",
        author: str | None = None,
    ) -> str:
        """Add a label on [start, end) and return its id. Labels may overlap.

        Parameters
        ----------
        start, end
            Times; UTC without a zone.
        kind
            A word for it, such as `slow` or `outage`; `noise` says that alerts there were wrong.
        targets
            What suffered; empty: everything.
        note
            What else is worth knowing.
        author
            Who says so; None: the user of this process.

        Raises
        ------
        ConfigError
            If a time cannot be read, the end is before the start, or the kind is empty.
        """
        several = targets if isinstance(targets, str) else tuple(targets)
        return self._file.add(start, end, kind=kind, targets=several, note=note, author=author_or_user(author))

    def edit(self, label: str, **changes: Any) -> None:
        """Change `start`, `end`, `kind`, `targets`, `note` or `author` of a label; all else stays.

        Raises
        ------
        ConfigError
            If there is no such label or field, or a value is wrong.
        """
        self._file.edit(label, **changes)

    def delete(self, label: str, *, author: str | None = None) -> None:
        """Take a label away; `history()` still shows it.

        Raises
        ------
        ConfigError
            If there is no such label.
        """
        self._file.delete(label, author=author_or_user(author))

    def judge(self, alert: AlertChoice, judgement: Judgement, *, note: str = "", author: str | None = None) -> str:
        """Say of an alert that it was right or noise, and return the id of the label.

        The label covers the episode, from when the alert was first seen to its end, and the targets of the alert. A
        judgement of the same episode replaces an earlier one.

        Parameters
        ----------
        alert
            As for `evidence`.
        judgement
            `right` or `noise`.
        note, author
            As for `add`.

        Raises
        ------
        ConfigError
            If there is no such alert, or the judgement is another word.
        """
        if judgement not in (RIGHT, NOISE):
            raise ConfigError.at("judgement", f"{RIGHT} or {NOISE}", judgement)
        row = chosen_alert(self._alerts(), alert)
        start, end = row["pending_at"], row["ends_at"]
        end_ns = self._end_ns()
        start_ns = moment_ns(start, "alert.pending_at")
        last_ns = moment_ns(None if _is_missing(end) else end, "alert.ends_at")
        if last_ns is None:
            last_ns = max(end_ns or 0, start_ns or 0)
        members = row.get("members")
        target = str(row["target"])
        alone = () if target in ("", ALL_TARGETS) else (target,)
        targets = tuple(members) if isinstance(members, tuple) and members else alone
        fingerprint, first = str(row.get("fingerprint", "")), _at(start_ns)
        known = [line for line in self._file.current() if line.alert and line.alert == fingerprint]
        for line in known:
            if moment_ns(line.start, "start") == start_ns:
                self._file.edit(line.id, kind=judgement, note=note or line.note, author=author_or_user(author))
                return line.id
        return self._file.add(
            first,
            _at(last_ns),
            kind=judgement,
            targets=targets,
            note=note,
            author=author_or_user(author),
            alert=fingerprint,
        )

    def to_csv(self, path: str | Path) -> None:
        """Write the labels to a CSV file: start, end, kind, targets (with `|` between several), note, author, id."""
        with Path(path).open("w", newline="", encoding="utf-8") as file:
            writer = csv.writer(file)
            writer.writerow(CSV_COLUMNS)
            for line in self._file.current():
                targets = SEPARATOR.join(line.all_targets)
                writer.writerow([line.start, line.end, line.kind, targets, line.note, line.author, line.id])

    def from_csv(self, path: str | Path, *, author: str | None = None) -> list[str]:
        """Add the labels of a CSV file and return their ids; nothing is added if a row is wrong.

        Parameters
        ----------
        path
            With a header that has `start` and `end`; optional `kind`, `target` or `targets`, `note`, `author`. A row
            whose `id` is there already changes that label.
        author
            Of rows without one; None: the user of this process.

        Raises
        ------
        ConfigError
            Naming the row that cannot be read.
        """
        with Path(path).open(newline="", encoding="utf-8-sig") as file:
            rows = list(csv.DictReader(file))
        for name in ("start", "end"):
            if rows and name not in rows[0]:
                raise ConfigError.at(f"{path}", "columns start and end", ", ".join(map(str, rows[0])))
        fields = [_of_row(row, f"{path}:{number}") for number, row in enumerate(rows, start=2)]
        return self._add_all(fields, author)

    def to_label_studio(self, path: str | Path | None = None, *, data: Mapping[str, Any] | None = None) -> list[Any]:
        """The labels as one task of Label Studio's time series JSON, for import there; written to `path` if given.

        Times are milliseconds since 1970, targets and notes are in `meta`.

        Parameters
        ----------
        path
            A file.
        data
            The data of the task, such as `{"csv": "/data/upload/features.csv"}`.
        """
        result = [_region(line) for line in self._file.current()]
        tasks = [{"data": dict(data or {}), "annotations": [{"result": result}]}]
        if path is not None:
            Path(path).write_bytes(msgspec.json.encode(tasks))
        return tasks

    def from_label_studio(self, source: str | Path | list[Any], *, author: str | None = None) -> list[str]:
        """Add the labels of Label Studio's JSON or JSON-MIN export of a time series, and return their ids.

        Parameters
        ----------
        source
            A file, or what it holds. Times are what the time column of the project has: texts, or seconds,
            milliseconds, microseconds or nanoseconds since 1970.
        author
            Who says so; None: the user of this process.

        Raises
        ------
        ConfigError
            If it is not such an export, or a time cannot be read; nothing is added then.
        """
        where = "label_studio"
        if isinstance(source, (str, Path)):
            where = str(source)
            try:
                source = msgspec.json.decode(Path(source).read_bytes())
            except msgspec.DecodeError as problem:
                raise ConfigError.at(where, "an export of Label Studio (JSON)", str(problem)) from None
        tasks = source if isinstance(source, list) else [source]
        fields = [_of_region(region, where) for task in tasks for region in _regions(task, where)]
        return self._add_all(fields, author)

    def _add_all(self, several: list[dict[str, Any]], author: str | None) -> list[str]:
        known = {line.id for line in self._file.current()}
        ids = []
        for fields in several:
            label = fields.pop("id", "")
            fields["author"] = fields.get("author") or author_or_user(author)
            if label in known:
                self._file.edit(label, **fields)
                ids.append(label)
            else:
                ids.append(self._file.add(**fields))
        return ids


def _frame_of(lines: list[LabelLine]) -> pd.DataFrame:
    import pandas as pd

    columns: dict[str, Any] = {name: [getattr(line, name) for line in lines] for name in COLUMNS if name != "targets"}
    columns["target"] = [", ".join(line.all_targets) for line in lines]
    frame = pd.DataFrame(columns)
    frame["targets"] = pd.Series([line.all_targets for line in lines], dtype=object)
    for name in ("start", "end", "created"):
        times = pd.Series([moment_ns(text or None, name) for text in columns[name]], dtype="Int64")
        frame[name] = pd.to_datetime(times, unit="ns", utc=True).astype("datetime64[ns, UTC]")
    return frame[list(COLUMNS)]


def _is_missing(value: object) -> bool:
    import pandas as pd

    return value is None or value is pd.NaT


def _at(time_ns: int | None) -> str:
    return f"@{time_ns or 0}ns"


def _checked_times(fields: dict[str, Any], where: str) -> dict[str, Any]:
    start_ns, end_ns = (moment_ns(fields[name], f"{where}: {name}") for name in ("start", "end"))
    if start_ns is None or end_ns is None or end_ns < start_ns:
        raise ConfigError.at(f"{where}: end", f"a time after {fields['start']}", fields["end"])
    return fields | {"start": _at(start_ns), "end": _at(end_ns)}


def _of_row(row: Mapping[str, str | None], where: str) -> dict[str, Any]:
    given = {name: (row.get(name) or "").strip() for name in (*CSV_COLUMNS, "target")}
    targets = given["targets"].split(SEPARATOR) if given["targets"] else [given["target"]]
    fields: dict[str, Any] = {name: given[name] for name in ("start", "end", "note", "author", "id")}
    return _checked_times(fields | {"kind": given["kind"] or "fault", "targets": targets}, where)


def _region(line: LabelLine) -> dict[str, Any]:
    start_ns, end_ns = moment_ns(line.start, "start") or 0, moment_ns(line.end, "end") or 0
    return {
        "id": line.id,
        "from_name": "label",
        "to_name": "ts",
        "type": LABEL_STUDIO_TYPE,
        "value": {
            "start": start_ns / MS_NS,
            "end": end_ns / MS_NS,
            "instant": start_ns == end_ns,
            LABEL_STUDIO_TYPE: [line.kind],
        },
        "meta": {"text": [line.note] if line.note else [], "targets": list(line.all_targets), "author": line.author},
    }


def _regions(task: Any, where: str) -> list[Any]:
    """Those of all annotations of a task that were not withdrawn; or of JSON-MIN, a list under the label's name."""
    if not isinstance(task, dict):
        raise ConfigError.at(where, "tasks of Label Studio", task)
    annotations = task.get("annotations")
    if isinstance(annotations, list):
        kept = [one for one in annotations if isinstance(one, dict) and not one.get("was_cancelled")]
        found = [region for one in kept for region in one.get("result", [])]
        return [region for region in found if isinstance(region, dict) and region.get("type") == LABEL_STUDIO_TYPE]
    lists = [value for value in task.values() if isinstance(value, list)]
    return [one for several in lists for one in several if isinstance(one, dict) and LABEL_STUDIO_TYPE in one]


def _of_region(region: Mapping[str, Any], where: str) -> dict[str, Any]:
    value = region.get("value", region)
    kinds = value.get(LABEL_STUDIO_TYPE) if isinstance(value, dict) else None
    if not isinstance(kinds, list) or not kinds or not {"start", "end"} <= set(value):
        raise ConfigError.at(where, f"regions with start, end and {LABEL_STUDIO_TYPE}", region)
    meta = region.get("meta") if isinstance(region.get("meta"), dict) else {}
    texts = meta.get("text", []) if isinstance(meta, dict) else []
    fields = {
        "start": _label_studio_time(value["start"]),
        "end": _label_studio_time(value["end"]),
        "kind": ", ".join(map(str, kinds)),
        "targets": [str(target) for target in meta.get("targets", [])] if isinstance(meta, dict) else [],
        "note": " ".join(map(str, texts)) if isinstance(texts, list) else str(texts),
        "author": str(meta.get("author", "")) if isinstance(meta, dict) else "",
        "id": str(region.get("id", "")),
    }
    return _checked_times(fields, where)


def _label_studio_time(value: object) -> object:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return value
    unit_ns = next(unit for most, unit in UNITS_NS if abs(value) < most)
    return _at(round(value * unit_ns))
