"""The chart of a message: drawn from what rules judged, small enough for mail, shown where a channel can show it."""

from __future__ import annotations

import email
from email import policy
from io import BytesIO

import numpy as np
import pytest
from PIL import Image

from aiops_nb.core.types import FeatureTable, Item, ScoredFeature, Scores, SeriesKey, Step, Tick
from aiops_nb.monitor.notifications import Notifications
from aiops_nb.monitor.notifications.charts import ChartHistory
from aiops_nb.notify.channels.smtp import compose
from aiops_nb.notify.chart import MAX_BYTES, ChartData, draw
from aiops_nb.notify.log import NotificationLog
from aiops_nb.notify.message import Message, message_of
from aiops_nb.notify.params import EmailParams, NotifyParams, SlackParams
from aiops_nb.notify.registry import make_notifier
from aiops_nb.notify.templates import Texts
from tests.unit.notify.receiver import change, receiving, step

SHOP, OTHER = SeriesKey("shop", origin="probe"), SeriesKey("other", origin="probe")
LABELS = {"alertname": "latency", "target": "shop", "origin": "probe", "detector": "ewma"}


def tick(second: int, value: float, series: tuple[SeriesKey, ...] = (OTHER, SHOP)) -> Tick:
    count = len(series)
    values = np.full(count, value)
    scores = Scores(np.full(count, 1.0), np.full(count, 0.03), np.full(count, 0.01), np.full(count, 0.06))
    features = FeatureTable("requests", second * 10**9, series, ("error_ratio",), np.full((1, count), value / 2))
    judged = ScoredFeature("ewma", "latency", "duration_p95_seconds", 5.0, series, values, scores, values > 0.06)
    return Tick(features, (judged,))


def message(**labels: str) -> Message:
    return message_of(change("firing", time_ns=50 * 10**9, pending_at_ns=50 * 10**9, labels={**LABELS, **labels}))


def history(seconds: int = 60, kept_bytes: int = 1 << 25) -> ChartHistory:
    made = ChartHistory(kept_bytes)
    made.is_wanted = True
    for second in range(seconds):
        made.write([tick(second, 0.03 if second < 45 else 0.25, (OTHER,) if second < 5 else (OTHER, SHOP))])
    return made


def test_the_chart_has_the_series_of_the_alert_with_its_band() -> None:
    data = history().data_of(message())
    assert data is not None and data.feature == "duration_p95_seconds" and len(data.time_ns) == 60
    assert np.isnan(data.value[:5]).all()  # the series was not there yet
    assert data.value[-1] == 0.25 and data.upper[-1] == 0.06 and data.since_ns == 50 * 10**9


def test_a_rule_on_rows_is_drawn_by_the_error_ratio_of_its_target() -> None:
    data = history().data_of(message(alertname="http_5xx"))
    assert data is not None and data.feature == "error_ratio" and data.value[-1] == 0.125
    assert history().drawn(message(alertname="http_5xx", target="unknown")) == b""


def test_the_history_is_bounded() -> None:
    made = history(kept_bytes=2000)
    data = made.data_of(message())
    assert data is not None and 2 <= len(data.time_ns) <= 20
    made = ChartHistory()
    made.write([tick(1, 0.03)])  # no channel shows charts
    assert made.data_of(message()) is None and made.feature_of("latency") == "duration_p95_seconds"


