"""A stranger's recording is hostile input: opening it writes nothing, follows no link, and ends within bounds."""

from __future__ import annotations

import json
import os
import resource
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import msgspec
import pyarrow as pa
import pyarrow.ipc as ipc
import pyarrow.parquet as pq
import pytest

from aiops_nb.core.errors import RecordingError
from aiops_nb.core.schemas import TABLES, control_batch
from aiops_nb.record import inspection
from aiops_nb.record.format import Segment, read_manifest
from aiops_nb.record.reader import RecordingReader
from aiops_nb.record.recorder import Recorder
from tests.record_rows import dead_copy, record, same_items, samples, small_stream

pytestmark = pytest.mark.skipif(os.name != "posix", reason="links and pipes of POSIX")

VICTIM = "what must not be touched\n"


@pytest.fixture
def victim(tmp_path: Path) -> Path:
    path = tmp_path / "victim"
    path.write_text(VICTIM)
    return path


@pytest.fixture
def torn(tmp_path: Path) -> Path:
    """A recording whose writer died in the middle of an item."""
    with Recorder(tmp_path / "running") as recorder:
        for batch in small_stream(12):
            recorder.write(batch)
        dead = dead_copy(recorder, tmp_path / "torn")
    with (dead / "samples" / "_000000.arrows").open("ab") as file:
        file.write(b"half an item")
    return dead


PLANTED = [
    "samples/_000000.cut",
    "samples/_000000.parquet.tmp",
    "samples/000000.parquet",
    "manifest.json.tmp",
    "config.yaml.tmp",
    "writer.lock",
]


def snapshot(root: Path) -> dict[Path, object]:
    return {path: (path.lstat(), path.is_symlink() or path.is_dir() or path.read_bytes()) for path in root.rglob("*")}


def contents(root: Path) -> dict[Path, object]:
    return {path: found[1] for path, found in snapshot(root).items()}


@pytest.mark.parametrize("name", PLANTED)
@pytest.mark.parametrize("link", [os.symlink, os.link])
def test_reading_changes_nothing(torn: Path, victim: Path, name: str, link: Callable) -> None:
    (torn / name).unlink(missing_ok=True)
    link(victim, torn / name)
    before = contents(torn)
    list(RecordingReader(torn).items())
    assert contents(torn) == before
    assert victim.read_text() == VICTIM


@pytest.mark.parametrize("name", PLANTED)
@pytest.mark.parametrize("link", [os.symlink, os.link])
@pytest.mark.parametrize("open_it", ["repair", "write"])
def test_no_link_is_written_through_when_it_is_repaired(
    torn: Path, victim: Path, name: str, link: Callable, open_it: str
) -> None:
    (torn / name).unlink(missing_ok=True)
    link(victim, torn / name)
    try:
        if open_it == "repair":
            RecordingReader(torn, repair=True)
        else:
            with Recorder(torn, config_yaml="interval_seconds: 1.0\n") as recorder:
                recorder.write(samples(10**6))
    except RecordingError as problem:
        assert str(torn) in str(problem)
    assert victim.read_text() == VICTIM


@pytest.mark.parametrize("kind", ["link to a folder", "link to a file", "file"])
def test_the_folder_of_a_table_is_no_link(tmp_path: Path, kind: str) -> None:
    elsewhere = tmp_path / "elsewhere"
    record(tmp_path / "other", small_stream())
    shutil.move(tmp_path / "other" / "requests", elsewhere)
    root = tmp_path / "mine"
    record(root, [samples(0)])
    target = {"link to a folder": elsewhere, "link to a file": elsewhere / "000000.parquet"}.get(kind)
    (root / "requests").write_text("x") if target is None else (root / "requests").symlink_to(target)
    reader = RecordingReader(root)
    assert reader.table("requests").num_rows == 0
    assert reader.table("samples").num_rows == 3
    assert f"{root / 'requests'}: expected a directory, got a link or a file" in reader.repairs[0]
    with Recorder(root) as recorder, pytest.raises(RecordingError, match="recording stopped before item"):
        recorder.write(next(small_stream()))
    assert sorted(path.name for path in elsewhere.iterdir()) == ["000000.parquet"]


@pytest.mark.parametrize("name", ["manifest.json", "config.yaml", "samples/000000.parquet", "samples/_000001.arrows"])
@pytest.mark.parametrize("kind", ["pipe", "endless device", "link to a file"])
def test_only_regular_files_are_read(tmp_path: Path, victim: Path, name: str, kind: str) -> None:
    record(tmp_path / "r", small_stream(9), config_yaml="interval_seconds: 1.0\n")
    path = tmp_path / "r" / name
    path.unlink(missing_ok=True)
    if kind == "pipe":
        os.mkfifo(path)
    else:
        path.symlink_to("/dev/zero" if kind == "endless device" else victim)
    if name == "manifest.json":
        with pytest.raises(RecordingError, match=r"manifest\.json: expected a regular file"):
            RecordingReader(tmp_path / "r")
        return
    reader = RecordingReader(tmp_path / "r")
    list(reader.items())
    if name == "config.yaml":
        with pytest.raises(RecordingError, match=r"config\.yaml: expected"):
            reader.config_yaml  # noqa: B018 - it raises
    else:
        assert str(path) in "".join(reader.repairs)


