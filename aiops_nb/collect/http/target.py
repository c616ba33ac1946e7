"""What to probe, and how: checked when it is made, safe to show."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal

import msgspec

from aiops_nb.collect.authorities import check_ca_file
from aiops_nb.collect.headers import _TOKEN, check_header
from aiops_nb.collect.http.assertions import MAX_KEPT_BODY_BYTES, parse_assertions
from aiops_nb.collect.names import ascii_url
from aiops_nb.core.errors import ConfigError
from aiops_nb.core.quantities import exact_duration
from aiops_nb.core.references import is_reference, resolved
from aiops_nb.core.urls import mask_url, parse_http_url

MAX_DEFAULT_TIMEOUT_SECONDS = 10.0


class ProbeTarget(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One URL to ask at every interval.

    Parameters
    ----------
    url
        http or https. A `user:password@` in it is sent, and never shown. An internationalised name is sent in its ASCII
        form.
    name
        What the target is called in every table; by default the masked URL, references as they are written.
    method
        Any HTTP method.
    headers
        Extra request headers. A value `env:NAME`, `file:PATH` or with `${NAME}` is read at every probe, so that a
        secret can be rotated and stands in no config; one that vanishes keeps its last value. References in all other
        texts are read when the probe is made.
    body
        Sent in UTF-8. One that holds a reference is not repeated by a redirect to another host.
    interval_seconds
        How often it is asked; by default as often as all others.
    timeout_seconds
        Of the whole transfer, connecting included; must be < the interval. By default 0.9 intervals, at most 10 s.
    follow_redirects, max_redirects
        Follow up to `max_redirects`, as browsers do; one more is the error `protocol`. Cookies that a redirect sets are
        kept for the rest of this probe. Headers that hold secrets (`Authorization`, `Cookie`, names such as
        `X-Api-Key`, values that are references) never go to another host or port, or from https to http.
    verify_tls, ca_file
        Verification is on; `ca_file` is a PEM bundle that replaces the default authorities.
    http_version
        `1.1`, or `2` where the server offers it over TLS and the installed libcurl has it; by default libcurl's choice.
    reuse_connection
        Keep the connection between probes. Off by default: then each probe resolves, connects and shakes hands again.
    max_body_bytes
        Reading stops there. The probe then counts as finished, its `response_bytes` are not known (null).
    assertions
        What a reply must be like, such as `status in 200..299` or `json $.status == "UP"`; one that does not hold
        makes the probe a failed one, of the kind `assertion`. Those about the body keep at most 1 MB of it.
    confirm
        Ask once more, at once, after a probe that failed: by an `error_type`, or by a 5xx if no assertion is about the
        status. Both rows are recorded.
    depends_on
        Names of other targets that it needs. While one of them, or one that they need, has an error or critical alert,
        the alerts of this one are inhibited; it is still probed.

    Examples
    --------
    >>> ProbeTarget(url="https://joe:secret@example.org/health", headers={"X-Key": "abc"})
    ProbeTarget(name='https://example.org/health', url='https://example.org/health', method='GET', headers=['X-Key'])
    """

    url: str
    name: str = ""
    method: str = "GET"
    headers: Mapping[str, str] = {}
    body: str | None = None
    interval_seconds: float | None = None
    timeout_seconds: float | None = None
    follow_redirects: bool = True
    max_redirects: int = 10
    verify_tls: bool = True
    ca_file: str | None = None
    http_version: Literal["1.1", "2"] | None = None
    reuse_connection: bool = False
    max_body_bytes: int = 10_000_000
    assertions: Sequence[str] = ()
    confirm: bool = False
    depends_on: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if not is_reference(self.url):
            parse_http_url(self.url)
            ascii_url(self.url)
        _check_method(self.method)
        for name, value in self.headers.items():
            check_header(name, value)
        _check_positive("interval_seconds", self.interval_seconds)
        _check_positive("timeout_seconds", self.timeout_seconds)
        _check_positive("max_body_bytes", self.max_body_bytes)
        _check_positive("max_redirects", self.max_redirects)
        parse_assertions(self.assertions)
        msgspec.structs.force_setattr(self, "assertions", tuple(self.assertions))  # equal, however it was made

    def __repr__(self) -> str:
        shown = f"name={self.shown_name!r}, url={mask_url(self.url)!r}, method={self.method!r}"
        return f"ProbeTarget({shown}, headers={list(self.headers)})"

    def __rich_repr__(self) -> list[tuple[str, str]]:
        return [("name", self.shown_name), ("url", mask_url(self.url))]

    @property
    def shown_name(self) -> str:
        """The given name, or the masked URL."""
        return self.name or mask_url(self.url)

    @property
    def keeps_body(self) -> bool:
        """Whether an assertion asks for the body."""
        return any(assertion.needs_body for assertion in parse_assertions(self.assertions))

    @property
    def read_bytes(self) -> int:
        """How much of a body is read at most."""
        return min(self.max_body_bytes, MAX_KEPT_BODY_BYTES) if self.keeps_body else self.max_body_bytes

    def interval_at(self, default_interval_seconds: float) -> float:
        """Its own interval, or the one of all others, in seconds.

        Parameters
        ----------
        default_interval_seconds
            Of all others.

        Returns
        -------
        float
            Seconds.
        """
        return self.interval_seconds or default_interval_seconds

    def timeout_for(self, default_interval_seconds: float) -> float:
        """The timeout where all others are asked every so many seconds, in seconds.

        Parameters
        ----------
        default_interval_seconds
            Of all others.

        Returns
        -------
        float
            Seconds.
        """
        return self.timeout_seconds or min(
            0.9 * self.interval_at(default_interval_seconds), MAX_DEFAULT_TIMEOUT_SECONDS
        )


