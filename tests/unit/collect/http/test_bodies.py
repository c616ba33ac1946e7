"""Bodies as assertions read them: compressed, with marks and charsets, the same by every transfer."""

from __future__ import annotations

import gzip
import tracemalloc
import zlib
from pathlib import Path

import pyarrow as pa
import pytest

from aiops_nb.collect.http.body import MAX_DECODED_BYTES, Body, BodyError
from aiops_nb.collect.http.probe import TransferKind
from tests.unit.collect.http.exchanges import TRANSFERS, Asked, probed, result, server

UP = b'{"status": "UP", "place": "caf\xc3\xa9"}'
TEXT = UP.decode()
IS_UP = ('json $.status == "UP"', 'json $.place == "café"', 'body contains "café"')


def raw_deflate(data: bytes) -> bytes:
    compressor = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    return compressor.compress(data) + compressor.flush()


def brotli(data: bytes) -> bytes:
    compressed: bytes = pa.Codec("brotli").compress(data, asbytes=True)
    return compressed


def zstd(data: bytes) -> bytes:
    compressed: bytes = pa.Codec("zstd").compress(data, asbytes=True)
    return compressed


BODIES: dict[str, tuple[bytes, dict[str, str]]] = {
    "plain": (UP, {}),
    "byte order mark": (b"\xef\xbb\xbf" + UP, {}),
    "UTF-16 with a mark": (TEXT.encode("utf-16"), {}),
    "UTF-16 big endian with a mark": (b"\xfe\xff" + TEXT.encode("utf-16-be"), {}),
    "UTF-32 with a mark": (TEXT.encode("utf-32"), {}),
    "a mark and another charset": (b"\xef\xbb\xbf" + UP, {"Content-Type": "application/json; charset=latin-1"}),
    "Latin-1": (TEXT.encode("latin-1"), {"Content-Type": "application/json; charset=ISO-8859-1"}),
    "Windows": (TEXT.encode("cp1252"), {"Content-Type": 'text/html; charset="windows-1252"'}),
    "UTF-16 by charset": (TEXT.encode("utf-16-le"), {"Content-Type": "application/json; charset=utf-16le"}),
    "Shift JIS is ASCII here": (b'{"status": "UP"}', {"Content-Type": "application/json; charset=Shift_JIS"}),
    "unknown charset": (UP, {"Content-Type": "application/json; charset=nonsense"}),
    "charset that is none of text": (UP, {"Content-Type": "application/json; charset=base64"}),
    "charset of names": (UP, {"Content-Type": "application/json; charset=punycode"}),
    "empty charset": (UP, {"Content-Type": "application/json; charset="}),
    "gzip": (gzip.compress(UP), {"Content-Encoding": "gzip"}),
    "x-gzip": (gzip.compress(UP), {"Content-Encoding": "X-GZip"}),
    "gzip of two members": (gzip.compress(UP[:9]) + gzip.compress(UP[9:]), {"Content-Encoding": "gzip"}),
    "gzip and what follows it": (gzip.compress(UP) + b"\0\0\0", {"Content-Encoding": "gzip"}),
    "gzip with a mark": (gzip.compress(b"\xef\xbb\xbf" + UP), {"Content-Encoding": "gzip"}),
    "deflate": (zlib.compress(UP), {"Content-Encoding": "deflate"}),
    "raw deflate": (raw_deflate(UP), {"Content-Encoding": "deflate"}),
    "brotli": (brotli(UP), {"Content-Encoding": "br"}),
    "brotli within gzip": (gzip.compress(brotli(UP)), {"Content-Encoding": "br, gzip"}),
    "zstd": (zstd(UP), {"Content-Encoding": "zstd"}),
    "identity": (UP, {"Content-Encoding": "identity"}),
    "gzip of Latin-1": (
        gzip.compress(TEXT.encode("latin-1")),
        {"Content-Encoding": "gzip", "Content-Type": "application/json;charset=latin1"},
    ),
}


@pytest.mark.parametrize("transfer", TRANSFERS)
@pytest.mark.parametrize("kind", BODIES)
def test_a_healthy_body_is_healthy_however_it_is_sent(transfer: TransferKind, kind: str) -> None:
    body, headers = BODIES[kind]
    is_ascii = kind.startswith("Shift")
    with server(lambda _: (200, list(headers.items()), body)) as here:
        row = probed(transfer, here.url(), assertions=IS_UP[:1] if is_ascii else IS_UP)
    assert result(row) == (200, None), row["error_detail"]
    assert row["response_bytes"] == len(body)


