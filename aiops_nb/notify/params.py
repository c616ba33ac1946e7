"""Notifications as data: channels, routes, and when a channel is given up."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Annotated, Any, ClassVar, Literal, TypeAlias

from msgspec import Meta, Struct

from aiops_nb.core.errors import ConfigError, unknown
from aiops_nb.core.matchers import Matcher, matches_all, parse_matchers
from aiops_nb.core.references import is_reference
from aiops_nb.core.types import Severity
from aiops_nb.core.urls import mask_url, parse_http_url
from aiops_nb.notify.templates import MessageParams

Positive = Annotated[float, Meta(gt=0)]
Port = Annotated[int, Meta(ge=1, le=65535)]
SEVERITIES: tuple[Severity, ...] = ("info", "warning", "error", "critical")


class ChannelParams(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag_field="type"):
    """Base of the parameters of every channel that a configuration can name; `tag` is its `type` there.

    Attributes
    ----------
    SECRETS
        Fields of the class that take only references (`env:NAME`, `file:PATH`, `${NAME}`) or None.
    name
        Unique; routes name it.
    timeout_seconds
        Longest wait for the receiver.

    Raises
    ------
    ConfigError
        For a literal in a field that takes only references; the value is not shown.

    Examples
    --------
    >>> class PagerParams(ChannelParams, frozen=True, kw_only=True, tag="pager"):
    ...     SECRETS = ("key",)
    ...     key: str
    ...     name: str = "pager"
    >>> PagerParams(key="env:PAGER_KEY").name
    'pager'
    """

    SECRETS: ClassVar[tuple[str, ...]] = ()

    name: str
    timeout_seconds: Positive = 10.0

    def __post_init__(self) -> None:
        for field in self.SECRETS:
            value = getattr(self, field)
            if value and not is_reference(value):
                raise ConfigError(
                    f"{field}: expected a reference (env:NAME, file:PATH or ${{NAME}}), got a literal (not shown)"
                )


class SlackParams(ChannelParams, frozen=True, kw_only=True, tag="slack"):
    """A Slack channel, by an incoming webhook or by a bot token.

    Attributes
    ----------
    url
        Reference to the incoming webhook's URL. One message for a firing, one for its resolve.
    token, channel
        Reference to a bot token with `chat:write`, and the channel's ID: one message an episode, edited as it changes,
        with the resolve in its thread.
    api_url
        Of Slack's Web API.
    """

    SECRETS: ClassVar[tuple[str, ...]] = ("url", "token")

    name: str = "slack"
    url: str | None = None
    token: str | None = None
    channel: str | None = None
    api_url: str = "https://slack.com/api"

    @property
    def shows_answers(self) -> bool:
        """Whether its messages can be edited: a bot's can."""
        return self.token is not None

    def __post_init__(self) -> None:
        super().__post_init__()
        if (self.url is None) == (self.token is None):
            raise ConfigError.at(
                "url", "either url (incoming webhook) or token and channel", "both" if self.url else "none"
            )
        if (self.token is None) != (self.channel is None):
            raise ConfigError.at("channel", "a channel ID with token", self.channel)


class EmailParams(ChannelParams, frozen=True, kw_only=True, tag="email"):
    """E-mail by SMTP.

    Attributes
    ----------
    host, port
        Of the mail server.
    security
        starttls (port 587), tls (port 465) or none; none is refused with a password.
    sender, to
        Addresses.
    user, password
        Login, the password as a reference; None: no login.
    ca_file
        PEM file of the authorities to trust; None: this system's.
    """

    SECRETS: ClassVar[tuple[str, ...]] = ("password",)

    host: str
    sender: str
    to: tuple[str, ...]
    name: str = "email"
    port: Port = 587
    security: Literal["starttls", "tls", "none"] = "starttls"
    user: str | None = None
    password: str | None = None
    ca_file: str | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        if not self.to:
            raise ConfigError.at("to", "one address or more", self.to)
        for field, address in (("sender", self.sender), *(("to", one) for one in self.to)):
            if "@" not in address or any(sign in address for sign in "\r\n"):
                raise ConfigError.at(field, "an address such as ops@example.org", address)
        if self.security == "none" and self.password is not None:
            raise ConfigError.at("security", "starttls or tls with a password", self.security)


class WebhookParams(ChannelParams, frozen=True, kw_only=True, tag="webhook"):
    """A URL that takes Alertmanager's webhook payload, version 4.

    Attributes
    ----------
    url
        Where to POST; a secret part must be a reference.
    headers
        Sent with each POST; secret ones must be references.
    """

    url: str
    name: str = "webhook"
    headers: dict[str, str] = {}


