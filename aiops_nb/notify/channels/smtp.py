"""E-mail: text and HTML, one thread an episode."""

from __future__ import annotations

import smtplib
import ssl
from collections.abc import Mapping, Sequence
from contextlib import suppress
from datetime import datetime
from email.message import EmailMessage
from email.utils import format_datetime
from hashlib import sha256

from aiops_nb.core.errors import ConfigError
from aiops_nb.core.references import resolved_text
from aiops_nb.notify.channels.hiding import without_secrets
from aiops_nb.notify.channels.http import one_line
from aiops_nb.notify.message import DeliveryError, Message, RejectedError, rfc3339
from aiops_nb.notify.params import EmailParams
from aiops_nb.notify.templates import Texts


class EmailNotifier:
    """One message for a firing, its resolve as a reply to it; many at once become one digest.

    The `Message-ID` is made of the episode, so that mail systems which drop repeated identifiers drop a second copy.
    """

    max_single = 5
    max_batch = 1000
    min_interval_seconds = 0.0
    repeat_seconds: float | None = None
    shows_charts = True

    def __init__(self, params: EmailParams) -> None:
        self.name = params.name
        self.texts = Texts()
        self._params = params

    def send(self, messages: Sequence[Message]) -> Mapping[str, str]:
        """Hand it to the mail server; see `Notifier.send`."""
        letter = compose(messages, self._params, self.texts)
        try:
            with self._connected() as server:
                refused = server.send_message(letter, self._params.sender, list(self._params.to))
        except smtplib.SMTPResponseException as problem:
            self._failed(problem.smtp_code, problem.smtp_error)
        except smtplib.SMTPRecipientsRefused as problem:
            code, error = next(iter(problem.recipients.values()))
            self._failed(code, error)
        except smtplib.SMTPNotSupportedError as problem:
            raise RejectedError(f"{self._place}: {one_line(self._hidden(str(problem)))}") from None
        except (OSError, smtplib.SMTPException) as problem:
            reason = one_line(self._hidden(str(problem))) or type(problem).__name__
            raise DeliveryError(f"{self._place}: {reason}") from None
        if refused:
            raise RejectedError(f"{self._place}: refused {len(refused)} of {len(self._params.to)} addresses")
        return {message.fingerprint: message_id(messages[0]) for message in messages if message.kind == "firing"}

    @property
    def _place(self) -> str:
        return f"mail server {self._params.host}:{self._params.port}"

    def _failed(self, code: int, error: bytes | str) -> None:
        text = error.decode("utf-8", "replace") if isinstance(error, bytes) else error
        failure = f"{self._place}: answered {code} ({one_line(self._hidden(text))})"
        raise RejectedError(failure) if 500 <= code < 600 else DeliveryError(failure)

    def _hidden(self, text: str) -> str:
        """What the server said, without the password: it may repeat what it was sent."""
        try:
            password = resolved_text(self._params.password or "", "password")
        except ConfigError:
            return text
        user = self._params.user or ""
        login = f"\0{user}\0{password}" if password else ""
        return without_secrets(text, [one for one in (password, login) if one])

    def _connected(self) -> smtplib.SMTP:
        params = self._params
        context = ssl.create_default_context(cafile=params.ca_file)
        if params.security == "tls":
            server: smtplib.SMTP = smtplib.SMTP_SSL(
                params.host, params.port, timeout=params.timeout_seconds, context=context
            )
        else:
            server = smtplib.SMTP(params.host, params.port, timeout=params.timeout_seconds)
        try:
            if params.security == "starttls":
                server.starttls(context=context)
            if params.user is not None and params.password is not None:
                server.login(params.user, resolved_text(params.password, "password"))
        except BaseException:
            with suppress(OSError):
                server.close()
            raise
        return server

    def close(self) -> None:
        """Nothing is kept open."""


def message_id(message: Message) -> str:
    """The `Message-ID` of the firing or the resolve of an episode: the same however often it is sent."""
    return f"<{sha256(message.idempotency_key.encode()).hexdigest()[:32]}@aiops-nb.invalid>"


def compose(messages: Sequence[Message], params: EmailParams, texts: Texts) -> EmailMessage:
    """The letter; its date is that of its newest change, and the chart of a single alert is part of it."""
    letter = EmailMessage()
    letter["Subject"] = one_line(texts.title(messages))
    letter["From"] = params.sender
    letter["To"] = ", ".join(params.to)
    first = messages[0]
    newest_ns = max(one.starts_at_ns if one.ends_at_ns is None else one.ends_at_ns for one in messages)
    letter["Date"] = format_datetime(datetime.fromisoformat(rfc3339(newest_ns)))
    letter["Message-ID"] = message_id(first)
    letter["Auto-Submitted"] = "auto-generated"
    earlier = {message.external_id for message in messages}
    if len(earlier) == 1 and first.external_id:
        letter["In-Reply-To"] = letter["References"] = first.external_id
    chart = first.chart if len(messages) == 1 else b""
    chart_id = message_id(first).replace("@", ".chart@")
    letter.set_content(texts.text(messages))
    letter.add_alternative(texts.html(messages, f"cid:{chart_id[1:-1]}" if chart else ""), subtype="html")
    if chart:
        page = letter.get_payload(1)
        assert isinstance(page, EmailMessage)
        page.add_related(chart, "image", "png", cid=chart_id, filename="chart.png")
    return letter
