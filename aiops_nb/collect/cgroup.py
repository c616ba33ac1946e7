"""What the control groups of this process allow: the limits of a container, versions 1 and 2 of Linux.

Hand-written: psutil reads the whole machine only, and the packages that know control groups need root or a runtime.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

_UNLIMITED_BYTES = 1 << 60  # version 1 says "no limit" as the largest multiple of a page
_MICROSECONDS = 1e-6
_NANOSECONDS = 1e-9


@dataclass(frozen=True, slots=True, kw_only=True)
class MemoryLimit:
    """The memory of the group that is closest to its limit, in bytes; reclaimable file cache is not counted as used."""

    limit_bytes: int
    used_bytes: int

    @property
    def ratio(self) -> float:
        """Used of the limit, 0 to 1."""
        return min(1.0, self.used_bytes / self.limit_bytes)

    @property
    def available_bytes(self) -> int:
        """What is left of the limit."""
        return max(0, self.limit_bytes - self.used_bytes)


@dataclass(frozen=True, slots=True, kw_only=True)
class CpuLimit:
    """The processor quota of the tightest group: how many processors it may use, and the seconds it has used."""

    processors: float
    used_seconds: float


class ControlGroups:
    """Reads the groups that this process is in, from its own up to the root: the tightest limit counts.

    Parameters
    ----------
    root
        Of the file system that `proc` and `sys` are in.

    Examples
    --------
    >>> ControlGroups(Path("/no/such/root")).memory() is None
    True
    """

    def __init__(self, root: Path = Path("/")) -> None:
        self._root = root
        self._mounts = list(_mounts(root))

    def memory(self) -> MemoryLimit | None:
        """The memory limit; None without one, or without control groups."""
        limits = [limit for folder, version in self._folders("memory") if (limit := _memory(folder, version))]
        return max(limits, key=lambda limit: limit.ratio, default=None)

    def cpu(self) -> CpuLimit | None:
        """The processor quota; None without one, or without control groups."""
        limits = [
            limit
            for folder, version in self._folders("cpu")
            if (limit := _cpu(folder, self._accounting(folder, version), version))
        ]
        return min(limits, key=lambda limit: limit.processors, default=None)

    def _accounting(self, folder: Path, version: int) -> Path:
        """Where the time used is counted: in version 1 a hierarchy of its own, usually the same mount."""
        if version != 1 or (folder / "cpuacct.usage").exists():
            return folder
        return next((found for found, _ in self._folders("cpuacct")), folder)

    def _folders(self, controller: str) -> Iterator[tuple[Path, int]]:
        """The folder of each group that holds this process, its own first, and the version."""
        for names, path in _memberships(self._root):
            version = 1 if names else 2
            if names and controller not in names:
                continue
            for mount in self._mounts:
                if mount.version == version and (version == 2 or controller in mount.controllers):
                    yield from ((folder, version) for folder in mount.folders(path))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Mount:
    """Where a hierarchy is mounted, and which of its groups is at that place."""

    point: Path
    top: PurePosixPath
    version: int
    controllers: frozenset[str]

    def folders(self, path: str) -> Iterator[Path]:
        """The folders of a group and those that hold it; the mount point alone where the group is not visible."""
        group = PurePosixPath(path)
        inside = group.relative_to(self.top) if group.is_relative_to(self.top) else PurePosixPath(path.lstrip("/"))
        folder = self.point / inside if ".." not in inside.parts else self.point
        if not folder.is_dir():  # a container that sees its own group as the root, but the path of the host
            folder = self.point
        while True:
            yield folder
            if folder == self.point:
                return
            folder = folder.parent


def _memberships(root: Path) -> Iterator[tuple[frozenset[str], str]]:
    """Controllers (none: version 2) and path of each group of this process."""
    for line in _lines(root / "proc/self/cgroup"):
        _, _, rest = line.partition(":")
        names, _, path = rest.partition(":")
        if path.startswith("/"):
            yield frozenset(name for name in names.split(",") if name), path


def _mounts(root: Path) -> Iterator[_Mount]:
    for line in _lines(root / "proc/self/mountinfo"):
        fields, separator, rest = line.partition(" - ")
        before, after = fields.split(" "), rest.split(" ")
        if separator and len(before) > 4 and len(after) > 2 and after[0] in ("cgroup", "cgroup2"):
            point = _unescaped(before[4])
            yield _Mount(
                point=root / point.lstrip("/"),
                top=PurePosixPath(_unescaped(before[3])),
                version=2 if after[0] == "cgroup2" else 1,
                controllers=frozenset(after[2].split(",")),
            )


def _unescaped(text: str) -> str:
    return text.replace("\\040", " ").replace("\\011", "\t").replace("\\012", "\n").replace("\\134", "\\")


def _memory(folder: Path, version: int) -> MemoryLimit | None:
    limit_name, used_name, cache_name = (
        ("memory.max", "memory.current", "inactive_file")
        if version == 2
        else ("memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file")
    )
    limit, used = _number(folder / limit_name), _number(folder / used_name)
    above = _entry(folder / "memory.stat", "hierarchical_memory_limit")  # version 1: of groups that are not visible
    if limit is not None and above is not None:
        limit = min(limit, above)
    if limit is None or used is None or not 0 < limit < _UNLIMITED_BYTES:
        return None
    cache = _entry(folder / "memory.stat", cache_name) or 0
    return MemoryLimit(limit_bytes=limit, used_bytes=max(0, used - cache))


def _cpu(folder: Path, accounting: Path, version: int) -> CpuLimit | None:
    if version == 2:
        quota_us, period_us = _two_numbers(folder / "cpu.max")
        used = _entry(folder / "cpu.stat", "usage_usec")
        unit = _MICROSECONDS
    else:
        quota_us, period_us = _number(folder / "cpu.cfs_quota_us"), _number(folder / "cpu.cfs_period_us")
        used = _number(accounting / "cpuacct.usage")
        unit = _NANOSECONDS
    if not quota_us or not period_us or quota_us < 0 or period_us < 0 or used is None:
        return None
    return CpuLimit(processors=quota_us / period_us, used_seconds=used * unit)


def _two_numbers(file: Path) -> tuple[int | None, int | None]:
    words = next(iter(_lines(file)), "").split()
    return (_parsed(words[0]), _parsed(words[1])) if len(words) == 2 else (None, None)


def _entry(file: Path, name: str) -> int | None:
    for line in _lines(file):
        key, _, value = line.partition(" ")
        if key == name:
            return _parsed(value)
    return None


def _number(file: Path) -> int | None:
    return _parsed(next(iter(_lines(file)), ""))


def _parsed(text: str) -> int | None:
    """A number; None for `max` and whatever else is not one."""
    try:
        return int(text)
    except ValueError:
        return None


def _lines(file: Path) -> Sequence[str]:
    try:
        return file.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return ()