def make_sparse(path: Path, size: int = 200 << 30) -> None:
    path.parent.mkdir(exist_ok=True)
    with path.open("ab") as file:
        file.truncate(size)


@pytest.mark.parametrize("name", ["manifest.json", "config.yaml", "samples/000000.parquet", "samples/_000001.arrows"])
def test_a_huge_file_is_refused_within_memory(tmp_path: Path, name: str) -> None:
    record(tmp_path / "r", small_stream(9), config_yaml="interval_seconds: 1.0\n")
    make_sparse(tmp_path / "r" / name)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    try:
        reader = RecordingReader(tmp_path / "r")
        list(reader.items())
        _ = reader.config_yaml
    except RecordingError as problem:
        assert name in str(problem)
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 200_000  # KiB


def test_a_live_file_with_a_huge_rest_is_repaired_and_the_rest_kept(torn: Path) -> None:
    live = torn / "requests" / "_000000.arrows"
    make_sparse(live, 1 << 30)
    reader = RecordingReader(torn, repair=True)
    assert reader.row_counts["requests"] == 12
    assert not live.exists()
    assert (torn / "requests" / "_000000.cut").stat().st_size == 1 << 30


BOMBS = [
    "[" * 100_000,
    '{"format_version": 3, "x": ' + "[" * 100_000,
    '{"a":' * 100_000,
    '{"format_version": ' + "9" * 100_000,
]


@pytest.mark.parametrize("text", BOMBS, ids=lambda text: text[:12])
def test_a_nested_manifest_is_one_clear_error(tmp_path: Path, text: str) -> None:
    (tmp_path / "manifest.json").write_text(text)
    with pytest.raises(RecordingError, match=r"manifest\.json: expected"):
        RecordingReader(tmp_path)


@pytest.mark.parametrize(
    "body", ["[" * 100_000, '{"start": ' * 50_000, '{"start": {"pipeline": 3}}', "7", '"x"', '{"stop": [1]}']
)
def test_a_nested_command_is_handed_on_as_it_is(tmp_path: Path, body: str) -> None:
    record(tmp_path, [control_batch("user", "command", 1, body)])
    (item,) = RecordingReader(tmp_path).items()
    assert item.batch.column("body").to_pylist() == [body]


# -- Parquet as another writer could make it


def rewritten(root: Path, change: Callable[[pa.Table], pa.Table], **options: object) -> RecordingReader:
    record(root, small_stream(9))
    file = root / "samples" / "000000.parquet"
    pq.write_table(change(pq.read_table(file)), file, **options)
    return RecordingReader(root)


def test_statistics_may_be_missing(tmp_path: Path) -> None:
    reader = rewritten(tmp_path, lambda table: table, write_statistics=False)
    assert reader.time_range_ns == (0, 81)
    assert reader.row_counts["samples"] == 9
    assert [item.seq for item in reader.items()] == list(range(9))
    assert reader.repairs == ()


def test_rows_may_be_missing(tmp_path: Path) -> None:
    reader = rewritten(tmp_path, lambda table: table.slice(0, 0))
    assert reader.row_counts["samples"] == 0
    assert [item.seq for item in reader.items()] == [0, 2, 3, 5, 6, 8]


@pytest.mark.parametrize("column", ["seq", "time", "source"])
def test_a_null_where_none_can_be_is_named(tmp_path: Path, column: str) -> None:
    def with_null(table: pa.Table) -> pa.Table:
        place = table.schema.get_field_index(column)
        values = [None, *table[column].to_pylist()[1:]]
        return table.set_column(place, table.schema.field(place), pa.array(values, table.schema.field(place).type))

    reader = rewritten(tmp_path, with_null)
    assert [item.seq for item in reader.items()] == [0, 2, 3, 5, 6, 8]
    assert "samples/000000.parquet: cannot be read" in reader.repairs[0]


@pytest.mark.parametrize(
    "table",
    [
        pa.table({f"c{number}": [1] for number in range(5000)}),
        pa.table({"seq": [[[[1]]]]}),
        pa.table({"seq\x1b[2J\n": [1]}),
        pa.table({name: ["x"] for name in TABLES["samples"].names}),
    ],
    ids=["many columns", "nested", "escape sequence", "texts"],
)
def test_an_absurd_schema_is_named_on_one_line(tmp_path: Path, table: pa.Table) -> None:
    reader = rewritten(tmp_path, lambda _: table)
    assert [item.seq for item in reader.items()] == [0, 2, 3, 5, 6, 8]
    assert len(reader.repairs) == 1
    assert "samples/000000.parquet" in reader.repairs[0] and len(reader.repairs[0]) < 2000
    assert reader.repairs[0].isprintable()


