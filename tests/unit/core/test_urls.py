"""URLs in messages: whatever a password holds, it is not shown."""

from __future__ import annotations

import re

import pytest

from aiops_nb.collect.http.target import ProbeTarget
from aiops_nb.collect.secrets import refuse_literal_secrets
from aiops_nb.collect.websocket.connection import host_of
from aiops_nb.core.errors import ConfigError
from aiops_nb.core.urls import mask_url, parse_http_url, recordable_url

PASSWORDS = [
    "/sesame",
    "se/same",
    "sesame/",
    "#sesame",
    "se#same",
    "?sesame",
    "se?same",
    "se[same",
    "se/sa@me",
    "se:sa/me",
    "sa@me/se",
    "12/sesame",
    "12?sesame",
    "12#se/same",
    "12/sa@me",
    "12/34/sesame",
]


@pytest.mark.parametrize("password", PASSWORDS)
@pytest.mark.parametrize("rest", ["example.org", "example.org:8443/a", "example.org/a?token=hush", "[::1]:80/"])
@pytest.mark.parametrize("user", ["joe", ""])
def test_a_password_with_any_sign_is_never_shown(password: str, rest: str, user: str) -> None:
    url = f"https://{user}:{password}@{rest}"
    texts = [mask_url(url)]
    for check, scheme in ((parse_http_url, "https"), (lambda one: ProbeTarget(url=one), "https"), (host_of, "wss")):
        with pytest.raises(ConfigError) as raised:
            check(url.replace("https", scheme))
        texts.append(str(raised.value))
    for text in texts:
        for part in ("sesame", "se", "same", "sa", "me@", "hush", "joe"):
            assert part not in text.replace("user name", "").replace("password", ""), text
    assert "example.org" in mask_url(url) or "malformed" in mask_url(url) or "[::1]" in mask_url(url)


@pytest.mark.parametrize("password", ["se%2Fsame", "s%23e", "sesame", "a:b", "a@b"])
def test_an_escaped_one_is_accepted_and_masked(password: str) -> None:
    url = f"https://joe:{password}@example.org/a"
    assert parse_http_url(url).hostname == "example.org"
    assert mask_url(url) == "https://example.org/a"


@pytest.mark.parametrize(
    "url",
    [
        "https://example.org/@user/posts",
        "https://localhost:8443/@user",
        "http://127.0.0.1:8080/?mail=a@b.example",
        "https://example.org/?mail=a@b.example",
        "https://[::1]/a@b",
        "https://[::1]:8443/a@b",
        "http://localhost/a:b@c",
    ],
)
def test_an_at_sign_elsewhere_hides_nothing(url: str) -> None:
    assert parse_http_url(url).hostname in ("example.org", "::1", "localhost", "127.0.0.1")
    assert mask_url(url) == url.partition("?")[0]


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("http://joe:12/34@h/", "http://h/"),
        ("http://joe:12?34@h/", "<malformed URL>"),  # or a host joe with the query 34@h: neither is shown
        ("http://joe/34@h/", "http://h/"),
        ("http://CORP/joe:pw@h/", "http://h/"),
        ("http://CORP.example/joe:pw@h/", "http://h/"),
        ("http://joe@corp.example:12/34@h/", "http://h/"),
        ("http://joe:pw@h/@user", "http://user"),
        ("http:///joe:pw@h/", "http://h/"),
        ("joe:12/34@h/", "h/"),
    ],
)
def test_what_could_be_a_password_is_hidden_and_refused(url: str, shown: str) -> None:
    assert mask_url(url) == shown
    assert not {"joe", "12", "34", "pw"} & set(re.findall(r"\w+", recordable_url(url)))
    with pytest.raises(ConfigError, match=r"@ as %40") as raised:
        parse_http_url(url)
    assert not {"joe", "12", "pw"} & set(re.findall(r"\w+", str(raised.value)))


@pytest.mark.parametrize("header", ["Authorization", "X-Api-Key", "X-Auth-Token", "Cookie"])
@pytest.mark.parametrize("value", ["${A_TOKEN:-s3cret}", "Bearer ${A_TOKEN:-s3cret}", "s3cret", "${A}${B:-s3cret}"])
def test_a_literal_secret_is_refused_after_a_reference_too(header: str, value: str) -> None:
    target = ProbeTarget(url="https://h/", headers={header: value})
    with pytest.raises(ConfigError, match=rf"targets\[0\]\.headers\.{header}: expected a reference") as raised:
        refuse_literal_secrets(target, "targets[0]")
    assert "s3cret" not in str(raised.value)


@pytest.mark.parametrize(
    "value", ["${A_TOKEN}", "${A_TOKEN:-}", "env:A_TOKEN", "file:/run/secrets/token", "Bearer ${A}"]
)
def test_a_reference_is_no_literal(value: str) -> None:
    refuse_literal_secrets(ProbeTarget(url="https://h/", headers={"Authorization": value}), "targets[0]")


@pytest.mark.parametrize(
    "url", ["https://joe:${PW:-s3cret}@h/", "https://h/?token=${T:-s3cret}", "https://h/?api_key=s3cret"]
)
def test_a_literal_secret_in_a_url_is_refused_after_a_reference_too(url: str) -> None:
    with pytest.raises(ConfigError, match=r"here\.url: expected a reference") as raised:
        refuse_literal_secrets(ProbeTarget(url=url), "here")
    assert "s3cret" not in str(raised.value)
