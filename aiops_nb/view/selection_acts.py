"""What a page does with a selected range: label, silence, mark, export, replay; most can be taken back."""

from __future__ import annotations

import getpass
import re
import secrets
from collections.abc import Callable, Mapping, Sequence
from io import BytesIO
from pathlib import Path
from typing import Any, Protocol

from aiops_nb.core.errors import ConfigError
from aiops_nb.core.labels import rfc3339
from aiops_nb.core.matchers import Matcher
from aiops_nb.core.moments import moment_ns
from aiops_nb.core.quantities import exact_duration, format_bytes
from aiops_nb.view.data.names import harmless
from aiops_nb.view.page_requests import MOST_BYTES, Page, Request, frame_between

LONGEST_SECONDS = 7 * 86_400.0
LONGEST_TEXT = 2_000
REPLAY_SPEED = 10
Act = Callable[[Request], str]


class Range(Protocol):
    """A range that was drawn: [start, end) in UTC ns, and the targets of the chart."""

    @property
    def start_ns(self) -> int:
        """Start, UTC ns."""
        ...

    @property
    def end_ns(self) -> int:
        """End, UTC ns."""
        ...

    @property
    def targets(self) -> tuple[str, ...]:
        """Targets of the chart."""
        ...


class SelectionActs:
    """Acts on the selected range; each returns what to say next to the button.

    Parameters
    ----------
    source
        A monitor, a replay or a recording's replay.
    selected
        Gives the selected range.
    page
        Takes files.
    """

    def __init__(self, source: Any, selected: Callable[[], Range | None], page: Page) -> None:
        self._source, self._selected, self._page = source, selected, page
        self._undo: list[tuple[str, Callable[[], None]]] = []

    @property
    def acts(self) -> Mapping[str, Act]:
        """By the kind of the request."""
        return {
            "silence_selection": self._silence,
            "mark_selection": self._mark,
            "label_selection": self._label,
            "export_selection": self._export,
            "replay_selection": self._replay,
            "undo": self._take_back,
        }

    @property
    def undo_text(self) -> str:
        """What `undo` takes back; empty where there is nothing."""
        return self._undo[-1][0] if self._undo else ""

    def _range(self) -> Range:
        selected = self._selected()
        if selected is None:
            raise ConfigError("selection: expected a range drawn over a chart, got none")
        return selected

    def _command(self, done: str, command: dict[str, object], back: dict[str, object]) -> str:
        if not self._source.running:
            raise ConfigError("expected a running monitor, got one that is stopped")
        self._source.command(command)
        self._undo.append((done, lambda: self._source.command(back)))
        return done

    def _silence(self, request: Request) -> str:
        targets = self._range().targets
        seconds = float(request["seconds"])
        if not targets:
            raise ConfigError("the chart shows no target whose alerts could be silenced")
        if not 0 < seconds <= LONGEST_SECONDS:
            raise ConfigError.at("seconds", f"at most {exact_duration(LONGEST_SECONDS)}", seconds)
        name, author = secrets.token_hex(4), _user()
        command: dict[str, object] = {"type": "silence", "id": name, "hold_seconds": seconds, "author": author}
        command |= {"matchers": [matcher_of(targets)], "reason": "from a range in the dashboard"}
        what = harmless(targets[0]) if len(targets) == 1 else f"{len(targets)} targets"
        back: dict[str, object] = {"type": "end_silence", "id": name, "author": author}
        return self._command(f"silenced {what} for {exact_duration(seconds)}", command, back)

    def _mark(self, request: Request) -> str:
        selected, text = self._range(), str(request["text"]).strip()
        if not 0 < len(text) <= LONGEST_TEXT:
            raise ConfigError("write what was done, such as deploy v42")
        name, author = secrets.token_hex(4), _user()
        only = selected.targets[0] if len(selected.targets) == 1 else ""
        command: dict[str, object] = {"type": "mark", "id": name, "text": text, "target": only, "author": author}
        back: dict[str, object] = {"type": "unmark", "id": name, "author": author}
        return self._command(f"marked {harmless(text)}", command | {"at_ns": selected.start_ns}, back)

    def _label(self, request: Request) -> str:
        selected, labels = self._range(), labels_of(self._source)
        if labels is None:
            raise ConfigError("not recorded: labels are kept next to the rows, press Record under Data")
        kind, note, author = str(request["kind_of_label"]), str(request.get("text", "")).strip(), _user()
        span = rfc3339(selected.start_ns), rfc3339(selected.end_ns)
        # a chart of all targets says nothing about one of them
        targets = selected.targets if len(selected.targets) == 1 else ()
        name = labels.add(*span, kind=kind, targets=targets, note=note, author=author)
        done = f"labelled {harmless(kind)}"
        self._undo.append((done, lambda: labels.delete(name, author=author)))
        return done

    def _take_back(self, _request: Request) -> str:
        if not self._undo:
            return "nothing to undo"
        done, back = self._undo.pop()
        back()
        return f"taken back: {done}"

    def _export(self, _request: Request) -> str:
        from aiops_nb.view.data.table_files import write_table

        selected = self._range()
        frame = frame_between(self._source, "requests", (selected.start_ns, selected.end_ns))
        frame = frame[frame["target"].isin(selected.targets)]
        if frame.empty:
            raise ConfigError("no requests in this range")
        contents = BytesIO()
        write_table(frame, contents, "csv")
        size = contents.getbuffer().nbytes
        if size > MOST_BYTES:
            raise ConfigError(f"{format_bytes(size)} are too much for a page: choose a shorter range")
        self._page.offer_file("selection.csv", contents.getvalue())
        return f"{len(frame):,} rows in selection.csv"

    def _replay(self, _request: Request) -> str:
        selected = self._range()
        path = recording_of(self._source)
        if path is None:
            raise ConfigError("not recorded: press Record under Data, or pass record= to watch")
        return (
            "import aiops_nb\n\n"
            f"again = aiops_nb.replay({path!r}, speed={REPLAY_SPEED})\n"
            f"again.skip_to({rfc3339(selected.start_ns)!r})\n"
            "again.dashboard()"
        )


