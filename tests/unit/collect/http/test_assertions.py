"""What may be asserted of a reply, and what each says when it does not hold."""

from __future__ import annotations

import pytest

from aiops_nb.collect.http.assertion_check import broken
from aiops_nb.collect.http.assertions import parse_assertion, parse_assertions
from aiops_nb.collect.http.body import Body
from aiops_nb.collect.http.result import Outcome
from aiops_nb.collect.http.target import ProbeTarget
from aiops_nb.core.errors import ConfigError

DAY_NS = 86_400_000_000_000
REPLY = Outcome(
    duration_seconds=0.25,
    status_code=204,
    certificate_expires=10 * DAY_NS,
    body=Body(
        raw=b'{"status": "UP", "n": 3, "on": true, "none": null, "parts": [{"a-b": 1.5}, "x"]'
        b', "big": 1234567890123456789012}'
    ),
)

HOLDS = [
    "status in 200..299",
    "status == 204",
    "status != 200",
    "status<=204",
    "  status\t>=   204  ",
    "duration < 500ms",
    "duration >= 0.25s",
    "duration in 0ms..1m",
    "certificate_expires > 8d",
    "certificate_expires <= 216h",
    'body contains "UP"',
    'body contains "\\u0055P"',
    'body != ""',
    'json $.status == "UP"',
    'json $.status != "DOWN"',
    'json $.status contains "P"',
    "json $.n == 3",
    "json $.n == 3.0",
    "json $.n in -1..3",
    "json $.n > 2.5",
    "json $.n != true",
    "json $.on == true",
    "json $.on != 1",
    "json $.none == null",
    "json $.parts[0].a-b < 2",
    'json $.parts contains "x"',
    'json $ != "UP"',
    "json $.big > 5",
]

BREAKS = {
    "status in 200..203": "204",
    "status == 200": "204",
    "duration < 250ms": "250 ms",
    "duration > 1s": "250 ms",
    "certificate_expires > 14d": "9 d",
    'body contains "down"': "a body of 111 bytes",
    'body == "UP"': "a body of 111 bytes",
    'json $.status == "DOWN"': '"UP"',
    "json $.status > 1": '"UP"',
    "json $.n == true": "3",
    "json $.on in 0..1": "true",
    "json $.n contains 3": "3",
    "json $.nothing != 1": "nothing there",
    "json $.status[0] == null": "nothing there",
    "json $.parts[2] == null": "nothing there",
    "json $.parts[0] == 1": "an object of 1",
    "json $.parts contains 1": "a list of 2",
    "json $.big < 5": "1234567890123456789012",
}


def test_keys_of_any_text() -> None:
    parsed = parse_assertion('json $["a b"].c[0]["\\u00fc]\\""] == 1')
    assert parsed.path == ("a b", "c", 0, '\u00fc]"')


@pytest.mark.parametrize("text", HOLDS)
def test_what_holds(text: str) -> None:
    assert broken([parse_assertion(text)], REPLY, DAY_NS) == ()


@pytest.mark.parametrize("text", BREAKS)
def test_what_does_not_hold_says_what_came(text: str) -> None:
    assert [found for _, found in broken([parse_assertion(text)], REPLY, DAY_NS)] == [BREAKS[text]]


@pytest.mark.parametrize("body", [b"", b"{", b"\xff", b"[" * 100_000, b"1" * 5_000, b'{"a": NaN}'])
def test_a_body_that_is_no_json(body: bytes) -> None:
    reply = Outcome(duration_seconds=0.1, status_code=200, body=Body(raw=body))
    assert [found for _, found in broken([parse_assertion("json $.a != 1")], reply, 0)] == ["no JSON"]


def test_a_long_value_is_cut() -> None:
    reply = Outcome(duration_seconds=0.1, status_code=200, body=Body(raw=b'"' + b"a" * 10_000 + b'"'))
    [(_, found)] = broken([parse_assertion("json $ == 1")], reply, 0)
    assert found == '"' + "a" * 60 + '"'


