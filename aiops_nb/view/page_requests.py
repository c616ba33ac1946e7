"""What a page asks for: targets and sources to change, files to download. Done in a thread of its own, in order."""

from __future__ import annotations

import logging
import queue
import threading
from collections.abc import Callable, Mapping
from io import BytesIO
from typing import TYPE_CHECKING, Any, Protocol

from aiops_nb.core.errors import AiopsError, ConfigError
from aiops_nb.core.quantities import format_bytes, parse_duration
from aiops_nb.view.data.names import LONGEST, harmless

if TYPE_CHECKING:
    import pandas as pd

MOST_BYTES = 200_000_000
TABLES = ("requests", "samples", "features", "scores", "alerts")
NUMBERS = ("port", "targets", "rate_hz")
JOIN_SECONDS = 5.0
_log = logging.getLogger(__name__)
Request = Mapping[str, Any]


class Page(Protocol):
    """Where the answers go."""

    def answer(self, field: str, problem: str = "", done: str = "") -> None:
        """Say next to a field what could not be done, or that it was."""
        ...

    def offer_file(self, name: str, contents: bytes) -> None:
        """Have the browser download a file."""
        ...


class Pages:
    """Several parts of a page: each field's answer goes to the part that has it.

    Parameters
    ----------
    page
        Has all other fields, and takes files.
    parts
        By field.
    """

    def __init__(self, page: Page, parts: Mapping[str, Page]) -> None:
        self._page, self._parts = page, parts

    def answer(self, field: str, problem: str = "", done: str = "") -> None:
        """Say next to a field what could not be done, or that it was."""
        self._parts.get(field, self._page).answer(field, problem, done)

    def offer_file(self, name: str, contents: bytes) -> None:
        """Have the browser download a file."""
        self._page.offer_file(name, contents)