class LabelShape(Protocol):
    """A label as it is drawn; times are RFC 3339."""

    @property
    def kind(self) -> str:
        """A word for it."""
        ...

    @property
    def note(self) -> str:
        """What else is known."""
        ...

    @property
    def target(self) -> str:
        """What suffered; empty for everything."""
        ...

    @property
    def start(self) -> str:
        """Start."""
        ...

    @property
    def end(self) -> str:
        """End."""
        ...


class LabelsShape(Protocol):
    """The labels of a recording."""

    @property
    def path(self) -> Path:
        """Their file."""
        ...

    def current(self) -> Sequence[LabelShape]:
        """The labels as they are now."""
        ...

    def add(self, start: str, end: str, *, kind: str, targets: tuple[str, ...], note: str, author: str) -> str:
        """Add one; returns its id."""
        ...

    def delete(self, label: str, *, author: str) -> None:
        """Take one away."""
        ...


def drawn_labels(labels: Sequence[LabelShape]) -> dict[str, list[Any]]:
    """Labels as columns of what is drawn; times in ms."""
    return {
        "start": [_ms(one.start) for one in labels],
        "end": [_ms(one.end) for one in labels],
        "kind": [harmless(one.kind) for one in labels],
        "note": [harmless(one.note) for one in labels],
        "target": [harmless(one.target) or "all" for one in labels],
    }


def _ms(moment: str) -> float:
    return (moment_ns(moment, "label") or 0) / 1e6


def labels_of(source: object) -> LabelsShape | None:
    """The labels of what a source records or plays; None where there is no recording."""
    labels: LabelsShape | None = getattr(source, "label_file", None)
    return labels


def recording_of(source: object) -> str | None:
    """Directory of the recording that a source writes or reads; None where there is none."""
    path = getattr(source, "recording", None)
    return str(path) if path else None


def matcher_of(targets: tuple[str, ...]) -> str:
    r"""One matcher of all these targets.

    Examples
    --------
    >>> matcher_of(("shop",)), matcher_of(("a.b", "c"))
    ('target="shop"', 'target=~"a\\\\.b|c"')
    """
    if len(targets) == 1:
        return str(Matcher("target", "=", targets[0]))
    return str(Matcher("target", "=~", "|".join(re.escape(one) for one in targets)))


def _user() -> str:
    try:
        return getpass.getuser()
    except (OSError, KeyError):
        return "unknown"
