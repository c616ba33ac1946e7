"""Good lines of the named forms of access logs, and what spoils them, for `benchmarks.hostile`."""

from __future__ import annotations

import json
import random
from datetime import UTC, datetime
from typing import Any

CLF = '10.0.0.7 - - [{clf}] "GET /pay HTTP/1.1" 200 512'
COMBINED = CLF + ' "-" "Mozilla/5.0 (X11; Linux x86_64)"'
CADDY = {
    "ts": "{iso}Z",
    "request": {"client_ip": "10.0.0.7", "proto": "HTTP/2.0", "method": "GET", "uri": "/pay"},
    "duration": 0.05,
    "size": 512,
    "status": 200,
}
TRAEFIK = {
    "ClientHost": "10.0.0.7",
    "DownstreamStatus": 200,
    "Duration": 5,
    "RequestPath": "/pay",
    "StartUTC": "{iso}Z",
}
ALB = (
    "h2 {iso}Z app/shop/50dc 10.0.0.7:2817 10.0.0.1:80 0.000 0.050 0.000 200 200 34 512 "
    '"GET https://shop:443/pay HTTP/2.0" "curl/8" ECDHE TLSv1.2 arn "Root=1-5" "-" "-" 0 {iso}Z "forward" "-"'
)
LINES: dict[str, str] = {
    "common": CLF,
    "main": COMBINED + ' "203.0.113.9, 198.51.100.2"',
    "timed": COMBINED + " 0.050",
    "vhost_combined": "shop:443 " + COMBINED,
    "lighttpd": COMBINED.replace("10.0.0.7 -", "10.0.0.7 shop"),
    "traefik": COMBINED + ' 17 "shop" "http://10.0.0.1:80" 50ms',
    "ingress_nginx": COMBINED + " 431 0.050 [shop-80] [] 10.0.0.1:80 512 0.049 200 8a7f",
    "haproxy": '10.0.0.7:53000 [{clf}] fe be/s 0/0/1/48/50 200 512 - - ---- 1/1/0/0/0 0/0 "GET /pay HTTP/1.1"',
    "envoy": '[{iso}Z] "GET /pay HTTP/1.1" 200 - 0 512 50 49 "10.0.0.7" "curl/8" "id" "shop" "10.0.0.2:80"',
    "alb": ALB,
    "django": '[{clf}] "GET /pay HTTP/1.1" 200 512',
    "gin": '[GIN] {gin} | 200 |      50ms |        10.0.0.7 | GET      "/pay"',
    "caddy": json.dumps(CADDY),
    "traefik_json": json.dumps(TRAEFIK),
    "docker": json.dumps({"log": COMBINED + "\n", "stream": "stdout", "time": "{iso}Z"}),
    "cri": "{iso}Z stdout F " + COMBINED,
    "journald": json.dumps({"MESSAGE": COMBINED, "__REALTIME_TIMESTAMP": "1760104536000000"}),
    "iis": "{w3c} GET /pay 200 512 50",
}
HEADERS = {"iis": "#Fields: date time cs-method cs-uri-stem sc-status sc-bytes time-taken\n"}
NASTY_STATUS = ("12", "99999999999999999999", "-x", "2.5")


def good_line(name: str, seconds: float) -> bytes:
    """The line of a form, at a time in seconds since 1970."""
    then = datetime.fromtimestamp(seconds, UTC)
    times = {
        "{clf}": then.strftime("%d/%b/%Y:%H:%M:%S +0000"),
        "{iso}": then.strftime("%Y-%m-%dT%H:%M:%S"),
        "{gin}": then.strftime("%Y/%m/%d - %H:%M:%S"),
        "{w3c}": then.strftime("%Y-%m-%d %H:%M:%S"),
    }
    line = LINES[name]
    for form, text in times.items():
        line = line.replace(form, text)
    return line.encode()


def spoilt_line(rng: random.Random, name: str) -> bytes:
    """The same with a status that none can be, or a time that never was."""
    line = LINES[name]
    nasty: Any = rng.choice(NASTY_STATUS)
    if rng.random() < 0.5:
        for form in ("{clf}", "{iso}", "{gin}", "{w3c}"):
            line = line.replace(form, rng.choice(["yesterday", "31/Feb/2025:13:55:36 +0000", "9999-12-31T00:00:00"]))
        return line.encode()
    line = good_line(name, 1_760_104_536).decode()
    before = line
    for written in (" 200 ", ": 200"):
        line = line.replace(written, written.replace("200", nasty))
    return line.replace("| 200 |", f"| {nasty} |").encode() if line == before else line.encode()