def test_a_transfer_that_failed_itself_breaks_no_assertion() -> None:
    asked = parse_assertions(["status == 200", 'body contains "ok"', "certificate_expires > 1d"])
    assert broken(asked, Outcome(duration_seconds=0.1, error_type="timeout"), 0) == ()
    found = broken(asked, Outcome(duration_seconds=0.1, status_code=200), 0)
    assert [instead for _, instead in found] == ["a body that is too long to be kept", "no certificate known"]


SUBJECTS = "status duration body json certificate_expires"
REFUSED = {
    "": f"character 1: expected one of {SUBJECTS}, got nothing",
    "speed < 1s": f"character 1: expected one of {SUBJECTS}, got 'speed < 1s'",
    "status": "character 7: expected one of == != < <= > >= in, got nothing",
    "status ~ 200": "character 8: expected one of == != < <= > >= in, got '~ 200'",
    "status contains 200": "character 8: expected one of == != < <= > >= in, got 'contains 200'",
    "status == 20": "character 11: expected a status code such as 200, got '20'",
    "status == 200.5": "character 14: expected the end, got '.5'",
    "status in 200": "character 14: expected '..' and the range's end, got nothing",
    "status in 200..": "character 16: expected a status code such as 200, got nothing",
    "status in 299..200": "character 16: expected a range's end that is not below its beginning (299), got '200'",
    "status == 200 or 204": "character 15: expected the end, got 'or 204'",
    "duration < 500": "character 12: expected a duration such as 500ms, 2s, 5m, 1h or 14d, got '500'",
    "duration < -1s": "character 12: expected a duration such as 500ms, 2s, 5m, 1h or 14d, got '-1s'",
    "duration < 5sec": "character 12: expected a duration such as 500ms, 2s, 5m, 1h or 14d, got '5sec'",
    "duration == 1s": "character 10: expected one of < <= > >= in, got '== 1s'",
    "body contains ok": "character 15: expected a string in double quotes, with the escapes of JSON, such as",
    'body contains "ok': "character 15: expected a string in double quotes",
    'body contains "\\x"': "character 15: expected a string in double quotes",
    'body contains "\\ud800"': "character 15: expected a string in double quotes",
    "json status == 1": "character 6: expected a path such as $.a.b[0][\"other key\"], got 'status == 1'",
    "json $..a == 1": "character 6: expected a path such as $.a.b[0][\"other key\"], got '$..a == 1'",
    "json $.a[*] == 1": "character 6: expected a path such as $.a.b[0][\"other key\"], got '$.a[*] == 1'",
    "json $.a[-1] == 1": "character 6: expected a path",
    'json $["a] == 1': "character 6: expected a path",
    'json $["\\x"] == 1': "character 6: expected keys in double quotes, with the escapes of JSON",
    "json $.a == UP": "character 13: expected a string such as \"UP\", a number, true, false or null, got 'UP'",
    'json $.a < "b"': "character 12: expected a number, got '\"b\"'",
    "json $.a == 1e5": "character 13: expected a string such as",
    "json $.a == __import__('os')": "character 13: expected a string such as",
}


@pytest.mark.parametrize("text", REFUSED)
def test_what_is_no_assertion_says_where_and_why(text: str) -> None:
    with pytest.raises(ConfigError) as raised:
        ProbeTarget(url="http://h/", assertions=("status == 200", text))
    assert str(raised.value).startswith(f"assertions[1], {REFUSED[text]}")


@pytest.mark.parametrize("given", ["status == 200", 7, [200], ["status == 200" + " " * 1_000]])
def test_what_is_no_list_of_texts(given: object) -> None:
    with pytest.raises(ConfigError, match=r"^assertions(\[0\])?: expected a (list of texts|string of at most 1,000)"):
        ProbeTarget(url="http://h/", assertions=given)  # type: ignore[arg-type]
