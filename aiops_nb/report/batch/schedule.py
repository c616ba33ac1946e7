"""A schedule for a command by what a machine has: a systemd user timer or crontab lines; a missed run is made up."""

from __future__ import annotations

import re
import shlex
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, get_args

from aiops_nb.core.errors import AiopsError, ConfigError

Every = Literal["hourly", "daily", "weekly", "monthly"]
EVERY: tuple[Every, ...] = get_args(Every)
PERIOD_OF = {"hourly": "hour", "daily": "day", "weekly": "week", "monthly": "month"}
WEEKDAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_TIME = re.compile(r"([01]?\d|2[0-3]):([0-5]\d)")
_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,63}")
NO_CRONTAB = 1  # exit code of `crontab -l` where the user has none


@dataclass(frozen=True, slots=True, kw_only=True)
class Schedule:
    """When a command runs, by the clock of the machine.

    Attributes
    ----------
    name
        Of the job: lower-case letters, digits and hyphens.
    every
        `hourly`, `daily`, `weekly` (on Monday) or `monthly` (on the first).
    hour, minute
        When; an hourly job has a minute only.
    command
        Program and arguments.
    folder
        Where it runs.

    Examples
    --------
    >>> command = ["aiops-nb", "report"]
    >>> schedule = Schedule(name="web", every="daily", hour=7, minute=0, command=command, folder=Path("/srv"))
    >>> print(schedule.crontab(), end="")
    # aiops-nb: web
    0 7 * * * cd /srv && aiops-nb report
    @reboot cd /srv && aiops-nb report
    # aiops-nb: end of web
    """

    name: str
    every: Every
    hour: int
    minute: int
    command: Sequence[str]
    folder: Path

    def __post_init__(self) -> None:
        if not _NAME.fullmatch(self.name):
            raise ConfigError.at("name", "lower-case letters, digits and hyphens", self.name)
        if any("\n" in part or "\0" in part for part in (*self.command, str(self.folder))):
            raise ConfigError("command: expected no line break, got one")

    @property
    def on_calendar(self) -> str:
        """The time as systemd writes it."""
        clock = f"{self.hour:02}:{self.minute:02}:00"
        return {
            "hourly": f"*-*-* *:{self.minute:02}:00",
            "daily": f"*-*-* {clock}",
            "weekly": f"Mon *-*-* {clock}",
            "monthly": f"*-*-01 {clock}",
        }[self.every]

    def service(self) -> str:
        """The unit that runs the command once."""
        command = " ".join(map(_systemd_quoted, self.command))
        return (
            f"[Unit]\nDescription=aiops-nb: {self.name}\n\n"
            f"[Service]\nType=oneshot\nWorkingDirectory={_specifiers(str(self.folder))}\nExecStart={command}\n"
        )

    def timer(self) -> str:
        """The unit that starts it; a run missed while the machine was off is made up once, when it is on again."""
        return (
            f"[Unit]\nDescription=aiops-nb: {self.name}, {self.every}\n\n"
            f"[Timer]\nOnCalendar={self.on_calendar}\nPersistent=true\n\n[Install]\nWantedBy=timers.target\n"
        )

    def crontab(self) -> str:
        """Lines for a crontab. At each start of the machine the command runs, too: it must make nothing twice."""
        day, weekday = ("1" if self.every == "monthly" else "*"), ("1" if self.every == "weekly" else "*")
        when = f"{self.minute} {'*' if self.every == 'hourly' else self.hour} {day} * {weekday}"
        # cron reads an unescaped % as the end of the line.
        line = f"cd {shlex.quote(str(self.folder))} && {shlex.join(self.command)}".replace("%", r"\%")
        begin, end = self._marks
        return f"{begin}\n{when} {line}\n@reboot {line}\n{end}\n"

    @property
    def _marks(self) -> tuple[str, str]:
        return f"# aiops-nb: {self.name}", f"# aiops-nb: end of {self.name}"

    def in_crontab(self, before: str) -> str:
        """A crontab with these lines, in place of those of an earlier job of the name."""
        return without_job(before, self.name) + self.crontab()


