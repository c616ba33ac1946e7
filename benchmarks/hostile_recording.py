"""Every bit of a small recording flipped, every file cut at every length: what its reader makes of it.

    python -m benchmarks.hostile_recording [--seconds 600] [--seed 1]

A recording is read in a process of its own, through to its alerts where its rows differ. The outcomes:

- `same rows`: the damage changed nothing that is read;
- `named`: what cannot be read is named, the rest is read;
- `refused`: one clear error;
- `unnoticed`: other rows without a word: only in a live file, whose messages have no checksums until it is sealed;
- `raw error`, `died`, `slow`: faults of ours. The command ends with 1 if there is one.

Of files larger than the time allows, damages are drawn by the seed.
"""

from __future__ import annotations

import argparse
import json
import random
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from aiops_nb.core.errors import AiopsError
from aiops_nb.core.schemas import TABLES, control_batch, make_batch
from aiops_nb.engine.commands import Start, encode_command
from aiops_nb.engine.params import PipelineParams
from aiops_nb.monitor.replay import ReplayRun
from aiops_nb.record.inspection import check_files
from aiops_nb.record.reader import RecordingReader
from aiops_nb.record.recorder import Recorder

FAULTS = ("raw error", "died", "slow")
OUTCOMES = ("same rows", "named", "refused", "unnoticed", *FAULTS)
SLOW_SECONDS = 30.0
AT_ONCE = 64  # damaged copies that one inspecting process looks at
START_NS = 1_780_000_000_000_000_000


@dataclass(frozen=True, slots=True)
class Damage:
    """One bit flipped, or the file cut before a byte."""

    file: str
    bit: int | None = None
    length: int | None = None

    def of(self, content: bytes) -> bytes:
        """The damaged content.

        Examples
        --------
        >>> Damage("x", bit=9).of(b"ab"), Damage("x", length=1).of(b"ab")
        (b'a`', b'a')
        """
        if self.bit is None:
            return content[: self.length]
        damaged = bytearray(content)
        damaged[self.bit // 8] ^= 1 << self.bit % 8
        return bytes(damaged)


def small_recording(path: Path) -> None:
    """A sealed recording, and next to it `path.live` whose writer died: a few rows of each table, and a command."""
    start = Start(pipeline=PipelineParams(), sources=("web",))
    with Recorder(path, config_yaml="interval: 1s\n") as recorder:
        recorder.write(control_batch("monitor", "command", START_NS, encode_command(start)))
        for second in range(6):
            time_ns = START_NS + second * 1_000_000_000
            columns = {"time": [time_ns, time_ns + 1], "origin": "traffic", "target": ["/a", "/b"]}
            recorder.write(make_batch("requests", "web", columns | {"status_code": [200, 500]}))
            sample = {"time": [time_ns], "target": ["host"], "metric": ["cpu_ratio"], "value": [0.5]}
            recorder.write(make_batch("samples", "host", sample))
            recorder.write(control_batch("clock", "heartbeat", time_ns))
        shutil.copytree(path, path.with_suffix(".live"), ignore=shutil.ignore_patterns("writer.lock"))


def damages(path: Path, rng: random.Random, most: int) -> list[Damage]:
    """All damages of the files of a recording, in random order; of more than `most` a file, as many."""
    found: list[Damage] = []
    for file in sorted(one for one in path.rglob("*") if one.is_file() and one.stat().st_size):
        name, size = str(file.relative_to(path)), file.stat().st_size
        bits = range(8 * size) if 8 * size <= most else rng.sample(range(8 * size), most)
        lengths = range(size) if size <= most else rng.sample(range(size), most)
        found += [Damage(name, bit=bit) for bit in bits] + [Damage(name, length=length) for length in lengths]
    rng.shuffle(found)
    return found


@dataclass(frozen=True, slots=True)
class Whole:
    """What a reader makes of the recording without damage: its rows, and what it has to say (of a live file)."""

    rows: str
    notes: int

    @classmethod
    def of(cls, path: Path) -> Whole:
        """Read it."""
        reader = RecordingReader(path)
        return cls(rows_of(reader), len(reader.repairs))


def outcome_of(path: Path, whole: Whole) -> str:
    """What a reader makes of a damaged recording."""
    try:
        reader = RecordingReader(path)
        read = rows_of(reader)
        if read == whole.rows:
            return "same rows"
        ReplayRun(reader.joined_items, None, lambda step: None, trust=False).start()
        return "named" if len(reader.repairs) > whole.notes or reader.unreadable else "unnoticed"
    except AiopsError:
        return "refused"
    except Exception as problem:
        return f"raw error: {type(problem).__name__}: {problem}"


def rows_of(reader: RecordingReader) -> str:
    """All rows of all tables, as one string."""
    return repr([reader.table(name).to_pydict() for name in TABLES])


def work() -> None:
    """The process that reads: a line of JSON in, the outcome of each damage out as soon as it is known."""
    whole: dict[str, Whole] = {}
    for line in sys.stdin:
        task = json.loads(line)
        source = Path(task["recording"])
        if task["recording"] not in whole:
            whole[task["recording"]] = Whole.of(source)
        with tempfile.TemporaryDirectory() as folder:
            copies = [_copied(source, Path(folder) / str(n), Damage(**one)) for n, one in enumerate(task["damages"])]
            check_files(file for copy in copies for file in copy.rglob("*") if file.suffix in (".parquet", ".arrows"))
            for copy in copies:
                print(json.dumps(outcome_of(copy, whole[task["recording"]])), flush=True)


def _copied(source: Path, copy: Path, damage: Damage) -> Path:
    shutil.copytree(source, copy)
    file = copy / damage.file
    file.write_bytes(damage.of(file.read_bytes()))
    return copy


class Reader:
    """A process that reads damaged recordings; another one takes its place when it died or is too slow."""

    def __init__(self) -> None:
        self._child: subprocess.Popen[str] | None = None

    def outcomes(self, recording: Path, wanted: list[Damage]) -> Iterator[tuple[Damage, str]]:
        """The outcome of each damage, in their order."""
        left = list(wanted)
        while left:
            child = self._asked(recording, left[:AT_ONCE])
            for damage in left[:AT_ONCE]:
                left.pop(0)
                answer = self._answer(child)
                yield damage, answer
                if answer in ("died", "slow"):
                    break

    def _asked(self, recording: Path, some: list[Damage]) -> subprocess.Popen[str]:
        if self._child is None:
            command = [sys.executable, "-m", "benchmarks.hostile_recording", "--work"]
            pipe = subprocess.PIPE
            self._child = subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=subprocess.DEVNULL, text=True)
        damages = [{"file": one.file, "bit": one.bit, "length": one.length} for one in some]
        assert self._child.stdin is not None
        self._child.stdin.write(json.dumps({"recording": str(recording), "damages": damages}) + "\n")
        self._child.stdin.flush()
        return self._child

    def _answer(self, child: subprocess.Popen[str]) -> str:
        late = threading.Event()
        timer = threading.Timer(SLOW_SECONDS, lambda: (late.set(), child.kill()))
        timer.start()
        assert child.stdout is not None
        line = child.stdout.readline()
        timer.cancel()
        timer.join()
        if line:
            return str(json.loads(line))
        self.close()
        return "slow" if late.is_set() else "died"

    def close(self) -> None:
        """End the process."""
        if self._child is not None:
            self._child.kill()
            self._child.communicate()
            self._child = None


