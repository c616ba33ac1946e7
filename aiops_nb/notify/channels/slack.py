"""Slack: an incoming webhook, or a bot whose message is edited as the episode changes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any

from aiops_nb.core.references import resolved_text
from aiops_nb.notify.channels.hiding import without_secrets
from aiops_nb.notify.channels.http import Poster, one_line
from aiops_nb.notify.message import DeliveryError, Message, RejectedError
from aiops_nb.notify.params import SlackParams
from aiops_nb.notify.templates import Texts, worst_first

# A word accompanies each colour: the title begins with FIRING or RESOLVED.
COLOURS = {"critical": "#a30200", "error": "#d00000", "warning": "#d9a300", "info": "#3574b8"}
RESOLVED = "#2e8540"
OF_SEVERAL = "several:"  # before the `ts` of a message that is about several alerts, and is never edited
JSON_UTF8 = {"Content-Type": "application/json; charset=utf-8"}
MAX_TEXT_CHARACTERS = 2900  # a section block takes 3,000
_PASSING = ("ratelimited", "rate_limited", "internal_error", "fatal_error", "service_unavailable", "request_timeout")


class SlackNotifier:
    """With a token: one message an episode, edited when it resolves, with the resolve in its thread.

    Slack has no key that makes a second copy harmless: after a crash between its answer and our record a firing message
    may come twice. The `ts` of the message is kept in the notification log, so edits go on over a restart.
    """

    max_single = 5
    max_batch = 1000
    min_interval_seconds = 1.0  # Slack: one message a second and channel
    repeat_seconds: float | None = None

    def __init__(self, params: SlackParams) -> None:
        self.name = params.name
        self.texts = Texts()
        self.shows_answers = self.shows_charts = params.shows_answers
        self._params = params
        self._poster = Poster(params.timeout_seconds)

    def send(self, messages: Sequence[Message]) -> Mapping[str, str]:
        """Post, or edit; see `Notifier.send`."""
        if self._params.url is not None:
            url = resolved_text(self._params.url, "url")
            self._poster.post(url, attachment(messages, self.texts), shown="Slack webhook")
            return {}
        known = {message.external_id for message in messages}
        if len(known) == 1 and (external_id := known.pop()):
            return self._follow_up(messages, external_id)
        answer = self._call("chat.postMessage", attachment(messages, self.texts))
        ts = str(answer.get("ts", ""))
        if len(messages) == 1:
            self._upload(messages[0], ts)
        external_id = ts if len(messages) == 1 else f"{OF_SEVERAL}{ts}"
        return {message.fingerprint: external_id for message in messages if message.kind == "firing"}

    def _follow_up(self, messages: Sequence[Message], external_id: str) -> Mapping[str, str]:
        """What comes after a message: it is edited if it is about one alert; of several the thread has the news."""
        if len(messages) == 1 and not external_id.startswith(OF_SEVERAL):
            return self._edit(messages[0])
        ts = external_id.removeprefix(OF_SEVERAL)
        content = attachment(messages, self.texts)
        self._call("chat.postMessage", {**content, "thread_ts": ts, "reply_broadcast": True})
        return {}

    def _edit(self, message: Message) -> Mapping[str, str]:
        """The first message shows the newest state; its thread keeps what came."""
        content = attachment([message], self.texts)
        with suppress(RejectedError):  # the message was deleted, or is too old to edit: the thread has the news
            self._call("chat.update", {**content, "ts": message.external_id})
        reply = {**content, "thread_ts": message.external_id}
        if (
            message.kind == "repeat" or message.update == "severity"
        ):  # to be seen in the channel, not only in the thread
            reply["reply_broadcast"] = True
        self._call("chat.postMessage", reply)
        return {}

    def _upload(self, message: Message, ts: str) -> None:
        """The chart, in the thread of its message; without the scope `files:write` there is none."""
        if not message.chart or not ts:
            return
        with suppress(RejectedError, DeliveryError):  # the message itself has arrived: it must not be sent again
            asked = {"filename": "chart.png", "length": len(message.chart)}
            place = self._call("files.getUploadURLExternal", asked, form=True)
            self._poster.upload(str(place["upload_url"]), message.chart, shown="Slack upload")
            files = [{"id": str(place["file_id"]), "title": self.texts.title([message])}]
            target = {"channel_id": self._params.channel, "thread_ts": ts}
            self._call("files.completeUploadExternal", {"files": files, **target})

    def _call(self, method: str, payload: dict[str, Any], form: bool = False) -> dict[str, Any]:
        token = resolved_text(self._params.token or "", "token")
        answer = self._poster.post(
            f"{self._params.api_url.rstrip('/')}/{method}",
            payload if form else {"channel": self._params.channel, **payload},
            {"Authorization": f"Bearer {token}", **({} if form else JSON_UTF8)},
            shown=f"Slack {method}",
            form=form,
        )
        if not isinstance(answer, dict) or not answer.get("ok"):
            said = str(answer.get("error", answer) if isinstance(answer, dict) else answer)
            error = one_line(without_secrets(said, [token]))
            failure = f"Slack {method}: {error}"
            raise DeliveryError(failure) if error in _PASSING else RejectedError(failure)
        return answer

    def close(self) -> None:
        """Close the connection."""
        self._poster.close()


def attachment(messages: Sequence[Message], texts: Texts) -> dict[str, Any]:
    """The message: a fallback text, and one attachment with a colour and blocks.

    Examples
    --------
    >>> one = Message(kind="firing", fingerprint="f", episode_ns=0, labels={"target": "<shop>"}, summary="a & b")
    >>> made = attachment([one], Texts())
    >>> made["attachments"][0]["blocks"][0]["text"]["text"].splitlines()[:2]
    ['*FIRING: alert on &lt;shop&gt;*', 'a &amp; b']
    """
    worst = worst_first(messages)
    colour = COLOURS.get(worst[0].severity, COLOURS["warning"]) if worst[0].kind != "resolved" else RESOLVED
    title = escaped(texts.title(messages))
    text = f"*{title}*\n{escaped(texts.text(messages))}"[:MAX_TEXT_CHARACTERS]
    block = {"type": "section", "text": {"type": "mrkdwn", "text": text}}
    return {"text": title, "attachments": [{"color": colour, "blocks": [block]}]}


def escaped(text: str) -> str:
    """Text from outside as text: Slack reads `&`, `<` and `>` as markup, which could mention a whole channel."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