def clock_time(text: str) -> tuple[int, int]:
    """Hour and minute of a time such as 07:00.

    Raises
    ------
    ConfigError
        If it is not a time.
    """
    match = _TIME.fullmatch(text)
    if match is None:
        raise ConfigError.at("at", "a time such as 07:00", text)
    return int(match[1]), int(match[2])


def without_job(crontab: str, name: str) -> str:
    r"""A crontab without the lines of one job; the others are as they were.

    Examples
    --------
    >>> without_job("a\n# aiops-nb: web\n0 7 * * * x\n# aiops-nb: end of web\nb\n", "web")
    'a\nb\n'
    """
    block = re.compile(rf"^# aiops-nb: {re.escape(name)}\n.*?^# aiops-nb: end of {re.escape(name)}\n?", re.M | re.S)
    return block.sub("", crontab)


def install_crontab(schedule: Schedule) -> None:
    """Put the job into the user's crontab.

    Raises
    ------
    AiopsError
        If `crontab` is missing or refuses.
    """
    _write_crontab(schedule.in_crontab(_read_crontab()))


def remove_from_crontab(name: str) -> bool:
    """Take a job out of the user's crontab; whether it was there."""
    before = _read_crontab()
    after = without_job(before, name)
    if after != before:
        _write_crontab(after)
    return after != before


def unit_folder(home: Path) -> Path:
    """Where systemd looks for a user's units."""
    return home / ".config" / "systemd" / "user"


def install_timer(schedule: Schedule, folder: Path) -> list[Path]:
    """Write the units, and start the timer.

    Parameters
    ----------
    schedule
        The job.
    folder
        As `unit_folder` gives it.

    Raises
    ------
    AiopsError
        If systemd cannot be reached; the units stay.
    """
    folder.mkdir(parents=True, exist_ok=True)
    stem = f"aiops-nb-{schedule.name}"
    written = []
    for suffix, text in (("service", schedule.service()), ("timer", schedule.timer())):
        path = folder / f"{stem}.{suffix}"
        path.write_text(text, encoding="utf-8")
        written.append(path)
    _run(["systemctl", "--user", "daemon-reload"])
    _run(["systemctl", "--user", "enable", "--now", f"{stem}.timer"])
    return written


def remove_timer(name: str, folder: Path) -> bool:
    """Stop the timer and delete its units; whether they were there."""
    paths = [folder / f"aiops-nb-{name}.{suffix}" for suffix in ("timer", "service")]
    if not any(path.exists() for path in paths):
        return False
    _run(["systemctl", "--user", "disable", "--now", paths[0].name])
    for path in paths:
        path.unlink(missing_ok=True)
    _run(["systemctl", "--user", "daemon-reload"])
    return True


def _read_crontab() -> str:
    done = _run(["crontab", "-l"], allowed=(0, NO_CRONTAB))
    return done.stdout if done.returncode == 0 else ""


def _write_crontab(text: str) -> None:
    _run(["crontab", "-"], text)


def _run(command: Sequence[str], text: str = "", allowed: Sequence[int] = (0,)) -> subprocess.CompletedProcess[str]:
    try:
        done = subprocess.run(command, input=text, capture_output=True, text=True, timeout=30, check=False)
    except (OSError, subprocess.TimeoutExpired) as problem:
        raise AiopsError(f"{command[0]}: {getattr(problem, 'strerror', None) or problem}") from None
    if done.returncode not in allowed:
        raise AiopsError(f"{shlex.join(command)}: {done.stderr.strip() or f'exit code {done.returncode}'}")
    return done


def _systemd_quoted(text: str) -> str:
    """One argument as systemd reads it: quoted, `$` and `%` as themselves (systemd.service, "Command lines")."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("$", "$$")
    return f'"{_specifiers(escaped)}"'


def _specifiers(text: str) -> str:
    return text.replace("%", "%%")