def sweep(seconds: float, seed: int, most: int = 1 << 30) -> dict[str, Counter[str]]:
    """Outcomes by file; faults are printed with the damage that led to them."""
    rng, counts, reader = random.Random(seed), dict[str, Counter[str]](), Reader()
    with tempfile.TemporaryDirectory() as folder:
        sealed = Path(folder) / "r"
        small_recording(sealed)
        (sealed / "writer.lock").unlink(missing_ok=True)
        kinds = [(sealed, ""), (sealed.with_suffix(".live"), " (live)")]
        try:
            for recording, note in kinds:
                until = time.monotonic() + seconds / len(kinds)
                for damage, answer in reader.outcomes(recording, damages(recording, rng, most)):
                    outcome = answer.partition(":")[0]
                    counts.setdefault(f"{damage.file}{note}", Counter())[outcome] += 1
                    if outcome in FAULTS or (outcome == "unnoticed" and ".parquet" in damage.file):
                        print(f"{damage}{note}: {answer}", file=sys.stderr)
                    if time.monotonic() > until:
                        break
                reader.close()
        finally:
            reader.close()
    return counts


def main(seconds: float = 600.0, seed: int = 1) -> None:
    """Print the table; exit with 1 if a damage led to a fault."""
    counts = sweep(seconds, seed)
    print("| file | damages | " + " | ".join(OUTCOMES) + " |\n|---" + "|--:" * (1 + len(OUTCOMES)) + "|")
    for file, outcomes in sorted(counts.items()):
        cells = [f"{number:,}" for number in (outcomes.total(), *(outcomes[name] for name in OUTCOMES))]
        print("| " + " | ".join([file, *cells]) + " |")
    if faults_in(counts):
        sys.exit(1)


def faults_in(counts: dict[str, Counter[str]]) -> list[tuple[str, str]]:
    """Files and outcomes that must not be: faults, and other rows of a sealed file without a word."""
    found = [(file, fault) for file, outcomes in counts.items() for fault in FAULTS if outcomes[fault]]
    return found + [(file, "unnoticed") for file in counts if ".parquet" in file and counts[file]["unnoticed"]]


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=float, default=600.0)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--work", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    work() if options.work else main(options.seconds, options.seed)
