"""What carries the lines of a server: Docker's json-file, Kubernetes' CRI, the journal, syslog, docker compose."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from aiops_nb.core.types import IntArray

EnvelopeName = Literal["none", "docker", "cri", "journald", "syslog", "rfc5424", "compose", "pod", "timestamped"]
_MAX_PARTIAL_BYTES = 1 << 20
_CUT_BYTES = 16_000  # Docker cuts after 16 KiB
_TIME = "[0-9]{4}-[0-9]{2}-[0-9]{2}T[^ ]+"
_RFC3164 = "[A-Z][a-z]{2} [ 0-9][0-9] [0-9]{2}:[0-9]{2}:[0-9]{2}"
# What is before the line: groups `time`, `tag` (of CRI: whether the line goes on) and `line`.
_PREFIXES: dict[str, str] = {
    "cri": rf"^(?P<time>{_TIME}) std(?:out|err) (?P<tag>[FP])(?::[^ ]*)? (?P<line>(?:.|\n)*)$",
    "syslog": rf"^(?:<[0-9]{{1,3}}>)?(?:(?P<time>{_TIME})|{_RFC3164}) (?P<tag>[^ ]+ )?"
    r"[^ :\[]+(?:\[[^\]]*\])?: (?P<line>(?:.|\n)*)$",
    "rfc5424": rf"^(?:<[0-9]{{1,3}}>)?1 (?P<time>{_TIME}) (?P<tag>[^ ]+) [^ ]+ [^ ]+ [^ ]+ "
    r"(?:-|(?:\[[^\]]*\])+) (?P<line>(?:.|\n)*)$",
    "compose": r"^(?P<tag>[A-Za-z0-9._-]+) +\| (?P<line>(?:.|\n)*)$",
    # `docker logs -t`: an address or an object after the time.
    "timestamped": rf"^(?P<time>{_TIME}) (?P<line>(?:[0-9a-fA-F\[]*[.:][0-9a-fA-F.:\]]* |\{{)(?:.|\n)*)$",
    "pod": r"^\[pod/(?P<tag>[^\]]+)\] (?P<line>(?:.|\n)*)$",
}
NAMES: tuple[EnvelopeName, ...] = ("docker", "cri", "journald", "syslog", "rfc5424", "compose", "pod", "timestamped")
_NO_LINE = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)


class _DockerLine(msgspec.Struct, gc=False):
    log: str
    time: str | None = None
    stream: str | None = None


class _JournalLine(msgspec.Struct, gc=False):
    message: str | list[int] = msgspec.field(name="MESSAGE")
    time: str | None = msgspec.field(default=None, name="__REALTIME_TIMESTAMP")


@dataclass(frozen=True, slots=True)
class Unwrapped:
    """The lines inside, when the carrier says that each was written, and their positions, all (n,).

    `partial` are the positions of pieces that the carrier cut, and that were put together with the next.
    """

    texts: pa.Array
    times: pa.Array
    positions: IntArray
    partial: IntArray


class Envelope:
    r"""Takes lines out of what carries them; pieces that the carrier cut are joined.

    Parameters
    ----------
    name
        Which carrier.

    Examples
    --------
    >>> inner = Envelope("cri").unwrap(pa.array([b"2026-11-26T12:00:00.5Z stdout F hello\n"]))
    >>> inner.texts.to_pylist(), inner.times.to_pylist()
    ([b'hello\n'], [b'2026-11-26T12:00:00.5Z'])
    """

    def __init__(self, name: EnvelopeName) -> None:
        self.name = name
        self._begun = b""
        self._docker = msgspec.json.Decoder(_DockerLine)
        self._journal = msgspec.json.Decoder(_JournalLine)

    def unwrap(self, texts: pa.Array) -> Unwrapped:
        """The lines inside of those that are of this carrier."""
        if self.name in _PREFIXES:
            return self._of_prefix(texts)
        found = [(place, *self._decoded(line)) for place, line in enumerate(texts.to_pylist())]
        lines = [(place, line, time) for place, line, time in found if line is not None]
        return self._whole(
            [line for _, line, _ in lines],
            [time for _, _, time in lines],
            np.array([place for place, _, _ in lines], np.int64),
            [self.name == "docker" and not line.endswith(b"\n") and len(line) >= _CUT_BYTES for _, line, _ in lines],
        )

    def _decoded(self, line: bytes) -> tuple[bytes | None, bytes | None]:
        try:
            if self.name == "docker":
                docker = self._docker.decode(line)
                return docker.log.encode(), docker.time and docker.time.encode()  # type: ignore[return-value]
            journal = self._journal.decode(line)
            message = bytes(journal.message) if isinstance(journal.message, list) else journal.message.encode()
            return message, journal.time and journal.time.encode()  # type: ignore[return-value]
        except (*_NO_LINE, ValueError):
            return None, None

    def _of_prefix(self, texts: pa.Array) -> Unwrapped:
        found = pc.extract_regex(texts, _PREFIXES[self.name])
        positions: IntArray = np.flatnonzero(found.is_valid().to_numpy(zero_copy_only=False))
        found = found.take(pa.array(positions))
        lines = found.field("line")
        names = [one.name for one in found.type]
        times = found.field("time") if "time" in names else pa.nulls(len(lines), pa.binary())
        times = pc.if_else(pc.equal(pc.binary_length(times), 0), pa.scalar(None, pa.binary()), times)
        if self.name != "cri" or (not self._begun and not pc.any(pc.equal(found.field("tag"), b"P")).as_py()):
            return Unwrapped(lines, times, positions, np.zeros(0, np.int64))
        is_partial = pc.equal(found.field("tag"), b"P").to_pylist()
        return self._whole(lines.to_pylist(), times.to_pylist(), positions, is_partial)

    def _whole(
        self, lines: Sequence[bytes], times: Sequence[bytes | None], positions: IntArray, is_partial: Sequence[bool]
    ) -> Unwrapped:
        texts: list[bytes] = []
        kept: list[int] = []
        for place, (line, goes_on) in enumerate(zip(lines, is_partial, strict=True)):
            self._begun = (self._begun + line.rstrip(b"\r\n"))[:_MAX_PARTIAL_BYTES]
            if not goes_on:
                texts.append(self._begun)
                kept.append(place)
                self._begun = b""
        at = np.array(kept, np.int64)
        return Unwrapped(
            pa.array(texts, pa.binary()),
            pa.array([times[place] for place in kept], pa.binary()),
            positions[at],
            np.setdiff1d(positions, positions[at]),
        )


def envelope_of(lines: pa.Array) -> EnvelopeName:
    """Which carrier most of some lines are of.

    Examples
    --------
    >>> envelope_of(pa.array([b'{"log":"a","stream":"stdout","time":"2026-11-26T12:00:00Z"}']))
    'docker'
    """
    for name in NAMES:
        unwrapped = Envelope(name).unwrap(lines)
        if (len(unwrapped.positions) + len(unwrapped.partial)) * 2 > len(lines):
            return name
    return "none"