@pytest.mark.parametrize("count", [2, 60, 3000])
@pytest.mark.parametrize("scale", [0.0, 1e-9, 1.0, 1e12])
def test_any_values_make_a_small_picture_at_twice_the_size(count: int, scale: float) -> None:
    noise = np.random.default_rng(7).normal(1.0, 0.5, count) * scale
    noise[count // 2] = np.nan if count > 2 else noise[count // 2]
    unknown = np.full(count, np.nan)
    for band in (unknown, np.full(count, scale)):
        data = ChartData(
            feature="value",
            metric="일_bytes",
            time_ns=np.arange(count) * 10**9 + 1_780_000_000 * 10**9,
            value=noise,
            expected=band,
            lower=band,
            upper=band * 2,
            since_ns=1_780_000_001 * 10**9,
        )
        picture = draw(data)
        assert len(picture) <= MAX_BYTES
        assert Image.open(BytesIO(picture)).size == (1280, 640)


def test_the_picture_shows_band_limit_value_and_alert() -> None:
    picture = history().drawn(message())
    colours = {colour for _, colour in Image.open(BytesIO(picture)).convert("RGB").getcolors(1 << 24) or ()}

    def has(red: int, green: int, blue: int) -> bool:
        return any(abs(r - red) + abs(g - green) + abs(b - blue) < 24 for r, g, b in colours)

    assert has(0xD5, 0xE3, 0xF4) and has(0xC2, 0x5B, 0x00) and has(0x2B, 0x5C, 0x9E) and has(0xC1, 0x12, 0x1F)


def test_mail_shows_it_inline() -> None:
    params = EmailParams(host="127.0.0.1", sender="a@example.org", to=("b@example.org",))
    one = Message(kind="firing", fingerprint="f", episode_ns=0, labels={"target": "shop"}, chart=b"\x89PNG not really")
    letter = email.message_from_bytes(bytes(compose([one], params, Texts())), policy=policy.default)
    (picture,) = [part for part in letter.walk() if part.get_content_type() == "image/png"]
    page = letter.get_body(("html",))
    assert page is not None and f'src="cid:{picture["Content-ID"][1:-1]}"' in page.get_content()
    assert picture.get_content() == one.chart
    assert not [part for part in compose([one, one], params, Texts()).walk() if part.get_content_type() == "image/png"]


def test_a_slack_bot_uploads_it_into_the_thread_of_its_message(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BOT", "planted-5ecret")
    with receiving() as receiver:
        params = SlackParams(token="env:BOT", channel="C1", api_url=f"{receiver.url}/api")
        receiver.answers = [
            (200, {}, {"ok": True, "ts": "171.5"}),
            (200, {}, {"ok": True, "upload_url": f"{receiver.url}/upload", "file_id": "F7"}),
            (200, {}, {"ok": True}),
        ]
        waits = {"group_wait_seconds": 0.0, "group_interval_seconds": 0.0}
        sink = Notifications(NotifyParams(channels=(params,), **waits), [make_notifier(params)], NotificationLog(None))
        for second in range(60):
            ticks = [tick(second, 0.03 if second < 45 else 0.25)]
            sink.write(Step(Item(second, "requests", "s", None), ticks))  # type: ignore[arg-type]
        sink.write(step(change("firing", time_ns=50 * 10**9, labels=LABELS)))
        posted, asked, uploaded, completed = receiver.wait_for(4)
        sink.close()
    assert [one.path for one in (posted, asked, completed)] == [
        "/api/chat.postMessage",
        "/api/files.getUploadURLExternal",
        "/api/files.completeUploadExternal",
    ]
    assert "258" not in posted.body["text"] and uploaded.body[:4] == b"\x89PNG"
    assert asked.body == {"filename": "chart.png", "length": str(len(uploaded.body))}
    assert completed.body["thread_ts"] == "171.5" and completed.body["files"][0]["id"] == "F7"
    assert uploaded.headers.get("Authorization") is None


def test_without_the_scope_for_files_the_message_counts_as_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BOT", "planted-5ecret")
    with receiving() as receiver:
        slack = make_notifier(SlackParams(token="env:BOT", channel="C1", api_url=receiver.url))
        receiver.answers = [(200, {}, {"ok": True, "ts": "1"}), (200, {}, {"ok": False, "error": "missing_scope"})]
        one = Message(kind="firing", fingerprint="f", episode_ns=0, labels={}, chart=b"\x89PNG")
        assert slack.send([one]) == {"f": "1"}
        slack.close()