def _check_method(method: str) -> None:
    if not _TOKEN.fullmatch(method):
        raise ConfigError.at("method", "an HTTP method such as GET", method)


def _check_positive(where: str, value: float | None) -> None:
    if value is not None and not value > 0:
        raise ConfigError.at(where, "a number > 0", value)


def check_targets(targets: Sequence[ProbeTarget], default_interval_seconds: float) -> tuple[str, ...]:
    """Check targets against the interval and each other, and give the name of each.

    Two targets that were given the same name are an error. Two whose masked URLs are the same (they differ in what
    is masked: query or password) are told apart by a suffix, in their order.

    Examples
    --------
    >>> check_targets([ProbeTarget(url="http://h/a?x=1"), ProbeTarget(url="http://h/a?x=2")], 1.0)
    ('http://h/a', 'http://h/a (2)')
    """
    if not default_interval_seconds > 0:
        raise ConfigError.at("interval_seconds", "a number > 0", default_interval_seconds)
    if not targets:
        raise ConfigError("targets: expected at least one target, got none")
    for index, target in enumerate(targets):
        _check_timeout(index, target, default_interval_seconds)
    return _unique_names(targets)


def ready_targets(targets: Sequence[ProbeTarget], default_interval_seconds: float) -> dict[str, ProbeTarget]:
    """The targets by their names, checked, with what their references stand for.

    A name is made of what the URL says, not of what its references stand for.

    Examples
    --------
    >>> import os
    >>> os.environ["DEMO_KEY"] = "k1"
    >>> ready = ready_targets([ProbeTarget(url="http://h/${DEMO_KEY}/health")], 1.0)
    >>> [(name, target.url) for name, target in ready.items()]
    [('http://h/${DEMO_KEY}/health', 'http://h/k1/health')]
    """
    ready = [
        # a body stays a reference, so that no redirect takes what it refers to elsewhere
        msgspec.structs.replace(resolved(target, f"targets[{index}]"), body=target.body)
        for index, target in enumerate(targets)
    ]
    for index, target in enumerate(ready):
        if target.ca_file is not None:
            check_ca_file(target.ca_file, f"targets[{index}].ca_file")
    shown = [msgspec.structs.replace(now, url=written.url) for now, written in zip(ready, targets, strict=True)]
    return dict(zip(check_targets(shown, default_interval_seconds), ready, strict=True))


def _check_timeout(index: int, target: ProbeTarget, default_interval_seconds: float) -> None:
    timeout_seconds, interval_seconds = (
        target.timeout_for(default_interval_seconds),
        target.interval_at(default_interval_seconds),
    )
    if timeout_seconds >= interval_seconds:
        expected, got = f"less than the interval ({exact_duration(interval_seconds)})", exact_duration(timeout_seconds)
        raise ConfigError(f"targets[{index}].timeout_seconds: expected {expected}, got {got}")


def _unique_names(targets: Sequence[ProbeTarget]) -> tuple[str, ...]:
    taken: dict[str, int] = {}
    for index, target in enumerate(targets):
        if target.name and taken.setdefault(target.name, index) != index:
            raise ConfigError.at(f"targets[{index}].name", f"another than targets[{taken[target.name]}]", target.name)
    return tuple(target.name or _free_name(target.shown_name, taken, i) for i, target in enumerate(targets))


def _free_name(wanted: str, taken: dict[str, int], index: int) -> str:
    name, count = wanted, 1
    while name in taken:
        count += 1
        name = f"{wanted} ({count})"
    taken[name] = index
    return name
