"""What a message says: its parts as plain words, put together by Jinja templates in a sandbox."""

from __future__ import annotations

import re
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Literal
from urllib.parse import parse_qsl, urlsplit

from msgspec import Struct

from aiops_nb.core.errors import ConfigError
from aiops_nb.core.quantities import format_duration, readable, unit_name
from aiops_nb.core.types import NS_PER_SECOND
from aiops_nb.notify.answer_links import AnswerLinks
from aiops_nb.notify.message import Message
from aiops_nb.notify.words import DEFAULTS, WORDS

if TYPE_CHECKING:
    from jinja2 import Environment, Template

MAX_LISTED = 20
FIELDS = ("title", "text", "html")
CONTEXT = ("alert", "alerts", "firing_total", "resolved_total", "more", "group", "words", "image")
_SECRET_NAME = re.compile("token|secret|passw|key|sig|auth", re.IGNORECASE)
SEVERITY_RANK = {"critical": 0, "error": 1, "warning": 2, "info": 3}


class MessageParams(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What messages say.

    Attributes
    ----------
    language
        Of the default templates: en or ko.
    dashboard
        URL of the dashboard, linked in each message.
    runbooks
        URLs by alertname; `*` is linked where the alert's own rule has none.
    title, text, html
        Jinja templates in place of the default ones, or `file:PATH` of one: a line, plain text, and HTML for mail. They
        run in a sandbox. HTML is escaped.

    Raises
    ------
    ConfigError
        For an invalid template, with its line, and for a link that is not an http or https URL.

    Examples
    --------
    >>> MessageParams(title="{{ alert.rule")
    Traceback (most recent call last):
    ...
    aiops_nb.core.errors.ConfigError: title: expected a Jinja template, got line 1: unexpected end of template, ...
    """

    language: Literal["en", "ko"] = "en"
    dashboard: str | None = None
    runbooks: dict[str, str] = {}
    title: str | None = None
    text: str | None = None
    html: str | None = None

    def __post_init__(self) -> None:
        links = {f"runbooks.{name}": url for name, url in self.runbooks.items()}
        for where, url in {**links, "dashboard": self.dashboard}.items():
            _check_link(where, url)
        for field in FIELDS:
            source = getattr(self, field)
            if source is not None and not source.startswith("file:"):
                check_template(field, source)


def _check_link(where: str, url: str | None) -> None:
    """Links are shown, sent and recorded as they are, so they hold no secret."""
    parts = urlsplit(url or "")
    if url is not None and (parts.scheme not in ("http", "https") or not parts.hostname):
        raise ConfigError(f"{where}: expected an http or https URL, got another text (not shown)")
    if parts.username or parts.password or any(_SECRET_NAME.search(name) for name, _ in parse_qsl(parts.query)):
        raise ConfigError(f"{where}: expected a URL without user, password and token, got one with (not shown)")


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertView:
    """One alert as a template sees it: everything is text, empty if it is not known.

    Attributes
    ----------
    kind, state
        firing, update, repeat or resolved, and the word for it in the language.
    title, rule, target, severity, summary, outcome, note, acknowledged_by
        What, where and how bad.
    since, ended, duration
        Times in UTC.
    seen, expected, limit, phase
        The value with its unit, and the part of a latency that grew most.
    runbook, dashboard, answer, replay
        Links, and the command that replays the moment; `answer` opens the page on which the alert is answered.
    labels
        All labels.
    """

    kind: str
    state: str
    title: str
    rule: str
    target: str
    severity: str
    summary: str
    since: str
    ended: str
    duration: str
    seen: str
    expected: str
    limit: str
    phase: str
    outcome: str
    acknowledged_by: str
    note: str
    runbook: str
    dashboard: str
    answer: str
    replay: str
    labels: Mapping[str, str]


class Texts:
    """Renders messages, and digests of several, as a title, plain text and HTML.

    Parameters
    ----------
    params
        Language, links and templates.
    record
        Directory of the recording, for the command that replays the moment; None: there is none.

    Raises
    ------
    ConfigError
        For a template that cannot be read or rendered: the message names the field and the line.

    Examples
    --------
    >>> one = Message(kind="firing", fingerprint="f", episode_ns=0, labels={"alertname": "http_5xx", "target": "shop"})
    >>> Texts().title([one]), Texts().title([one, one])
    ('FIRING: http_5xx on shop', '2 firing, 0 resolved')
    >>> Texts(MessageParams(language="ko")).title([one])
    '발생: shop의 http_5xx'
    """

    def __init__(self, params: MessageParams | None = None, record: str | None = None) -> None:
        self._params = params or MessageParams()
        self._record = record
        self.links: AnswerLinks | None = None
        self._words = WORDS[self._params.language]
        sources = {field: _source(field, getattr(self._params, field)) for field in FIELDS}
        self._templates = {field: _compiled(field, source) for field, source in sources.items()}
        for field in FIELDS:
            if getattr(self._params, field) is not None:
                self._try_out(field)

    def title(self, messages: Sequence[Message]) -> str:
        """One line."""
        return " ".join(self._render("title", messages).split())

    def text(self, messages: Sequence[Message]) -> str:
        """Plain text: all facts of one message; of a digest a line each, worst first, and how many more there are."""
        return self._render("text", messages).strip()

    def html(self, messages: Sequence[Message], image: str = "") -> str:
        """HTML; `image` is the source of an inline chart."""
        return self._render("html", messages, image).strip()

    def link_lines(self, message: Message) -> dict[str, str]:
        """The links of an alert by their words."""
        view = self.view(message)
        words = self._words
        links = {words["answer"]: view.answer, words["runbook"]: view.runbook, words["dashboard"]: view.dashboard}
        return {word: url for word, url in links.items() if url}

    def view(self, message: Message) -> AlertView:
        """What a template sees of a message."""
        labels, words = message.labels, self._words
        rule = labels.get("alertname", "alert")
        target = words["several"] if labels.get("target") == "*" else labels.get("target", "")
        state = words["update"] if message.kind == "update" else words[message.kind]
        if message.state != "firing" and message.kind in ("firing", "repeat"):
            state = words[message.state]
        elif message.update:
            state = words.get(f"update_{message.update}", state)
        elif message.flapping and message.kind == "firing":
            state = words["update_flapping"]
        ended = "" if message.ends_at_ns is None else moment(message.ends_at_ns)
        seconds = max(0, (message.ends_at_ns or 0) - message.starts_at_ns) / NS_PER_SECOND
        unit = unit_name(message.feature, labels.get("metric", ""))
        values = (message.value, message.expected, message.threshold)
        seen, expected, limit = ("" if one is None or not message.feature else readable(one, unit) for one in values)
        return AlertView(
            kind=message.kind,
            state=state,
            title=words["title"].format(state=state, rule=rule, target=target),
            rule=rule,
            target=target,
            severity=words.get(f"severity_{message.severity}", message.severity),
            summary=message.summary,
            since=moment(message.starts_at_ns),
            ended=ended,
            duration=format_duration(round(seconds)) if ended else "",
            seen=seen,
            expected=expected,
            limit=limit,
            phase=words.get(f"phase_{message.phase}", message.phase),
            outcome=message.outcome,
            acknowledged_by=message.acknowledged_by,
            note=message.note,
            runbook=self._params.runbooks.get(rule, self._params.runbooks.get("*", "")),
            dashboard=self._params.dashboard or "",
            answer=self._answer_link(message),
            replay=self._replay,
            labels=labels,
        )

    def _answer_link(self, message: Message) -> str:
        has_ended = message.kind == "resolved"
        return "" if self.links is None or has_ended else self.links.link(message.fingerprint, message.at_ns)

    @property
    def _replay(self) -> str:
        return "" if self._record is None else f"aiops-nb replay {shlex.quote(self._record)}"

    def _render(self, field: str, messages: Sequence[Message], image: str = "") -> str:
        listed = worst_first(messages)[:MAX_LISTED]
        views = [self.view(message) for message in listed]
        resolved = sum(message.kind == "resolved" for message in messages)
        rendered: str = self._templates[field].render(
            alert=views[0],
            alerts=views,
            firing_total=len(messages) - resolved,
            resolved_total=resolved,
            more=len(messages) - len(listed),
            group=messages[0].group if all(one.group == messages[0].group for one in messages) else {},
            words=self._words,
            image=image,
        )
        return rendered

    def _try_out(self, field: str) -> None:
        """A name that does not exist inside of an alert is only found by rendering."""
        from jinja2 import TemplateError

        sample = Message(kind="firing", fingerprint="f", episode_ns=0, labels={"alertname": "a", "target": "b"})
        try:
            self._render(field, [sample])
            self._render(field, [sample, sample])
        except (TemplateError, ArithmeticError, TypeError, ValueError, LookupError, AttributeError) as problem:
            raise ConfigError(f"notify.messages.{field}: expected a template that renders, got {problem}") from None

    def __repr__(self) -> str:
        return f"<Texts {self._params.language}>"


def worst_first(messages: Sequence[Message]) -> list[Message]:
    """Firing before resolved, then by severity; else in order."""
    return sorted(messages, key=lambda one: (one.kind == "resolved", SEVERITY_RANK.get(one.severity, 2)))


def moment(time_ns: int) -> str:
    """UTC, to the second.

    Examples
    --------
    >>> moment(1_500_000_000)
    '1970-01-01 00:00:01 UTC'
    """
    return f"{datetime.fromtimestamp(time_ns // NS_PER_SECOND, UTC):%Y-%m-%d %H:%M:%S} UTC"


def check_template(field: str, source: str) -> None:
    r"""Refuse what is no template, and names that no message has; nothing is rendered.

    Examples
    --------
    >>> check_template("text", "{{ alerts }}\n{{ alret.rule }}")
    Traceback (most recent call last):
    ...
    aiops_nb.core.errors.ConfigError: text: expected one of alert, alerts, ..., got 'alret' in line 2
    """
    from jinja2 import TemplateSyntaxError, meta

    environment = _environment(field)
    try:
        tree = environment.parse(source)
    except TemplateSyntaxError as problem:
        message = f"line {problem.lineno}: {problem.message}"
        raise ConfigError(f"{field}: expected a Jinja template, got {message}") from None
    unknown = sorted(meta.find_undeclared_variables(tree) - {*CONTEXT, *environment.globals})
    if unknown:
        line = next((number for number, one in enumerate(source.splitlines(), 1) if unknown[0] in one), 1)
        raise ConfigError(f"{field}: expected one of {', '.join(CONTEXT)}, got {unknown[0]!r} in line {line}")


def _environment(field: str) -> Environment:
    from jinja2 import StrictUndefined
    from jinja2.sandbox import ImmutableSandboxedEnvironment

    # autoescape is off for plain text only, where escaping would show `&amp;` to people
    return ImmutableSandboxedEnvironment(
        autoescape=field == "html", undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )


def _source(field: str, given: str | None) -> str:
    if given is None:
        return DEFAULTS[field]
    if not given.startswith("file:"):
        return given
    path = Path(given.removeprefix("file:"))
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeError) as problem:
        reason = getattr(problem, "strerror", None) or problem
        raise ConfigError(f"notify.messages.{field}: {path}: expected a template, got {reason}") from None


def _compiled(field: str, source: str) -> Template:
    try:
        check_template(field, source)
    except ConfigError as problem:
        raise ConfigError(f"notify.messages.{problem}") from None
    template: Template = _environment(field).from_string(source)
    return template
