"""A JSON object of a log: its time, severity and text, under the names that loggers give them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import msgspec

from aiops_nb.collect.log.severity import severity_of, severity_of_priority
from aiops_nb.core.errors import ConfigError

# Names that loggers use (structlog, pino, bunyan, winston, zap, logrus, slog, log4j, serilog, ECS, GELF, journald).
NAMES: Mapping[str, tuple[str, ...]] = {
    "time": ("time", "timestamp", "ts", "@timestamp", "t", "@t", "datetime", "date", "asctime", "__REALTIME_TIMESTAMP"),
    "severity": ("level", "severity", "lvl", "log.level", "levelname", "loglevel", "@l", "severity_text", "log_level"),
    "text": ("msg", "message", "text", "log", "event", "@m", "@mt", "MESSAGE", "short_message", "body"),
    "target": ("_SYSTEMD_UNIT", "SYSLOG_IDENTIFIER", "service.name", "service"),
    "trace": ("stack_trace", "stack", "exc_info", "exception", "traceback", "error.stack_trace", "err.stack", "@x"),
}
FIELDS = tuple(NAMES)
_DECODER = msgspec.json.Decoder(dict[str, Any])
_NO_LINE = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)
_MOST_DEPTH = 3


class JsonEntry(NamedTuple):
    """Parts of an object; None where it has none."""

    time: str | None
    severity: str | None
    target: str | None
    text: str


class JsonEntries:
    """Reads objects.

    Parameters
    ----------
    fields
        Name in the log by field (`time`, `severity`, `text`, `target`, `trace`), before the names that are known; dots
        go into objects.

    Raises
    ------
    ConfigError
        For an unknown field.

    Examples
    --------
    >>> JsonEntries({"text": "what"}).read('{"ts": 1780000000.5, "level": "warn", "what": "slow"}')
    JsonEntry(time='1780000000.5', severity='warning', target=None, text='slow')
    """

    def __init__(self, fields: Mapping[str, str] | None = None) -> None:
        for name in fields or {}:
            if name not in FIELDS:
                raise ConfigError.at("fields", f"one of {', '.join(FIELDS)}", name)
        named = fields or {}
        self._names = {field: ((named[field],) if field in named else ()) + names for field, names in NAMES.items()}

    def read(self, line: str) -> JsonEntry | None:
        """Parts of a line; None if it is no JSON object, or has no text."""
        try:
            values = _DECODER.decode(line)
        except _NO_LINE:
            return None
        text = self._text(values)
        if text is None:
            return None
        trace = self._string(values, "trace")
        whole = text if trace is None or trace in text else f"{text}\n{trace}"
        return JsonEntry(self._time(values), _severity(values, self._names), self._string(values, "target"), whole)

    def _text(self, values: Mapping[str, Any]) -> str | None:
        found = _first(values, self._names["text"])
        if isinstance(found, list) and all(isinstance(byte, int) and 0 <= byte < 256 for byte in found):
            return bytes(found).decode("utf-8", "replace")  # journald: a message that is not UTF-8
        return found if isinstance(found, str) else None

    def _string(self, values: Mapping[str, Any], field: str) -> str | None:
        found = _first(values, self._names[field])
        return found if isinstance(found, str) and found else None

    def _time(self, values: Mapping[str, Any]) -> str | None:
        found = _first(values, self._names["time"])
        if isinstance(found, bool) or not isinstance(found, str | int | float):
            return None
        return found if isinstance(found, str) else repr(found)


def _severity(values: Mapping[str, Any], names: Mapping[str, tuple[str, ...]]) -> str | None:
    severity = severity_of(_first(values, names["severity"]))
    priority = values.get("PRIORITY")
    if severity is None and isinstance(priority, str) and priority.isdigit():
        return severity_of_priority(int(priority[:3]))
    return severity


def _first(values: Mapping[str, Any], names: tuple[str, ...]) -> Any:
    for name in names:
        found = values.get(name)
        if found is None and "." in name:
            found = _inside(values, name)
        if found is not None:
            return found
    return None


def _inside(values: Mapping[str, Any], name: str) -> Any:
    found: Any = values
    for part in name.split(".", _MOST_DEPTH):
        found = found.get(part) if isinstance(found, dict) else None
    return found