class PageRequests:
    """Carries out the requests of a page, one after the other, and answers next to the field that asked.

    Parameters
    ----------
    source
        A monitor, a replay or a recording; one that lacks a method refuses what needs it.
    range_of
        The bounds [start, end) in UTC ns of `shown`, `selection` or `all`; None where there are none.
    page
        Where the answers go.
    wake
        Has a frame drawn soon.
    more
        Further acts by the kind of the request; each returns what to say next to the field that asked.
    """

    def __init__(
        self,
        source: Any,
        range_of: Callable[[str], tuple[int, int] | None],
        page: Page,
        wake: Callable[[], None],
        more: Mapping[str, Callable[[Request], str]] | None = None,
    ) -> None:
        self._source, self._range_of, self._page, self._wake = source, range_of, page, wake
        self._waiting: queue.SimpleQueue[Request | None] = queue.SimpleQueue()
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None
        self._closed = False
        self._acts: dict[str, Callable[[Request], str]] = {
            "add_target": self._add_target,
            "remove_target": lambda request: self._watched.remove_target(str(request["name"])) or "",
            "pause_target": lambda request: self._watched.pause_target(str(request["name"])) or "",
            "resume_target": lambda request: self._watched.resume_target(str(request["name"])) or "",
            "set_interval": self._set_interval,
            "add_source": self._add_source,
            "remove_source": lambda request: self._watched.remove_source(str(request["name"])) or "",
            "record": self._record,
            "download": self._download,
            "yaml": self._yaml,
            **(more or {}),
        }

    def take(self, request: Request) -> None:
        """Carry out a request soon; returns at once, so that no cell waits."""
        with self._lock:
            if self._closed or request.get("kind") not in self._acts:
                return
            self._waiting.put(request)
            if self._thread is None:
                self._thread = threading.Thread(target=self._work, name="aiops-view-page", daemon=True)
                self._thread.start()

    def close(self) -> None:
        """End after the request that is carried out now; may be called twice."""
        with self._lock:
            self._closed = True
            thread = self._thread
            self._waiting.put(None)
        if thread is not None and thread is not threading.current_thread():
            thread.join(JOIN_SECONDS)

    def _work(self) -> None:
        while (request := self._waiting.get()) is not None and not self._closed:
            self._carry_out(request)

    def _carry_out(self, request: Request) -> None:
        field, problem, done = str(request.get("field", "")), "", ""
        try:
            done = self._acts[request["kind"]](request)
        except (AiopsError, OSError, KeyError, ValueError) as fault:
            problem = str(fault)
        except Exception as fault:  # of a collector of a third party: one request must not end the others
            _log.exception("a request of the page failed")
            problem = f"{type(fault).__name__}: {fault}"
        self._page.answer(field, problem, done)
        self._wake()

    # ---- targets and sources

    @property
    def _watched(self) -> Any:
        watched = getattr(self._source, "watched", None)
        if watched is None:
            raise ConfigError("these rows exist already: there is nothing to change")
        return watched

    def _add_target(self, request: Request) -> str:
        name = self._watched.add_target(str(request["url"]), _seconds(request.get("interval")))
        return f"watching {harmless(name)}"

    def _set_interval(self, request: Request) -> str:
        seconds = _seconds(request["interval"])
        if seconds is None:
            raise ConfigError.at("interval", "a number of seconds", "")
        self._watched.set_interval(str(request["name"]), seconds)
        return ""

    def _add_source(self, request: Request) -> str:
        options = {str(key): _number(str(key), value) for key, value in dict(request["options"]).items()}
        try:
            return f"collecting from {harmless(self._watched.add_source(options))}"
        except ConfigError as problem:  # the place in a file that there is not says nothing here
            raise ConfigError(str(problem).partition("collectors[0].")[2] or str(problem)) from None

    def _record(self, request: Request) -> str:
        self._source.record_to(str(request["path"]) or None)
        return ""

    # ---- files

    def _yaml(self, _request: Request) -> str:
        self._page.offer_file("aiops_nb.yaml", self._watched.config_yaml().encode())
        return "saved as aiops_nb.yaml, without literal secrets"

    def _download(self, request: Request) -> str:
        from aiops_nb.view.data.table_files import FORMATS, write_table

        table, form = str(request["table"]), str(request["format"])
        if table not in TABLES or form not in FORMATS:
            raise ConfigError.at("table, format", "one that is offered", f"{table}, {form}")
        frame = frame_between(self._source, table, self._range_of(str(request["range"])))
        if frame.empty:
            raise ConfigError(f"no {table} in this range")
        contents = BytesIO()
        write_table(frame, contents, form)
        size = contents.getbuffer().nbytes
        if size > MOST_BYTES:
            limit = format_bytes(MOST_BYTES)
            raise ConfigError(f"{format_bytes(size)} are too much for a page (limit {limit}): choose a shorter range")
        name = f"{table}.{form}"
        self._page.offer_file(name, contents.getvalue())
        return f"{len(frame):,} rows in {name}, {format_bytes(size)}"


def frame_between(source: Any, table: str, bounds: tuple[int, int] | None) -> pd.DataFrame:
    """A table of a source between two times (UTC ns), whole without them."""
    import pandas as pd

    if bounds is None:
        frame: pd.DataFrame = getattr(source, table)()
        return frame
    start, end = (pd.Timestamp(one, tz="UTC") for one in bounds)
    between: pd.DataFrame = getattr(source, table)(start=start, end=end)
    return between


def _seconds(text: object) -> float | None:
    """Seconds as somebody typed them; None for nothing.

    Examples
    --------
    >>> _seconds("2.5"), _seconds("5 s"), _seconds("1m"), _seconds("")
    (2.5, 5.0, 60.0, None)
    """
    written = str(text or "").strip()
    if not written:
        return None
    seconds = parse_duration(written)
    if not seconds:
        raise ConfigError.at("interval", "a duration > 0 such as 5 or 250ms", written[:LONGEST])
    return seconds


def _number(key: str, value: object) -> object:
    """The value of a field as a configuration has it; what is no number stays text, and is refused in its words.

    Examples
    --------
    >>> _number("port", "5140"), _number("rate_hz", "2.5"), _number("port", "x"), _number("path", "1")
    (5140, 2.5, 'x', '1')
    """
    if key not in NUMBERS:
        return value
    for kind in (int, float):
        try:
            return kind(str(value))
        except ValueError:
            continue
    return value
