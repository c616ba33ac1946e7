"""From pages to samples: rates, quantiles, what is forgotten and what has no room."""

from __future__ import annotations

import math

import pytest

from aiops_nb.collect.prometheus.conversion import Conversion
from aiops_nb.collect.prometheus.exposition import PageSeries
from aiops_nb.collect.prometheus.selection import SeriesPattern, SeriesSelection
from aiops_nb.core.errors import ConfigError

COUNTER = '# TYPE jobs_total counter\njobs_total{{queue="a"}} {}\n'


def conversion(*, keep=(), drop=(), quantiles=(0.5, 0.95), series_limit=1000):
    return Conversion(SeriesSelection(keep, drop), quantiles=quantiles, series_limit=series_limit)


def values(made, page, second):
    samples, _ = made.convert(page.encode(), second)
    return dict(zip(samples.metrics, samples.values.tolist(), strict=True))


@pytest.mark.parametrize(
    ("readings", "expected"),
    [
        ([(0, 10), (10, 30)], [None, 2.0]),
        ([(0, 10), (10, 10)], [None, 0.0]),
        ([(0, 100), (10, 20), (20, 30)], [None, 2.0, 1.0]),  # a reset counts from 0
        ([(0, 10), (10, None), (20, 30), (30, 40)], [None, None, None, 1.0]),  # gone: its past is forgotten
        ([(0, 10), (10, math.nan), (20, 30)], [None, None, None]),
        ([(0, 10), (60, 70)], [None, 1.0]),  # a gap: the mean over it
    ],
)
def test_rates(readings, expected):
    made = conversion()
    found = []
    for second, value in readings:
        page = "other 1\n" if value is None else COUNTER.format(value)
        found.append(values(made, page, float(second)).get('jobs_per_second{queue="a"}'))
    assert found == expected


def histogram(counts, total=0.0, labels=""):
    bounds = ["0.1", "0.5", "1", "+Inf"]
    lines = [f'd_seconds_bucket{{{labels}le="{b}"}} {c}' for b, c in zip(bounds, counts, strict=True)]
    own = f"{{{labels.rstrip(',')}}}" if labels else ""
    return "\n".join([*lines, f"d_seconds_sum{own} {total}", f"d_seconds_count{own} {counts[-1]}", ""])


TYPE = "# TYPE d_seconds histogram\n"


def test_quantiles_are_of_what_is_new():
    made = conversion()
    assert values(made, TYPE + histogram([100, 100, 100, 100]), 0.0) == {}
    found = values(made, TYPE + histogram([100, 110, 120, 120]), 10.0)
    # 10 between 0.1 and 0.5, 10 between 0.5 and 1
    assert found == pytest.approx({"d_p50_seconds": 0.5, "d_p95_seconds": 0.95, "d_seconds_count_per_second": 2.0})


def test_quantiles_where_nothing_is_new_are_not_known_and_a_reset_counts_from_0():
    made = conversion(quantiles=(0.5,))
    values(made, TYPE + histogram([5, 5, 5, 9]), 0.0)
    assert values(made, TYPE + histogram([5, 5, 5, 9]), 1.0) == {"d_seconds_count_per_second": 0.0}
    assert values(made, TYPE + histogram([4, 4, 4, 4]), 2.0)["d_p50_seconds"] == pytest.approx(0.05)
    assert values(made, TYPE + histogram([4, 4, 4, 8]), 3.0)["d_p50_seconds"] == 1.0  # in +Inf: the last bound


def test_histograms_of_different_buckets_stay_apart():
    made = conversion(quantiles=(0.5,))
    other = '# TYPE e histogram\ne_bucket{le="7"} %d\ne_bucket{le="+Inf"} %d\ne_bucket{x="1",le="2"} 1\n'
    pages = [histogram([n, n, n, n], labels='p="a",') + histogram([0, n, n, n], labels='p="b",') for n in (0, 10)]
    values(made, TYPE + pages[0] + other % (0, 0), 0.0)
    found = values(made, TYPE + pages[1] + other % (4, 4), 1.0)
    quantiles = {name: value for name, value in found.items() if "p50" in name}
    assert quantiles == pytest.approx({'d_p50_seconds{p="a"}': 0.05, 'd_p50_seconds{p="b"}': 0.3, "e_p50": 3.5})


def test_summaries_have_quantiles_a_mean_and_a_rate():
    page = '# TYPE s_seconds summary\ns_seconds{quantile="0.9"} 0.7\ns_seconds_sum %f\ns_seconds_count %d\n'
    made = conversion()
    assert values(made, page % (10, 10), 0.0) == {'s_seconds{quantile="0.9"}': 0.7}
    assert values(made, page % (16, 13), 2.0) == {
        's_seconds{quantile="0.9"}': 0.7,
        "s_seconds_count_per_second": 1.5,
        "s_mean_seconds": 2.0,
    }


def test_series_over_the_limit_are_counted():
    made = conversion(series_limit=3)
    page = "".join(f'load{{part="{n}"}} {n}\n' for n in range(10))
    for second in (0.0, 1.0):
        samples, found = made.convert(page.encode(), second)
        assert (len(samples.metrics), found.over_limit, found.samples) == (3, 7, 10)


def test_series_that_come_and_go_use_no_memory_and_lose_no_rate():
    made = conversion(series_limit=500)
    for second in range(200):
        page = COUNTER.format(second * 3) + "".join(f'load{{id="{second}-{n}"}} 1\n' for n in range(100))
        found = values(made, page, float(second))
        assert len(made._reader.known) < 2_000
        assert second == 0 or found['jobs_per_second{queue="a"}'] == 3.0
    assert len(found) == 101


def test_samples_with_times_of_their_own():
    made = conversion()
    first, _ = made.convert(b"# TYPE t_total counter\nt_total 3 1000\nload 1 1000\n", 50.0)
    assert (first.metrics, first.times_ns) == (["load"], {0: 1_000_000_000})
    again, _ = made.convert(b"# TYPE t_total counter\nt_total 3 1000\nload 1 1000\n", 60.0)
    assert again.metrics == []  # the same samples once more
    later, _ = made.convert(b"# TYPE t_total counter\nt_total 9 3000\nload 1 3000\n", 70.0)
    assert dict(zip(later.metrics, later.values.tolist(), strict=True)) == {"load": 1.0, "t_per_second": 3.0}
    assert later.times_ns == {0: 3_000_000_000, 1: 3_000_000_000}


@pytest.mark.parametrize(
    ("keep", "drop", "kept"),
    [
        ([], [], {"cpu", "disk"}),
        (["cpu"], [], {"cpu"}),
        (["c*"], [], {"cpu"}),
        ([], ["c?u"], {"disk"}),
        (['{part="b"}'], [], {"disk"}),
        (['*{part=~"a|b"}'], ["disk"], {"cpu"}),
        (['cpu{part!="a"}'], [], set()),
    ],
)
def test_keep_and_drop(keep, drop, kept):
    selection = SeriesSelection(keep, drop)
    series = [PageSeries("cpu", "cpu", "gauge", {"part": "a"}), PageSeries("disk", "disk", "gauge", {"part": "b"})]
    for _ in range(2):
        assert {one.name for one in series if selection.wants(one)} == kept


@pytest.mark.parametrize("text", ["", "a b", "cpu{part", 'cpu{part="a"}x', 'cpu{part=~"("}'])
def test_a_pattern_that_cannot_be_read_names_its_field(text):
    with pytest.raises(ConfigError, match=r"drop\[2\]"):
        SeriesPattern(text, "drop[2]")
