"""Targets are few, stable, and follow what is asked for: no scan keeps the places."""

from __future__ import annotations

import random

import pyarrow as pa
import pytest

from aiops_nb.collect.access_log.targets import LogTargets, path_template
from aiops_nb.core.types import OTHER


def targets_of(targets: LogTargets, uris: list[str], status: int | None = 200) -> list[str]:
    codes = pa.array([status] * len(uris), pa.int16())
    return targets.of(pa.array([uri.encode() for uri in uris]), codes).to_pylist()  # type: ignore[no-any-return]


@pytest.mark.parametrize(
    ("uri", "template"),
    [
        ("/photos/12345.jpg", "/photos/{id}.jpg"),
        ("/photos/7.jpg", "/photos/{id}.jpg"),
        ("/photos/7.jpg/thumb", "/photos/{id}.jpg/thumb"),
        ("/cart;jsessionid=8A1F2B", "/cart"),
        ("/a;v=1/b;w=2/c", "/a/b/c"),
        ("/files/123e4567-e89b-12d3-a456-426614174000.pdf", "/files/{id}.pdf"),
        ("/files/report-123e4567-e89b-12d3-a456-426614174000-final", "/files/{id}"),
        ("/order-20261126/x", "/order-{id}/x"),
        ("/orders/order_12345", "/orders/order_{id}"),
        ("/img/IMG_20261126.png", "/img/IMG_{id}.png"),
        ("/img/DSC12345.png", "/img/DSC{id}.png"),
        ("/static/app.9f3c2a7be1d0.js", "/static/app.{id}.js"),
        ("/backup-2026-11-26.sql", "/backup-{id}.sql"),
        ("/lookup/192.0.2.1", "/lookup/{id}"),
        ("/users/joe@example.org/orders", "/users/{id}/orders"),
        ("/users/joe%40example.org", "/users/{id}"),
        ("/t/eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.abc", "/t/{id}.{id}.abc"),
        ("/v1/users", "/v1/users"),
        ("/api/v2.1/thing-42", "/api/v2.1/thing-42"),
        ("/lib/jquery-3.7.1.min.js", "/lib/jquery-3.7.1.min.js"),
        ("/h264/utf8", "/h264/utf8"),
        ("/static/style.css", "/static/style.css"),
        ("/", "/"),
    ],
)
def test_identifiers_inside_a_segment(uri: str, template: str) -> None:
    assert path_template(uri) == template
    assert targets_of(LogTargets("template", 10), [uri]) == [template]


def test_a_scan_does_not_keep_the_places() -> None:
    targets = LogTargets("template", 1_000)
    served = [f"/page-{name}" for name in "abcdefgh"]
    targets_of(targets, served * 5)
    letters = "abcdefghijklmnop"
    scan = [f"/{''.join(letters[(n >> shift) & 15] for shift in (0, 4, 8))}" for n in range(1_500)]
    assert len(set(targets_of(targets, scan))) == 1_000 - len(served) + 1
    assert targets_of(targets, ["/new"] * 3, 502) == [OTHER, OTHER, "/new"]
    assert targets_of(targets, served) == served


@pytest.mark.parametrize("status", [400, 404, 405, 410])
def test_what_nobody_serves_takes_no_place_of_another(status: int) -> None:
    targets = LogTargets("path", 2)
    targets_of(targets, ["/a", "/b"] * 3)
    assert targets_of(targets, ["/.env"] * 10, status) == [OTHER] * 10
    assert targets_of(targets, ["/a", "/b"]) == ["/a", "/b"]


def test_the_place_that_was_asked_for_least_lately_is_lost() -> None:
    targets = LogTargets("path", 3)
    targets_of(targets, ["/a"] * 3 + ["/b"] * 3 + ["/once", "/a"])
    assert targets_of(targets, ["/new"] * 3)[-1] == "/new"
    assert targets_of(targets, ["/newer"] * 3)[-1] == "/newer"
    assert targets_of(targets, ["/a", "/b", "/once"]) == ["/a", OTHER, OTHER]


def test_names_are_bounded_for_good() -> None:
    targets = LogTargets("path", 5)
    names = set(targets_of(targets, [f"/{'x' * (n // 3)}" for n in range(450)]))
    assert len(names) <= 5 * 11 + 1


@pytest.mark.parametrize("seed", range(5))
def test_a_cut_into_batches_changes_no_target(seed: int) -> None:
    rng = random.Random(seed)
    uris = [f"/{'abcdefghij'[min(9, int(rng.expovariate(0.4)))]}" for _ in range(300)]
    whole = targets_of(LogTargets("path", 4), uris)
    cut, begin = LogTargets("path", 4), 0
    parts: list[str] = []
    while begin < len(uris):
        end = begin + rng.randrange(1, 20)
        parts += targets_of(cut, uris[begin:end])
        begin = end
    assert parts == whole
