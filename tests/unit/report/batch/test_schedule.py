"""Schedules in the words of systemd and cron, read by systemd itself and by a real crontab."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from aiops_nb.cli import main
from aiops_nb.core.errors import ConfigError
from aiops_nb.report.batch.schedule import (
    EVERY,
    Schedule,
    clock_time,
    install_crontab,
    remove_from_crontab,
    without_job,
)

HOSTILE = ["it's", 'a "b" $HOME', "100 %n %", "; rm -rf /", "back\\slash", "`id`", "ä b"]
needs_crontab = pytest.mark.skipif(shutil.which("crontab") is None, reason="this machine has no crontab")
needs_systemd = pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="this machine has no systemd")
POSIX = pytest.mark.skipif(sys.platform == "win32", reason="Windows has neither")


def schedule(every="daily", command=("true",), folder=Path("/tmp"), name="web"):
    return Schedule(name=name, every=every, hour=7, minute=5, command=list(command), folder=folder)


@needs_systemd
@pytest.mark.parametrize("every", EVERY)
def test_systemd_reads_the_units(tmp_path, every):
    folder = tmp_path / "a b %h"
    folder.mkdir()
    job = schedule(every, [sys.executable, "-c", "print()", *HOSTILE], folder)
    for suffix, text in (("service", job.service()), ("timer", job.timer())):
        (tmp_path / f"aiops-nb-web.{suffix}").write_text(text)
    units = [str(tmp_path / f"aiops-nb-web.{suffix}") for suffix in ("service", "timer")]
    done = subprocess.run(["systemd-analyze", "verify", *units], capture_output=True, text=True, timeout=60)
    assert [line for line in done.stderr.splitlines() if "aiops-nb-web" in line] == []
    shown = subprocess.run(["systemd-analyze", "calendar", job.on_calendar], capture_output=True, text=True, timeout=60)
    assert shown.returncode == 0
    assert re.search(r"Next elapse: \w{3} [\d-]+ \d\d:05:00", shown.stdout)


@POSIX
def test_the_crontab_line_runs_its_command_with_the_same_arguments(tmp_path):
    folder = tmp_path / "it's 100 %"
    folder.mkdir()
    code = "import sys, pathlib; pathlib.Path('seen').write_text(chr(10).join(sys.argv[1:]), encoding='utf-8')"
    line = schedule("daily", [sys.executable, "-c", code, *HOSTILE], folder).crontab().splitlines()[1]
    assert line.startswith("5 7 * * * ")
    assert re.search(r"(?<!\\)%", line) is None  # cron ends the command at one
    given_to_shell = line.removeprefix("5 7 * * * ").replace(r"\%", "%")
    subprocess.run(["/bin/sh", "-c", given_to_shell], check=True, timeout=60)
    assert (folder / "seen").read_text(encoding="utf-8").split("\n") == HOSTILE


@pytest.mark.parametrize(
    ("every", "when"),
    [("hourly", "5 * * * *"), ("daily", "5 7 * * *"), ("weekly", "5 7 * * 1"), ("monthly", "5 7 1 * *")],
)
def test_when_in_the_words_of_cron(every, when):
    lines = schedule(every).crontab().splitlines()
    assert lines[1].startswith(f"{when} cd ")
    assert lines[2].startswith("@reboot cd ")  # a run that was missed is made up


def test_only_the_lines_of_the_job_are_replaced():
    other = "MAILTO=me\n0 1 * * * other\n"
    once = schedule(name="web").in_crontab(other)
    both = schedule(name="web-2").in_crontab(once)
    assert schedule(name="web").in_crontab(once) == once
    assert without_job(without_job(both, "web"), "web-2") == other


@needs_crontab
def test_a_real_crontab_takes_it_and_gives_it_back():
    before = subprocess.run(["crontab", "-l"], capture_output=True, text=True)
    job = schedule(name=f"test-{os.getpid()}")
    try:
        install_crontab(job)
        install_crontab(job)
        assert subprocess.run(["crontab", "-l"], capture_output=True, text=True).stdout.count(job.crontab()) == 1
        assert remove_from_crontab(job.name)
        assert not remove_from_crontab(job.name)
        assert subprocess.run(["crontab", "-l"], capture_output=True, text=True).stdout == before.stdout
    finally:
        remove_from_crontab(job.name)


@pytest.mark.parametrize("text", ["7", "24:00", "7:60", "07:00:00", "", "seven", "0\n:00"])
def test_a_time_that_is_none_is_refused(text):
    with pytest.raises(ConfigError, match="at: expected a time such as 07:00"):
        clock_time(text)


def test_a_line_break_cannot_add_a_line():
    with pytest.raises(ConfigError, match="no line break"):
        schedule(command=["report", "a\n* * * * * evil"])


@pytest.mark.parametrize("name", ["", "Web", "a b", "../x", "-x", "a" * 65])
def test_a_name_that_is_no_unit_name_is_refused(name):
    with pytest.raises(ConfigError, match="name: expected lower-case letters"):
        schedule(name=name)


@pytest.mark.parametrize("form", [[], ["--cron"]])
def test_the_command_prints_what_it_would_install(capsys, form):
    assert main(["schedule", "report", "recordings/web", "--daily", "07:00", "--timezone", "Asia/Seoul", *form]) == 0
    text = capsys.readouterr().out
    assert "--last" in text and "Asia/Seoul" in text and "--unless-made" in text
    assert ("OnCalendar=*-*-* 07:00:00" in text) is (form == [])


@pytest.mark.parametrize(
    ("argv", "message"),
    [
        (["r"], "expected one of --hourly, --daily, --weekly, --monthly"),
        (["--daily", "7:00"], "expected the folder of a recording"),
        (["r", "--daily", "25:00"], "expected a time such as 07:00"),
        (["r", "--daily", "7:00", "--timezone", "Mars"], "expected the IANA name"),
    ],
)
def test_mistakes_are_one_line(capsys, argv, message):
    assert main(["schedule", "report", *argv]) == 1
    assert message in capsys.readouterr().err