class AlertmanagerParams(ChannelParams, frozen=True, kw_only=True, tag="alertmanager"):
    """A Prometheus Alertmanager, by its API version 2; firing alerts are sent again, resolved ones for 15 min.

    Attributes
    ----------
    url
        Of the Alertmanager, such as http://127.0.0.1:9093.
    repeat_seconds
        How often open alerts are sent again; less than half of Alertmanager's `resolve_timeout` (5 min).
    headers
        As for `webhook`.
    """

    url: str
    name: str = "alertmanager"
    repeat_seconds: Positive = 60.0
    headers: dict[str, str] = {}


class PagerDutyParams(ChannelParams, frozen=True, kw_only=True, tag="pagerduty"):
    """PagerDuty, by its Events API version 2; the episode is the `dedup_key`.

    Attributes
    ----------
    routing_key
        Reference to the integration key.
    api_url
        Where events are sent to.
    """

    SECRETS: ClassVar[tuple[str, ...]] = ("routing_key",)
    shows_answers: ClassVar[bool] = True  # an incident can be acknowledged

    routing_key: str
    name: str = "pagerduty"
    api_url: str = "https://events.pagerduty.com/v2/enqueue"


class AppriseParams(ChannelParams, frozen=True, kw_only=True, tag="apprise"):
    """Any of the services that Apprise knows; needs pip install 'aiops-nb[notify]'.

    Attributes
    ----------
    urls
        References to Apprise URLs: they hold credentials.
    """

    urls: tuple[str, ...]
    name: str = "apprise"

    def __post_init__(self) -> None:
        for index, url in enumerate(self.urls):
            if not is_reference(url):
                raise ConfigError(
                    f"urls[{index}]: expected a reference (env:NAME or file:PATH), got a literal (not shown)"
                )


BuiltInParams: TypeAlias = (
    SlackParams | EmailParams | WebhookParams | AlertmanagerParams | PagerDutyParams | AppriseParams
)


EACH_ALERT = "..."  # Alertmanager's way to say: group by all labels


