"""`aiops-nb schedule`: reports by a systemd user timer or a crontab line."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from aiops_nb.cli.output import write_line
from aiops_nb.cli.process import MISTAKE, OK
from aiops_nb.core.errors import ConfigError

if TYPE_CHECKING:
    from aiops_nb.report.batch.schedule import Every, Schedule

SUMMARY = "print or install a schedule for reports: a systemd user timer, or crontab lines"
EXAMPLE = "aiops-nb schedule report recordings/web --daily 07:00 --out reports"
EVERY: tuple[Every, ...] = ("hourly", "daily", "weekly", "monthly")


def add_arguments(command: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    command.add_argument("what", choices=("report",), help="what is made")
    command.add_argument("recordings", type=Path, nargs="*", metavar="RECORDING", help="folders of recordings")
    when = command.add_mutually_exclusive_group()
    for every in EVERY:
        clock = "MM" if every == "hourly" else "HH:MM"
        when.add_argument(f"--{every}", metavar=clock, help="by the machine's clock, about the period before")
    command.add_argument("--out", type=Path, default=Path("reports"), metavar="DIR", help="default: reports")
    command.add_argument("--timezone", default="UTC", metavar="ZONE", help="of the reports (default: UTC)")
    command.add_argument("--name", default="report", metavar="NAME", help="of the job (default: report)")
    command.add_argument("--cron", action="store_true", help="crontab lines instead of a systemd timer")
    command.add_argument("--install", action="store_true", help="install it for this user (default: print it)")
    command.add_argument("--remove", action="store_true", help="remove the job of this name")


def run(arguments: argparse.Namespace) -> int:
    """Print, install or remove the job."""
    from aiops_nb.report.batch import schedule as room

    units = room.unit_folder(Path.home())
    if arguments.remove:
        found = room.remove_from_crontab(arguments.name) if arguments.cron else room.remove_timer(arguments.name, units)
        write_line(f"{arguments.name}: {'removed' if found else 'not installed'}")
        return OK if found else MISTAKE
    job = _job(arguments)
    if not arguments.install:
        write_line(job.crontab().rstrip("\n") if arguments.cron else _as_files(job, units))
    elif arguments.cron:
        room.install_crontab(job)
        write_line(f"{job.name}: in the crontab of this user; remove it with aiops-nb schedule report --cron --remove")
    else:
        for path in room.install_timer(job, units):
            write_line(str(path))
    return OK


def _as_files(job: Schedule, folder: Path) -> str:
    stem = folder / f"aiops-nb-{job.name}"
    return f"# {stem}.service\n{job.service()}\n# {stem}.timer\n{job.timer().rstrip()}"


def _job(arguments: argparse.Namespace) -> Schedule:
    from aiops_nb.report.batch.period import checked_zone
    from aiops_nb.report.batch.schedule import PERIOD_OF, Schedule, clock_time

    every = next((one for one in EVERY if getattr(arguments, one) is not None), None)
    if every is None:
        raise ConfigError("schedule: expected one of --hourly, --daily, --weekly, --monthly, got none")
    if not arguments.recordings:
        raise ConfigError("schedule: expected the folder of a recording, got none")
    checked_zone(arguments.timezone)
    at = getattr(arguments, every)
    hour, minute = clock_time(f"0:{at}" if every == "hourly" else at)
    command = [
        sys.executable,
        "-m",
        "aiops_nb.cli",
        "report",
        *map(str, arguments.recordings),
    ]
    command += [
        "--out",
        str(arguments.out),
        "--last",
        PERIOD_OF[every],
        "--timezone",
        arguments.timezone,
        "--unless-made",
    ]
    return Schedule(name=arguments.name, every=every, hour=hour, minute=minute, command=command, folder=Path.cwd())