BAD: dict[str, tuple[bytes, str, str]] = {
    "cut short": (gzip.compress(UP * 100)[:-20], "gzip", "a compressed body that is cut short"),
    "brotli cut short": (brotli(UP * 100)[:-5], "br", "a compressed body that is cut short"),
    "damaged": (b"\x1f\x8b" + b"x" * 50, "gzip", "a damaged compressed body"),
    "no gzip at all": (UP, "gzip", "a damaged compressed body"),
    "no brotli at all": (b"\xff" * 50, "br", "a damaged compressed body"),
    "zstd cut short": (zstd(UP * 100)[:-5], "zstd", "a compressed body that is cut short"),
    "no zstd at all": (b"x" * 50, "zstd", "a damaged compressed body"),
    "unknown": (UP, "compress", "a body compressed by 'compress', which is not supported"),
    "bomb": (gzip.compress(b" " * 50_000_000), "gzip", "a body of more than 1,000,000 bytes when decompressed"),
    "bomb of brotli": (brotli(b" " * 50_000_000), "br", "more than 1,000,000 bytes when decompressed"),
    "bomb of many": (
        gzip.compress(b" " * 600_000) * 50,
        "gzip",
        "a body of more than 1,000,000 bytes when decompressed",
    ),
}


@pytest.mark.parametrize("transfer", TRANSFERS)
@pytest.mark.parametrize("kind", BAD)
def test_a_body_that_cannot_be_read_says_why(transfer: TransferKind, kind: str) -> None:
    body, encoding, found = BAD[kind]
    with server(lambda _: (200, [("Content-Encoding", encoding)], body)) as here:
        row = probed(transfer, here.url(), assertions=('json $.status == "UP"',))
    assert result(row) == (200, "assertion")
    assert row["error_detail"].startswith('json $.status == "UP", got ') and found in row["error_detail"]


@pytest.mark.parametrize("transfer", TRANSFERS)
def test_all_ask_for_the_same(transfer: TransferKind) -> None:
    def headers(**fields: object) -> dict[str, str]:
        with server(lambda _: (200, [], b"")) as here:
            probed(transfer, here.url(), **fields)
            asked: Asked = here.asked[0]
            return {**asked.headers, "host": ""}

    plain = {"host": "", "user-agent": "aiops-nb", "accept": "*/*"}
    assert without_close(headers()) == plain
    assert without_close(headers(headers={"Accept-Encoding": "gzip"})) == {**plain, "accept-encoding": "gzip"}
    assert without_close(headers(headers={"user-agent": "x", "ACCEPT": "a/b"})) == {
        **plain,
        "user-agent": "x",
        "accept": "a/b",
    }
    form = {"content-type": "application/x-www-form-urlencoded", "content-length": "3"}
    assert without_close(headers(method="POST", body="a=1")) == {**plain, **form}
    assert without_close(headers(method="POST")) == {**plain, "content-length": "0"}
    own = headers(method="PUT", body="{}", headers={"Content-Type": "application/json", "X-Name": "ü"})
    assert own["content-type"] == "application/json"
    assert own["x-name"].encode("latin-1").decode() == "ü"


def without_close(headers: dict[str, str]) -> dict[str, str]:
    return {name: value for name, value in headers.items() if (name, value) != ("connection", "close")}


@pytest.mark.parametrize("transfer", TRANSFERS)
def test_a_netrc_and_a_jar_of_the_user_are_not_used(
    transfer: TransferKind, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / ".netrc").write_text("machine 127.0.0.1 login joe password sesame\n")
    monkeypatch.setenv("NETRC", str(tmp_path / ".netrc"))
    monkeypatch.setenv("HOME", str(tmp_path))
    with server(lambda _: (200, [("Set-Cookie", "sid=1")], b"")) as here:
        for _ in range(2):
            probed(transfer, here.url(), reuse_connection=True)
        assert all({"authorization", "cookie"}.isdisjoint(asked.headers) for asked in here.asked)


def test_an_empty_body_is_empty_whatever_it_says() -> None:
    assert Body(raw=b"", content_encoding="gzip").content() == b""


def test_a_bomb_costs_no_more_memory_than_the_limit() -> None:
    bombs = [
        Body(raw=gzip.compress(b" " * 50_000_000), content_encoding="gzip"),
        Body(raw=brotli(b" " * 100_000_000), content_encoding="br"),
        Body(raw=zstd(b" " * 50_000_000), content_encoding="zstd"),
        Body(raw=zlib.compress(b" " * 50_000_000), content_encoding="deflate"),
    ]
    tracemalloc.start()
    for bomb in bombs:
        with pytest.raises(BodyError, match="more than 1,000,000 bytes"):
            bomb.content()
    _, peak_bytes = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak_bytes < 20 * MAX_DECODED_BYTES