class RouteParams(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Alerts with these labels go to these channels.

    Attributes
    ----------
    matchers
        Labels, each with the values that it may have: `{severity: [error, critical]}`; or Alertmanager's syntax, a
        string or a list of strings: `'severity=~"error|critical", target!="batch"'`.
    channels
        Names of channels; none: such alerts notify nobody.
    group_by, group_wait_seconds, group_interval_seconds, repeat_interval_seconds
        As in `NotifyParams`, for this route alone; None: as there.
    """

    matchers: str | tuple[str, ...] | dict[str, str | tuple[str, ...]]
    channels: tuple[str, ...] = ()
    group_by: tuple[str, ...] | None = None
    group_wait_seconds: Annotated[float, Meta(ge=0)] | None = None
    group_interval_seconds: Annotated[float, Meta(ge=0)] | None = None
    repeat_interval_seconds: Positive | None = None

    def __post_init__(self) -> None:
        _ = self.parsed_matchers

    @property
    def parsed_matchers(self) -> tuple[Matcher, ...]:
        """The matchers, all of which an alert must fulfil."""
        written = self.matchers
        return _parsed(tuple(written.items()) if isinstance(written, dict) else written)


@lru_cache(maxsize=1000)
def _parsed(written: str | tuple[str | tuple[str, str | tuple[str, ...]], ...]) -> tuple[Matcher, ...]:
    """Parsed once: an alert is matched at each of its changes."""
    if isinstance(written, str):
        return parse_matchers(written)
    pairs = {one[0]: one[1] for one in written if isinstance(one, tuple)}
    return parse_matchers(pairs if pairs else [one for one in written if isinstance(one, str)])


class Route(Struct, frozen=True, kw_only=True):
    """A route with its waits resolved; `number` is its place among the routes, -1 is the default, -2 added channels."""

    number: int
    channels: tuple[str, ...]
    group_by: tuple[str, ...]
    group_wait_seconds: float
    group_interval_seconds: float
    repeat_interval_seconds: float | None


class NotifyParams(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Who is notified of alerts. The first route that matches decides; the default takes the rest.

    Attributes
    ----------
    channels
        By their `type`.
    routes
        Tried in order.
    default
        Channels of alerts that no route matches; None: all.
    min_severity
        Alerts below notify nobody: info, warning, error or critical.
    group_by
        Alerts that share these labels are one notification; `...` is every label, so that each alert has its own.
    group_wait_seconds
        How long the first notification of a group waits for others that begin at the same time.
    group_interval_seconds
        How long further changes of a group wait after its last notification.
    repeat_interval_seconds
        How often what still fires is notified again; None: never.
    adopt_seconds
        After a restart: how long an alert that was firing may take to fire again before its end is sent.
    escalate_seconds
        A channel that fails for so long is reported through the other channels, once.
    give_up_seconds
        A message that could not be delivered for so long is given up, and shown as undelivered.
    digest_interval_seconds
        In a flood, with more notifications waiting than a channel sends singly, how far apart its digests are.
    messages
        What messages say: language, links, templates.
    keep_log_seconds
        How long an episode stays in the notification log after its last message; one that has not ended stays.
    log
        File of the notification log; None: `notifications.sqlite` in the recording, or memory without one.

    Raises
    ------
    ConfigError
        For two channels of one name, and for a route to a channel that is not there.

    Examples
    --------
    >>> NotifyParams(channels=(WebhookParams(url="http://127.0.0.1:9/"),)).channels_for({"severity": "error"})
    ('webhook',)
    """

    channels: tuple[BuiltInParams, ...] = ()  # and those of plug-ins: see `config.plug_ins`
    routes: tuple[RouteParams, ...] = ()
    default: tuple[str, ...] | None = None
    min_severity: Severity = "warning"
    group_by: tuple[str, ...] = (EACH_ALERT,)
    group_wait_seconds: Annotated[float, Meta(ge=0)] = 0.5
    group_interval_seconds: Annotated[float, Meta(ge=0)] = 1.0
    repeat_interval_seconds: Positive | None = None
    adopt_seconds: Positive = 300.0
    escalate_seconds: Positive = 300.0
    give_up_seconds: Positive = 86_400.0
    digest_interval_seconds: Annotated[float, Meta(ge=0)] = 10.0
    messages: MessageParams = MessageParams()
    keep_log_seconds: Annotated[float, Meta(ge=86_400)] = 30 * 86_400.0
    log: str | None = None

    def __post_init__(self) -> None:
        names = [channel.name for channel in self.channels]
        for index, name in enumerate(names):
            if name in names[:index]:
                raise ConfigError.at(f"channels[{index}].name", f"another than channels[{names.index(name)}]", name)
        for index, route in enumerate(self.routes):
            _check_names(f"routes[{index}].channels", route.channels, names)
        _check_names("default", self.default or (), names)

    def channels_for(self, labels: Mapping[str, str]) -> tuple[str, ...]:
        """Names of the channels that an alert with these labels goes to.

        Parameters
        ----------
        labels
            Of the alert.

        Returns
        -------
        tuple of str
            In the order of the configuration.
        """
        return tuple(name for route in self.routes_for(labels) for name in route.channels)

    def routes_for(self, labels: Mapping[str, str], added: Sequence[str] = ()) -> list[Route]:
        """The routes of an alert with these labels: the configured one, and that of `added` channels.

        Parameters
        ----------
        labels
            Of the alert.
        added
            Channels that were added while it runs.

        Returns
        -------
        list of Route
            At least one.
        """
        severity = labels.get("severity", "warning")
        if severity in SEVERITIES and SEVERITIES.index(severity) < SEVERITIES.index(self.min_severity):
            return []
        found = self._configured(labels)
        return [route for route in (found, self._route(-2, tuple(added))) if route.channels]

    def _configured(self, labels: Mapping[str, str]) -> Route:
        for number, route in enumerate(self.routes):
            if matches_all(route.parsed_matchers, labels):
                return self.configured_route(number)
        return self.configured_route(None)

    def configured_route(self, number: int | None) -> Route:
        """The route at a place, or the default, with its waits.

        Parameters
        ----------
        number
            Place in `routes`; None: the default.

        Returns
        -------
        Route
            With the waits that hold for it.
        """
        if number is not None:
            return self._route(number, self.routes[number].channels, self.routes[number])
        names = tuple(channel.name for channel in self.channels) if self.default is None else self.default
        return self._route(-1, names)

    def _route(self, number: int, channels: tuple[str, ...], own: RouteParams | None = None) -> Route:
        waits = ("group_by", "group_wait_seconds", "group_interval_seconds", "repeat_interval_seconds")
        values: dict[str, Any] = {name: getattr(own, name, None) for name in waits}
        values = {name: getattr(self, name) if value is None else value for name, value in values.items()}
        return Route(number=number, channels=channels, **values)


def _check_names(where: str, wanted: tuple[str, ...], names: list[str]) -> None:
    for index, name in enumerate(wanted):
        if name not in names:
            raise unknown(f"{where}[{index}]", "the name of a channel", name, names)


def shown(params: ChannelParams) -> str:
    """A channel for people: its type, its name and, masked, where it sends to.

    Examples
    --------
    >>> shown(WebhookParams(url="http://user:secret@h/hook?token=1"))
    'webhook http://h/hook'
    """
    url = getattr(params, "url", None)
    place = getattr(params, "host", "") if url is None or is_reference(url) else mask_url(url)
    kind = str(params.__struct_config__.tag)
    return " ".join(part for part in (kind, "" if params.name == kind else params.name, place) if part)


class PingParams(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where to ping, and how often.

    Attributes
    ----------
    url
        Asked by GET; http or https. Where its path is a secret, a reference.
    interval_seconds
        How often, as long as the stream goes on.
    timeout_seconds
        Longest wait for the answer.

    Raises
    ------
    ConfigError
        If the URL is not http or https.
    """

    url: str
    interval_seconds: Positive = 60.0
    timeout_seconds: Positive = 10.0

    def __post_init__(self) -> None:
        if not is_reference(self.url):
            parse_http_url(self.url)