def test_a_few_bytes_that_claim_many_rows_are_refused(tmp_path: Path) -> None:
    rows = 20_000_000
    same = {"seq": 0, "time": 0, "value": 0.0}
    values = {field.name: same.get(field.name, "x") for field in TABLES["samples"]}
    table = pa.table({name: pa.repeat(value, rows) for name, value in values.items()})
    reader = rewritten(tmp_path, lambda _: table, row_group_size=rows, compression="zstd")
    assert (tmp_path / "samples" / "000000.parquet").stat().st_size < 1_000_000
    assert reader.row_counts["samples"] == 0
    assert "rows, got 20,000,000" in reader.repairs[0]


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("small")
    record(root, small_stream(6))
    return root


PRINTS = "        print(json"  # the line of the inspecting script that answers
CRASHING_BITS = [6600, 6601, 6602, 6603, 6604, 6605, 6606, 7246, 7336, 7337, 7338, 7339, 7340, 7341, 7342, 7998]


@pytest.mark.parametrize("part", range(4))
def test_a_flipped_bit_never_ends_the_process(small: Path, tmp_path: Path, part: int) -> None:
    """Some of these abort inside of Arrow; which ones depends on its version, so that others are tried as well."""
    root = shutil.copytree(small, tmp_path / "r")
    file = root / "samples" / "000000.parquet"
    good = file.read_bytes()
    for bit in CRASHING_BITS[part::4]:
        damaged = bytearray(good)
        damaged[bit // 8] ^= 1 << bit % 8
        file.write_bytes(damaged)
        reader = RecordingReader(root)
        assert [item.seq for item in reader.items() if item.table != "samples"] == [0, 2, 3, 5]
        assert reader.table("samples").num_rows == 6 or str(file) in "".join(reader.repairs)


def test_a_file_that_ends_its_reader_is_named_and_the_others_are_read(tmp_path: Path, monkeypatch) -> None:
    script = tmp_path / "inspect.py"
    original = inspection._SCRIPT.read_text()
    script.write_text(
        original.replace(PRINTS, f"        if 'samples/000001' in line: __import__('os').abort()\n{PRINTS}")
    )
    monkeypatch.setattr(inspection, "_SCRIPT", script)
    written = record(tmp_path / "r", small_stream(9), segment_rows=8)
    inspection._problems.clear()
    bad = tmp_path / "r" / "samples" / "000001.parquet"
    lost = set(pq.read_table(bad)["seq"].to_pylist())
    reader = RecordingReader(tmp_path / "r")
    assert same_items(reader.items(), [item for item in written if item.table != "samples" or item.seq not in lost])
    assert reader.repairs == (f"{bad}: cannot be read, its rows are left out: {inspection.CRASHED}",)


def test_a_file_that_never_ends_is_named(tmp_path: Path, monkeypatch) -> None:
    script = tmp_path / "inspect.py"
    original = inspection._SCRIPT.read_text()
    script.write_text(original.replace(PRINTS, f"        while 'samples' in line: pass\n{PRINTS}"))
    monkeypatch.setattr(inspection, "_SCRIPT", script)
    monkeypatch.setattr(inspection, "FILE_SECONDS", 1.0)
    record(tmp_path / "r", small_stream(9))
    inspection._problems.clear()
    reader = RecordingReader(tmp_path / "r")
    assert reader.table("samples").num_rows == 0
    assert inspection.ENDLESS in reader.repairs[0]


def test_the_manifest_of_a_repair_is_bounded(torn: Path) -> None:
    manifest = json.loads((torn / "manifest.json").read_text())
    manifest["repairs"] = ["x" * 100] * 10
    (torn / "manifest.json").write_text(json.dumps(manifest))
    RecordingReader(torn, repair=True)
    assert len(read_manifest(torn).repairs) == 10 + 3


def test_a_live_file_of_another_table_is_not_its_rows(tmp_path: Path) -> None:
    record(tmp_path, [samples(0)])
    segment = Segment(tmp_path, "requests", 1)
    segment.live.parent.mkdir(exist_ok=True)
    with ipc.new_stream(segment.live, TABLES["samples"]) as writer:
        writer.write_batch(RecordingReader(tmp_path).table("samples").combine_chunks().to_batches()[0])
    assert RecordingReader(tmp_path).table("requests").num_rows == 0


def test_opening_costs_one_process(small: Path) -> None:
    code = (
        "import subprocess, sys; made = []; real = subprocess.Popen\n"
        "subprocess.Popen = lambda *a, **k: made.append(a) or real(*a, **k)\n"
        "from aiops_nb.record.reader import RecordingReader\n"
        "for _ in range(3): list(RecordingReader(sys.argv[1]).items())\n"
        "print(len(made))"
    )
    done = subprocess.run([sys.executable, "-c", code, small], capture_output=True, text=True, check=True)
    assert done.stdout == "1\n"


def test_msgspec_still_refuses_deep_nesting() -> None:
    with pytest.raises((msgspec.DecodeError, RecursionError)):
        msgspec.json.decode("[" * 100_000)
