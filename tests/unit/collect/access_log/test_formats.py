"""The lines that common servers write are found and read by themselves: when, what, how it ended, how long, by whom."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from aiops_nb.collect.access_log.collector import AccessLog
from aiops_nb.collect.access_log.formats import FORMATS, NAMES
from aiops_nb.collect.access_log.lines import AccessLogLines
from aiops_nb.core.errors import ConfigError

NOON_NS = 1_795_694_400 * 1_000_000_000  # 2026-11-26 12:00:00 UTC
CLF = '192.0.2.7 - - [26/Nov/2026:12:00:00 +0000] "GET /cart?x=1 HTTP/2.0" 502 612'
AGENT = ' "-" "Mozilla/5.0 (X11; Linux x86_64)"'
COMBINED = CLF + AGENT
CADDY = {
    "level": "info",
    "ts": 1795694400.0,
    "logger": "http.log.access",
    "msg": "handled request",
    "request": {
        "remote_ip": "192.0.2.7",
        "client_ip": "192.0.2.7",
        "proto": "HTTP/2.0",
        "method": "GET",
        "host": "shop.example.org",
        "uri": "/cart?x=1",
        "headers": {"User-Agent": ["curl/8"]},
    },
    "duration": 0.025,
    "size": 612,
    "status": 502,
    "resp_headers": {"Server": ["Caddy"]},
}
TRAEFIK = {
    "ClientAddr": "192.0.2.7:4000",
    "ClientHost": "192.0.2.7",
    "DownstreamContentSize": 612,
    "DownstreamStatus": 502,
    "Duration": 25_000_000,
    "OriginStatus": 0,
    "RequestMethod": "GET",
    "RequestPath": "/cart?x=1",
    "StartUTC": "2026-11-26T11:59:59.975Z",
    "level": "info",
    "time": "2026-11-26T12:00:00Z",
}
ISTIO = {
    "start_time": "2026-11-26T11:59:59.975Z",
    "method": "GET",
    "path": "/cart?x=1",
    "response_code": 502,
    "duration": 25,
    "bytes_sent": 612,
    "downstream_remote_address": "192.0.2.7:4000",
    "upstream_service_time": "24",
}
PINO = {
    "level": 30,
    "time": 1795694400000,
    "pid": 1,
    "req": {"id": 1, "method": "GET", "url": "/cart?x=1", "remoteAddress": "192.0.2.7", "remotePort": 4000},
    "res": {"statusCode": 502, "headers": {"content-length": "612"}},
    "responseTime": 25,
    "msg": "request completed",
}
ECS = {
    "@timestamp": "2026-11-26T12:00:00.000Z",
    "http": {"request": {"method": "GET"}, "response": {"status_code": 502, "body": {"bytes": 612}}},
    "url": {"path": "/cart"},
    "client": {"ip": "192.0.2.7"},
    "event": {"duration": 25_000_000},
}
GCP = {
    "timestamp": "2026-11-26T12:00:00.000000000Z",
    "httpRequest": {
        "requestMethod": "GET",
        "requestUrl": "https://shop.example.org/cart?x=1",
        "status": 502,
        "responseSize": "612",
        "remoteIp": "192.0.2.7",
        "latency": "0.025s",
    },
}
ECHO = {
    "time": "2026-11-26T12:00:00Z",
    "id": "",
    "remote_ip": "192.0.2.7",
    "method": "GET",
    "uri": "/cart?x=1",
    "status": 502,
    "latency": 25_000_000,
    "latency_human": "25ms",
    "bytes_out": 612,
}
CLOUDFLARE = {
    "ClientIP": "192.0.2.7",
    "ClientRequestMethod": "GET",
    "ClientRequestURI": "/cart?x=1",
    "EdgeEndTimestamp": 1795694400000000000,
    "EdgeResponseBytes": 612,
    "EdgeResponseStatus": 502,
}
NAMED_UNITS = {"when": 1, "timestamp": 1795694400, "ip": "192.0.2.7", "verb": "GET", "endpoint": "/cart", "bytes": 612}
API_GATEWAY = {
    "requestTime": "26/Nov/2026:12:00:00 +0000",
    "ip": "192.0.2.7",
    "httpMethod": "GET",
    "path": "/cart",
    "status": "502",
    "responseLength": "612",
}
HAPROXY = (
    "192.0.2.7:53000 [26/Nov/2026:11:59:59.975] fe~ be/srv1 0/0/1/24/25 502 612 - - ---- 1/1/0/0/0 0/0 {curl} "
    '"GET /cart?x=1 HTTP/1.1"'
)
IIS = (
    "#Software: Microsoft Internet Information Services 10.0\n#Version: 1.0\n#Fields: date time s-ip cs-method "
    "cs-uri-stem cs-uri-query s-port cs-username c-ip cs(User-Agent) sc-status sc-substatus sc-win32-status sc-bytes "
    "time-taken\n2026-11-26 12:00:00 10.0.0.1 GET /cart x=1 443 - 192.0.2.7 curl/8 502 0 0 612 25"
)
CLOUDFRONT = (
    "#Version: 1.0\n#Fields: date time x-edge-location sc-bytes c-ip cs-method cs(Host) cs-uri-stem sc-status "
    "time-taken\n2026-11-26\t12:00:00\tFRA2\t612\t192.0.2.7\tGET\td1.cloudfront.net\t/cart\t502\t0.025"
)
ENVOY = (
    '[2026-11-26T11:59:59.975Z] "GET /cart?x=1 HTTP/1.1" 502 UF{more} 0 612 25 24 "192.0.2.7,10.0.0.1" "curl/8" "id" '
    '"shop.example.org" "10.0.0.2:80"'
)
ALB = (
    "https 2026-11-26T12:00:00.000000Z app/shop/50dc 192.0.2.7:2817 10.0.0.1:80 0.000 0.025 0.000 502 502 34 612 "
    '"GET https://shop.example.org:443/cart HTTP/1.1" "curl/8" ECDHE TLSv1.2 arn "Root=1-5" "-" "-" 0 '
    '2026-11-26T12:00:00.400000Z "forward" "-" "-" "-" "-" "-" "-"'
)
S3 = (
    '79a5 bucket [26/Nov/2026:12:00:00 +0000] 192.0.2.7 79a5 3E57 REST.GET.OBJECT cart "GET /cart HTTP/1.1" 502 - 612 '
    '612 25 24 "-" "S3Console/0.4" - abc= SigV4 ECDHE AuthHeader bucket.s3.amazonaws.com TLSv1.2 - -'
)
DOCKER = json.dumps({"log": COMBINED + "\n", "stream": "stdout", "time": "2026-11-26T12:00:00.1Z"})
TINY = "GET /cart?x=1 502 612 - 25.0 ms"

# name, line, and which of duration (25 ms), client and size the line says
CASES: list[tuple[str, str, str]] = [
    ("common", CLF, "client size"),
    ("combined", COMBINED, "client size"),
    ("main", COMBINED + ' "203.0.113.9, 198.51.100.2"', "client size"),
    ("timed", COMBINED + " 0.025", "client size duration"),
    ("main_timed", COMBINED + ' "203.0.113.9" 0.025', "client size duration"),
    ("common_timed", CLF + " 0.0250", "client size duration"),
    ("ingress_nginx", COMBINED + " 431 0.025 [shop-80] [] 10.0.0.1:80 612 0.024 502 8a7f", "client size duration"),
    ("vhost_combined", "shop.example.org:443 " + COMBINED, "client size"),
    ("lighttpd", COMBINED.replace("192.0.2.7 -", "192.0.2.7 shop.example.org:8080"), "client size"),
    ("combined", COMBINED.replace("192.0.2.7", "192.0.2.7, 198.51.100.2, 127.0.0.1"), "client size"),
    ("traefik", COMBINED + ' 17 "shop@docker" "http://10.0.0.1:80" 25ms', "client size duration"),
    ("haproxy", HAPROXY, "client size duration"),
    ("envoy", ENVOY.format(more=""), "client size duration"),
    ("envoy", ENVOY.format(more=' via_upstream - "-"'), "client size duration"),
    ("alb", ALB, "client size duration"),
    ("elb", ALB.removeprefix("https "), "client size duration"),
    ("s3", S3, "client size duration"),
    ("squid", "1795694400.000     25 192.0.2.7 TCP_MISS/502 612 GET http://a/cart - HIER/1.2.3.4 text/html",
     "client size duration"),
    ("common", CLF.replace("/Nov/2026:12:00:00 +0000", "/Nov/2026 12:00:00"), "client size"),
    ("python_logging", "INFO:werkzeug:" + CLF.replace("/Nov/2026:12:00:00 +0000", "/Nov/2026 12:00:00"), "client size"),
    ("common", CLF.replace("GET /cart?x=1 HTTP/2.0", "\x1b[33mGET /cart?x=1 HTTP/1.1\x1b[0m"), "client size"),
    ("django", '[26/Nov/2026 12:00:00] "GET /cart?x=1 HTTP/1.1" 502 612', "size"),
    ("combined", COMBINED.replace("26/Nov/2026:12:00:00", "2026-11-26 12:00:00"), "client size"),  # hypercorn
    ("aiohttp", COMBINED.replace(" - - ", " "), "client size"),
    ("uwsgi", "[pid: 9|app: 0|req: 1/1] 192.0.2.7 () {32 vars in 456 bytes} [Thu Nov 26 12:00:00 2026] GET /cart => "
     "generated 612 bytes in 25 msecs (HTTP/1.1 502) 2 headers in 79 bytes (1 switches on core 0)",
     "client size duration"),
    ("gin", '[GIN] 2026/11/26 - 12:00:00 | 502 |      25ms |       192.0.2.7 | GET      "/cart"', "client duration"),
    ("tornado", "[E 261126 12:00:00 web:2239] 502 GET /cart?x=1 (192.0.2.7) 25.00ms", "client duration"),
    ("json", json.dumps(CADDY), "client size duration"),
    ("json", json.dumps(TRAEFIK), "client size duration"),
    ("json", json.dumps(ISTIO), "client size duration"),
    ("json", json.dumps(PINO), "client duration"),
    ("json", json.dumps(ECS), "client size duration"),
    ("json", json.dumps({"@timestamp": "2026-11-26T12:00:00Z", "http.request.method": "GET", "url.path": "/cart",
                         "http.response.status_code": 502, "event.duration": 25_000_000}), "duration"),
    ("json", json.dumps(GCP), "client size duration"),
    ("json", json.dumps(ECHO), "client size duration"),
    ("json", json.dumps(CLOUDFLARE), "client size"),
    ("json", json.dumps(API_GATEWAY), "client size"),
    ("json", json.dumps({**NAMED_UNITS, "statusCode": 502, "duration_ms": 25}), "client size duration"),
    ("json", json.dumps({**NAMED_UNITS, "httpStatus": "502", "elapsedMicros": 25000}), "client size duration"),
    ("json", json.dumps({**NAMED_UNITS, "response_status": 502.0, "latencySeconds": 0.025}), "client size duration"),
    ("json", json.dumps({**NAMED_UNITS, "status_code": 502, "took": "25ms"}), "client size duration"),
    ("w3c", IIS, "client size duration"),
    ("w3c", CLOUDFRONT, "client size duration"),
    ("combined_and_more", COMBINED + " rt=0.025 uct=0.1 cs=MISS", "client size"),
    ("common_and_more", CLF + " | upstream 10.0.0.1", "client size"),
    ("combined (in lines of docker)", DOCKER, "client size"),
    ("morgan_tiny (in lines of docker)", DOCKER.replace(json.dumps(COMBINED)[1:-1], TINY).replace(".1Z", "Z"),
     "size duration"),
    ("combined (in lines of cri)", "2026-11-26T12:00:00.5Z stdout F " + COMBINED, "client size"),
    ("combined (in lines of journald)", json.dumps({"MESSAGE": COMBINED, "__REALTIME_TIMESTAMP": "1795694400000000",
                                                    "_PID": "9"}), "client size"),
    ("uvicorn (in lines of journald)", json.dumps({"MESSAGE": 'INFO:     192.0.2.7:5 - "GET /cart HTTP/1.1" 502 Bad',
                                                   "__REALTIME_TIMESTAMP": "1795694400000000"}), "client"),
    ("haproxy (in lines of syslog)", "Nov 26 12:00:00 localhost haproxy[14389]: " + HAPROXY, "client size duration"),
    ("combined (in lines of syslog)", "<190>Nov 26 12:00:00 web nginx: " + COMBINED, "client size"),
    ("combined (in lines of rfc5424)", "<190>1 2026-11-26T12:00:00.1Z web nginx 7 - - " + COMBINED, "client size"),
    ("combined (in lines of compose)", "web-1  | " + COMBINED, "client size"),
    ("combined (in lines of timestamped)", "2026-11-26T12:00:00.5Z " + COMBINED, "client size"),
    ("php", "[Thu Nov 26 12:00:00 2026] [192.0.2.7]:55555 [502]: GET /cart", "client"),
    ("granian", '[2026-11-26 12:00:00 +0000] 192.0.2.7 - "GET /cart HTTP/1.1" 502 25.0', "client duration"),
    ("haproxy", HAPROXY + " 0/0/0/0/0 shop.example.org/TLSv1.3/TLS_AES", "client size duration"),
    ("logfmt", 'time=2026-11-26T12:00:00Z level=info msg="a b" method=GET path="/cart" status=502 rt=25ms', "duration"),
    ("logfmt (in lines of syslog)", '2026-11-26T12:00:00.000000+00:00 heroku[router]: at=error desc="Request timeout" '
     'method=GET path="/cart" fwd="192.0.2.7" status=502 bytes=612', "client size"),
    ("json", json.dumps({"timestamp": 1795694400, "meta": {"req": {"method": "GET", "url": "/cart"},
                         "res": {"statusCode": 502}}}), ""),
    ("json", json.dumps({"time": "2026-11-26T12:00:00Z", "properties": {"clientIP": "192.0.2.7", "httpMethod": "GET",
                         "requestUri": "/cart", "httpStatus": 502}}), "client"),
    ("json", json.dumps({**NAMED_UNITS, "endpoint": "GET /cart HTTP/1.1", "status": 502}), "client size"),
    ("json (in lines of cri)", "2026-11-26T12:00:00.5Z stdout F " + json.dumps(CADDY), "client size duration"),
]  # fmt: skip


@pytest.mark.parametrize(("name", "line", "says"), CASES, ids=[f"{i}-{case[0]}" for i, case in enumerate(CASES)])
def test_the_form_is_found_and_read(name: str, line: str, says: str, monkeypatch: pytest.MonkeyPatch) -> None:
    lines = AccessLogLines("web", timezone="UTC")
    batch = lines.decode((line + "\n").encode())
    assert (batch.num_rows, dict(lines.rejected_total), lines.problems) == (1, {}, {}), lines.rejected
    assert lines.notices["pattern"].startswith(name + " (")
    row = batch.to_pylist()[0]
    assert abs(row["time"].value - NOON_NS) <= 0
    assert (row["target"], row["status_code"], row["method"], row["origin"]) == ("/cart", 502, "GET", "traffic")
    assert row["client_ip"] == ("192.0.2.7" if "client" in says else None)
    assert row["response_bytes"] == (612 if "size" in says else None)
    assert row["duration_seconds"] == (pytest.approx(0.025, abs=1e-12) if "duration" in says else None)
    windows = AccessLogLines("web", timezone="UTC").decode((line.replace("\n", "\r\n") + "\r\n").encode())
    assert windows.equals(batch)


@pytest.mark.parametrize("name", [name for name in NAMES if name != "auto"])
def test_every_name_is_a_pattern(name: str, tmp_path: Path) -> None:
    AccessLog(tmp_path / "a.log", pattern=name).close()


@pytest.mark.parametrize(
    ("pattern", "line", "seconds"),
    [
        ('LogFormat "%h %l %u %t \\"%r\\" %>s %b %D" with_time', CLF + " 25000", 0.025),
        ('%h %l %u %t "%r" %>s %b %T', CLF + " 3", 3.0),
        ('%h %l %u %t "%r" %>s %b %{ms}T', CLF + " 25", 0.025),
        ('CustomLog logs/access.log "%h %l %u %t \\"%r\\" %>s %O %D"', CLF + " 25000", 0.025),
        ('%a %l %u [%{%d/%b/%Y:%H:%M:%S}t.%{msec_frac}t %{%z}t] "%r" %>s %b', CLF.replace(":00 +", ":00.250 +"), None),
        ('%a %l %u [%{end:%d.%m.%Y %H:%M:%S}t] "%m %U%q %H" %>s %b', CLF.replace("26/Nov/2026:12:00:00 +0000",
         "26.11.2026 12:00:00"), None),
        ('%(h)s %(l)s %(u)s %(t)s "%(r)s" %(s)s %(b)s %(D)s', CLF + " 25000", 0.025),
        ('%(h)s %(l)s %(u)s %(t)s "%(r)s" %(s)s %(b)s %(M)s %(L)s "%({user-agent}i)s"', CLF + ' 25 0.025 "a"', 0.025),
        ("log_format x '$remote_addr - $remote_user [$time_local] \"$request\" '\n'$status $bytes_sent $duration_us';",
         CLF + " 25000", 0.025),
        ('$remote_addr - $remote_user [$time_local] "$request" $status $body_bytes_sent $duration_ms',
         CLF + " 25", 0.025),
        ('$remote_addr - $remote_user [$time_local] "$request" $status $body_bytes_sent up=$upstream_response_time '
         "rt=$request_time", CLF + " up=0.1, 0.2 : 0.3 rt=0.025", 0.025),
        ('[%START_TIME%] "%REQ(:METHOD)% %REQ(X-ENVOY-ORIGINAL-PATH?:PATH)% %PROTOCOL%" %RESPONSE_CODE% %BYTES_SENT% '
         "%DURATION% %DOWNSTREAM_REMOTE_ADDRESS%", '[2026-11-26T11:59:59.975Z] "GET /cart HTTP/1.1" 502 612 25 '
         "192.0.2.7:4000", 0.025),
    ],
)  # fmt: skip
def test_a_notation_copied_from_a_server(pattern: str, line: str, seconds: float | None) -> None:
    lines = AccessLogLines("web", pattern=pattern)
    row = lines.decode((line + "\n").encode()).to_pylist()
    assert len(row) == 1, lines.rejected
    assert (row[0]["target"], row[0]["status_code"], row[0]["client_ip"]) == ("/cart", 502, "192.0.2.7")
    assert row[0]["response_bytes"] == 612
    assert row[0]["duration_seconds"] == seconds
    assert abs(row[0]["time"].value - NOON_NS) <= 3_000_000_000


def test_a_time_in_parts_keeps_its_fraction() -> None:
    pattern = '%a [%{%d/%b/%Y:%H:%M:%S}t.%{msec_frac}t %{%z}t] "%r" %>s'
    lines = AccessLogLines("web", pattern=pattern)
    batch = lines.decode(b'192.0.2.7 [26/Nov/2026:14:00:00.250 +0200] "GET / HTTP/1.1" 200\n')
    assert batch["time"].cast(pa.int64()).to_pylist() == [NOON_NS + 250_000_000]


UNITLESS: list[tuple[str, str, str]] = [
    ("timed", COMBINED + " 1257", "1257"),
    ("timed", COMBINED + " 3", " 3"),
    ("json", json.dumps({**NAMED_UNITS, "status": 502, "request_time": 12}), "request_time"),
    ("json", json.dumps({**NAMED_UNITS, "status": 502, "duration": 0.0123}), "duration"),
    ("json", json.dumps({**NAMED_UNITS, "status": 502, "responseTime": 12}), "responseTime"),
    (
        "w3c",
        "#Fields: date time cs-method cs-uri-stem sc-status time-taken\n2026-11-26 12:00:00 GET /cart 502 25",
        "25",
    ),
]


@pytest.mark.parametrize(("pattern", "line", "shown"), UNITLESS)
@pytest.mark.parametrize("is_named", [True, False])
def test_a_unit_is_never_guessed(pattern: str, line: str, shown: str, is_named: bool) -> None:
    chosen = {"pattern": pattern} if is_named else {}
    lines = AccessLogLines("web", **chosen)
    batch = lines.decode((line + "\n").encode())
    assert (batch["status_code"].to_pylist(), batch["duration_seconds"].to_pylist()) == ([502], [None])
    assert "set duration_unit to s, ms, us or ns" in lines.problems["durations"]
    assert shown in lines.problems["durations"]
    lines = AccessLogLines("web", **chosen, duration_unit="ms")
    batch = lines.decode((line + "\n").encode())
    assert batch["duration_seconds"].null_count == 0 and lines.problems == {}


@pytest.mark.parametrize("value", ["-", "-1", "0", "000", '""', "null", '"-"', '"000"', "-1.0"])
def test_what_no_server_answered_is_a_row_without_a_status(value: str) -> None:
    text = value.strip('"') if value != "null" else "-"
    line = json.dumps({**NAMED_UNITS, "status": 502, "duration_ms": 25}).replace(
        "502", value if value != "-" else '"-"'
    )
    for pattern, one in (("json", line), ("common", CLF.replace(" 502 612", f" {text or '-'} {text or '-'}"))):
        lines = AccessLogLines("web", pattern=pattern)
        batch = lines.decode((one + "\n").encode())
        assert batch["status_code"].to_pylist() == [None], (one, lines.rejected)


@pytest.mark.parametrize(("value", "seconds"), [("-", None), ("-1", None), ("0", 0.0), ("0.000", 0.0), ("-0.5", None)])
def test_what_no_server_answered_is_a_row_without_a_duration(value: str, seconds: float | None) -> None:
    for pattern, line in (("timed", f"{COMBINED} {value}"), ("alb", ALB.replace(" 0.025 ", f" {value} "))):
        lines = AccessLogLines("web", pattern=pattern)
        batch = lines.decode((line + "\n").encode())
        assert batch["duration_seconds"].to_pylist() == [seconds], lines.rejected


@pytest.mark.parametrize("status", ["502.0", "502.", '"502"', "502.00"])
def test_a_status_written_as_a_fraction(status: str) -> None:
    lines = AccessLogLines("web", pattern="common")
    batch = lines.decode((CLF.replace(" 502 ", f" {status.strip(chr(34))} ") + "\n").encode())
    assert batch["status_code"].to_pylist() == [502]


@pytest.mark.parametrize(
    ("pattern", "line"),
    [
        ("combined", COMBINED.replace("- -", "- joe [admin] {x}")),
        ("combined", COMBINED.replace("- -", r"- joe \"doe\"")),
        ("combined", COMBINED.replace("- -", "- ")),
        ("combined", COMBINED.replace("- -", "- x [10/Oct/2000:13:55:36 -0700]")),
        ("combined", COMBINED.replace("Mozilla/5.0", r"a\"b \\ [x]")),
        ("combined", COMBINED.replace("Mozilla/5.0", 'a"b')),  # a server that escapes nothing
        ("combined", COMBINED.replace("?x=1", r"?q=\"boots\"")),
        ("combined", COMBINED.replace("?x=1", r"?q=\x22\x5C")),
        ("combined", COMBINED.replace("?x=1", "?q= a b ")),
        ("combined", COMBINED.replace('"-"', r'"http://x/\" 200 5 \"-\" \""')),
        ("main", COMBINED + r' "1.2.3.4, \"evil\" 5.6.7.8"'),
        ("vhost_combined", "shop:80 " + COMBINED.replace("- -", "- a [b] c")),
        ("json", json.dumps({**NAMED_UNITS, "status": 502, "agent": "x"}).replace('"x"', r'"a\x22b\xE5\xC3\xA9"')),
        ("json", json.dumps({**NAMED_UNITS, "status": 502, "up": 1}).replace('"up": 1', '"up": -')),
        ("json", json.dumps({**NAMED_UNITS, "status": 502, "up": 1}).replace('"up": 1', '"up": ')),
        ("json", json.dumps({**NAMED_UNITS, "status": 502, 'a"\\\x01': 1})),
    ],
)
@pytest.mark.parametrize("is_auto", [True, False])
def test_a_client_cannot_hide_its_line(pattern: str, line: str, is_auto: bool) -> None:
    lines = AccessLogLines("web", pattern="auto" if is_auto else pattern)
    good = json.dumps({**NAMED_UNITS, "status": 502}) if pattern == "json" else line.replace(line, line)
    plain = {"json": good, "main": COMBINED + ' "-"', "vhost_combined": "shop:80 " + COMBINED}.get(pattern, COMBINED)
    batch = lines.decode(f"{plain}\n{line}\n{plain}\n".encode("latin-1"))
    assert batch["target"].to_pylist() == ["/cart"] * 3, lines.rejected
    assert batch["status_code"].to_pylist() == [502] * 3
    ip = batch["client_ip"].to_pylist()
    assert ip == ["192.0.2.7"] * 3


@pytest.mark.parametrize(
    ("written", "client"),
    [
        ("2001:db8::7", "2001:db8::7"),
        ("[2001:db8::7]", "2001:db8::7"),
        ("[2001:db8::7]:4711", "2001:db8::7"),
        ("[fe80::1%eth0]:4711", "fe80::1"),
        ("::1", "::1"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
        ("[::ffff:192.0.2.7]:80", "192.0.2.7"),
        ("192.0.2.7:4711", "192.0.2.7"),
        ("203.0.113.9, 192.0.2.7", "203.0.113.9"),
        ("203.0.113.9,192.0.2.7", "203.0.113.9"),
        ("-", None),
        ("unix:", "unix:"),
    ],
)
def test_addresses_of_clients(written: str, client: str | None) -> None:
    for pattern, line in (
        ("common", CLF.replace("192.0.2.7", written)),
        ("json", json.dumps({**NAMED_UNITS, "ip": written, "status": 502})),
    ):
        lines = AccessLogLines("web", pattern=pattern)
        assert lines.decode((line + "\n").encode())["client_ip"].to_pylist() == [client], lines.rejected


@pytest.mark.parametrize("request_line", ["", "-", r"\x16\x03\x01", "GET", "PRI * HTTP/2.0", "CONNECT a:443 HTTP/1.1"])
def test_odd_requests_are_rows(request_line: str) -> None:
    for pattern in ("auto", "combined"):
        lines = AccessLogLines("web", pattern=pattern)
        batch = lines.decode((COMBINED.replace("GET /cart?x=1 HTTP/2.0", request_line) + "\n").encode())
        assert batch["status_code"].to_pylist() == [502], lines.rejected


def test_the_real_client_behind_a_proxy_can_be_chosen() -> None:
    line = COMBINED + ' "203.0.113.9, 198.51.100.2"\n'
    fields = {"client_ip": "http_x_forwarded_for"}
    for pattern in ("main", "auto", FORMATS["main"].text):
        lines = AccessLogLines("web", pattern=pattern, fields=fields)
        assert lines.decode(line.encode())["client_ip"].to_pylist() == ["203.0.113.9"], pattern


def test_a_forwarded_list_names_the_client_where_nothing_else_does() -> None:
    text = FORMATS["forwarded_combined"].text
    line = COMBINED.replace("192.0.2.7", "203.0.113.9, 198.51.100.2", 1) + "\n"
    assert line.startswith("203.0.113.9, "), line
    for pattern in (text, "forwarded_combined"):
        assert AccessLogLines("web", pattern=pattern).decode(line.encode())["client_ip"].to_pylist() == ["203.0.113.9"]
    plain = {"time": "2026-11-26T12:00:00Z", "path": "/", "status": 200, "x_forwarded_for": "203.0.113.9, 10.0.0.1"}
    for more, client in (({}, "203.0.113.9"), ({"remote_addr": "192.0.2.7"}, "192.0.2.7")):
        batch = AccessLogLines("web", pattern="json").decode(json.dumps(plain | more).encode() + b"\n")
        assert batch["client_ip"].to_pylist() == [client]


def test_keys_that_a_user_names() -> None:
    line = {"when": "26.11.2026 13:00", "sc": 502, "lat": 25, "req": {"where": "/cart"}, "status": 200}
    fields = {"time": "when", "status": "sc", "duration_ms": "lat", "path": "req.where"}
    lines = AccessLogLines("web", pattern="json", fields=fields, time_format="%d.%m.%Y %H:%M", timezone="Europe/Paris")
    row = lines.decode(json.dumps(line).encode() + b"\n").to_pylist()[0]
    assert (row["time"].value, row["status_code"], row["duration_seconds"], row["target"]) == (
        NOON_NS, 502, 0.025, "/cart",
    )  # fmt: skip


def test_an_export_of_ours_reads_back() -> None:
    line = {
        "time": "2026-11-26T12:00:00Z", "source": "web", "origin": "traffic", "target": "GET /orders/17",
        "method": "GET",
        "status_code": None, "duration_seconds": 0.025, "error_type": "timeout", "client_ip": "192.0.2.7",
    }  # fmt: skip
    row = AccessLogLines("web").decode(json.dumps(line).encode() + b"\n").to_pylist()[0]
    assert (row["target"], row["error_type"], row["duration_seconds"]) == ("GET /orders/17", "timeout", 0.025)


def test_a_foreign_object_is_rejected_aloud_with_its_keys() -> None:
    lines = AccessLogLines("web", pattern="json")
    assert lines.decode(b'{"time": "2026-11-26T12:00:00Z", "level": "info", "event": "x"}\n' * 3).num_rows == 0
    assert lines.rejected_total == {"no_known_field": 3}
    assert "the keys are time, level, event" in lines.problems["rejected lines"]


@pytest.mark.parametrize("pattern", ["common", "timed", "json", "$msec $status"])
def test_a_rejected_line_names_the_pattern_that_fits(pattern: str) -> None:
    lines = AccessLogLines("web", pattern=pattern)
    lines.decode((COMBINED + ' "203.0.113.9"\n').encode() * 20)
    assert lines.rejected[-1].suggestion == "pattern 'main' reads 20 of the last 20 such lines"
    assert "pattern 'main' reads" in lines.problems["rejected lines"]
    assert "20 of 20 lines were rejected, 20 as not_the_pattern" in lines.problems["rejected lines"]


def test_the_form_may_begin_late_and_change() -> None:
    lines = AccessLogLines("web")
    lines.decode(b"Watching for file changes with StatReloader\nPerforming system checks...\n")
    assert lines.format_name is None and lines.rejected_total == {"not_the_pattern": 2}
    assert lines.decode((CLF + "\n").encode()).num_rows == 1
    assert lines.format_name == "common"
    assert lines.decode((COMBINED + "\n").encode()).num_rows == 1, "a quiet log has one line at a time"
    assert lines.format_name == "combined" and "it was common before" in lines.notices["pattern"]


def test_pieces_that_the_container_cut_are_one_line() -> None:
    first, last = COMBINED[:60], COMBINED[60:]
    head = "2026-11-26T12:00:00.5Z stdout "
    lines = AccessLogLines("web")
    assert lines.decode(f"{head}F {COMBINED}\n{head}P {first}\n".encode()).num_rows == 1
    assert lines.decode(f"{head}F {last}\n".encode())["target"].to_pylist() == ["/cart"]
    assert lines.rejected_total == {}


def test_lines_without_a_time_are_stamped_only_as_they_come() -> None:
    lines = AccessLogLines("web", pattern="morgan_tiny", now_ns=lambda: NOON_NS)
    assert lines.decode((TINY + "\n").encode())["time"].cast(pa.int64()).to_pylist() == [NOON_NS]
    lines = AccessLogLines("web", pattern="morgan_tiny")
    assert lines.decode((TINY + "\n").encode()).num_rows == 0
    assert "the lines have no time" in lines.rejected[0].detail


def test_a_header_may_come_again_and_must_have_come() -> None:
    lines = AccessLogLines("web", pattern="iis")
    assert lines.decode(b"2026-11-26 12:00:00 /cart 200\n").num_rows == 0
    assert "no line #Fields: has come" in lines.rejected[0].detail
    for fields, line in (
        ("date time cs-uri-stem sc-status", "/cart 200"),
        ("date time sc-status cs-uri-stem", "200 /cart"),
    ):
        batch = lines.decode(f"#Fields: {fields}\n2026-11-26 12:00:00 {line}\n".encode())
        assert (batch["target"].to_pylist(), batch["status_code"].to_pylist()) == (["/cart"], [200])


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"fields": {"colour": "c"}}, "fields: expected names of fields, got 'colour'"),
        ({"fields": {"status": "a", "path": "a"}}, "fields: expected one field for a"),
        ({"fields": {"status": "nothing"}, "pattern": "combined"}, "fields: expected variables of the pattern"),
        ({"timezone": "Mars/Base"}, "timezone: expected a name such as Europe/Paris, or local, got 'Mars/Base'"),
        ({"time_format": "DD.MM.YYYY"}, "time_format: expected a format of strptime"),
        ({"duration_unit": "minutes"}, "duration_unit: expected one of s, ms, us, ns"),
    ],
)
def test_a_wrong_setting_is_named(options: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        AccessLogLines("web", **options)
