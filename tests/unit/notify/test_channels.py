"""Each channel against a real receiver: an HTTP server, a mail server with TLS, Debian's Alertmanager."""

from __future__ import annotations

import email
import json
import os
import shutil
import ssl
import subprocess
import threading
import time
import urllib.request
from collections.abc import Iterator
from email import policy
from pathlib import Path
from typing import Any

import pytest
import trustme
from msgspec.structs import replace

from aiops_nb.core.errors import ConfigError
from aiops_nb.notify.channels.pagerduty import event
from aiops_nb.notify.channels.smtp import compose, message_id
from aiops_nb.notify.channels.webhook import payload
from aiops_nb.notify.message import DeliveryError, Message, RejectedError, message_of
from aiops_nb.notify.params import (
    AlertmanagerParams,
    AppriseParams,
    EmailParams,
    PagerDutyParams,
    SlackParams,
    WebhookParams,
    shown,
)
from aiops_nb.notify.registry import make_notifier
from aiops_nb.notify.templates import MessageParams, Texts
from tests.ports import free_port
from tests.unit.notify.receiver import Receiver, change, receiving

SECRET = "planted-5ecret"
ALERTMANAGER = shutil.which("prometheus-alertmanager")


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as one:
        yield one


@pytest.fixture(autouse=True)
def secret(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PLANTED", SECRET)


def message(state: str = "firing", **fields: Any) -> Message:
    made = message_of(change(state, **fields))
    assert made is not None
    return made


def test_slack_blocks_are_valid_and_text_from_outside_is_text(
    receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    from slack_sdk.models.attachments import BlockAttachment
    from slack_sdk.models.blocks import Block

    monkeypatch.setenv("HOOK", f"{receiver.url}/services/{SECRET}")
    slack = make_notifier(SlackParams(url="env:HOOK"))
    slack.send([message(labels={"target": "<!channel> & co"})])
    slack.send([message(fingerprint=str(number)) for number in range(50)])
    slack.close()
    one, digest = receiver.accepted
    assert one.path == f"/services/{SECRET}"
    for sent in (one.body, digest.body):
        (attachment,) = sent["attachments"]
        blocks = Block.parse_all(attachment["blocks"])
        BlockAttachment(blocks=blocks, color=attachment["color"]).to_dict()  # raises where Slack would refuse
        assert len(attachment["blocks"][0]["text"]["text"]) <= 3000
    text = one.body["attachments"][0]["blocks"][0]["text"]["text"]
    assert "<!channel>" not in json.dumps(one.body)
    assert "FIRING: http_5xx on &lt;!channel&gt; &amp; co" in text
    assert "3 consecutive 5xx responses (502, 500, 502)" in text
    assert digest.body["text"] == "50 firing, 0 resolved"
    assert "and 30 more" in digest.body["attachments"][0]["blocks"][0]["text"]["text"]


def test_a_slack_bot_edits_its_message_and_resolves_in_its_thread(receiver: Receiver) -> None:
    slack = make_notifier(SlackParams(token="env:PLANTED", channel="C1", api_url=f"{receiver.url}/api"))
    receiver.answers = [(200, {}, {"ok": True, "ts": "171.5"})]
    assert slack.send([message()]) == {"f": "171.5"}
    ended = message("resolved", time_ns=61 * 10**9)
    slack.send(
        [Message(**{**{name: getattr(ended, name) for name in ended.__struct_fields__}, "external_id": "171.5"})]
    )
    slack.close()
    assert [one.path for one in receiver.accepted] == [
        "/api/chat.postMessage",
        "/api/chat.update",
        "/api/chat.postMessage",
    ]
    first, edited, reply = (one.body for one in receiver.accepted)
    assert (edited["ts"], reply["thread_ts"], first.get("thread_ts")) == ("171.5", "171.5", None)
    assert "RESOLVED" in edited["text"] and "after 60 s" in json.dumps(edited)
    assert all(one.headers["Authorization"] == f"Bearer {SECRET}" for one in receiver.accepted)


@pytest.mark.parametrize(
    ("answer", "kind"),
    [("ratelimited", DeliveryError), ("internal_error", DeliveryError), ("invalid_auth", RejectedError)],
)
def test_what_slack_refuses_with_200(receiver: Receiver, answer: str, kind: type[Exception]) -> None:
    receiver.answers = [(200, {}, {"ok": False, "error": answer})]
    slack = make_notifier(SlackParams(token="env:PLANTED", channel="C1", api_url=receiver.url))
    with pytest.raises(kind, match=answer) as failed:
        slack.send([message()])
    slack.close()
    assert SECRET not in str(failed.value)


def test_the_webhook_is_that_of_alertmanager(receiver: Receiver) -> None:
    hook = make_notifier(WebhookParams(url=f"{receiver.url}/x?token=${{PLANTED}}", headers={"X-Token": "env:PLANTED"}))
    hook.send([message(), message("resolved", fingerprint="g", time_ns=2 * 10**9)])
    hook.close()
    (one,) = receiver.accepted
    assert (one.body["version"], one.body["status"], len(one.body["alerts"])) == ("4", "firing", 2)
    firing, resolved = one.body["alerts"]
    assert (firing["endsAt"], resolved["endsAt"]) == ("0001-01-01T00:00:00Z", "1970-01-01T00:00:02.000Z")
    assert one.body["commonLabels"]["alertname"] == "http_5xx"
    assert one.headers["X-Token"] == SECRET and one.path.endswith(SECRET)


def test_redirects_are_not_followed(receiver: Receiver) -> None:
    receiver.answers = [(302, {"Location": "http://127.0.0.1:9/"}, {})]
    hook = make_notifier(WebhookParams(url=f"{receiver.url}/x?token=${{PLANTED}}"))
    with pytest.raises(RejectedError, match="answered 302") as failed:
        hook.send([message()])
    hook.close()
    assert SECRET not in str(failed.value)


class Mailbox:
    """What aiosmtpd hands over."""

    def __init__(self) -> None:
        self.letters: list[Any] = []

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
        self.letters.append(email.message_from_bytes(envelope.content, policy=policy.default))
        return "250 OK"


@pytest.mark.parametrize("security", ["starttls", "tls"])
def test_mail_over_tls_with_login_is_one_thread(security: str, tmp_path: Path) -> None:
    from aiosmtpd.controller import Controller
    from aiosmtpd.smtp import AuthResult

    authority, mailbox, logins = trustme.CA(), Mailbox(), []
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    ca_file = tmp_path / "ca.pem"
    authority.cert_pem.write_to_path(str(ca_file))

    def login(server: Any, session: Any, envelope: Any, mechanism: str, data: Any) -> AuthResult:
        logins.append((data.login, data.password))
        return AuthResult(success=data.password == SECRET.encode(), handled=False)

    port = free_port()
    options: dict[str, Any] = {"authenticator": login, "auth_required": True, "hostname": "127.0.0.1", "port": port}
    if security == "tls":
        controller = Controller(mailbox, ssl_context=context, auth_require_tls=False, **options)
    else:
        controller = Controller(mailbox, tls_context=context, require_starttls=True, **options)
    controller.start()
    try:
        params = EmailParams(
            host="127.0.0.1", port=port, security=security, sender="aiops@example.org", to=("on-call@example.org",),
            user="robot", password="env:PLANTED", ca_file=str(ca_file), timeout_seconds=5.0,
        )  # fmt: skip
        mail = make_notifier(params)
        (external_id,) = mail.send([message(labels={"target": "<b>shop</b>\r\nBcc: x@example.org"})]).values()
        ended = message("resolved", time_ns=9 * 10**9)
        mail.send([Message(**{**{n: getattr(ended, n) for n in ended.__struct_fields__}, "external_id": external_id})])
        with pytest.raises((DeliveryError, RejectedError)) as failed:
            other = {name: getattr(params, name) for name in params.__struct_fields__} | {"password": "env:HOME"}
            make_notifier(EmailParams(**other)).send([message()])
        mail.close()
    finally:
        controller.stop()
    first, second = mailbox.letters
    assert logins[0] == (b"robot", SECRET.encode())
    assert first["Subject"] == "FIRING: http_5xx on <b>shop</b> Bcc: x@example.org" and first["Bcc"] is None
    assert second["In-Reply-To"] == first["Message-ID"] == external_id
    assert first["Message-ID"] != second["Message-ID"]
    html = first.get_body(("html",)).get_content()
    assert "&lt;b&gt;shop" in html and "<b>shop" not in html
    assert "3 consecutive 5xx responses" in first.get_body(("plain",)).get_content()
    assert "535" in str(failed.value) and SECRET not in str(failed.value)


def test_a_certificate_of_another_authority_is_refused(tmp_path: Path) -> None:
    from aiosmtpd.controller import Controller

    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    trustme.CA().issue_cert("127.0.0.1").configure_cert(context)
    trustme.CA().cert_pem.write_to_path(str(tmp_path / "other.pem"))
    port = free_port()
    mailbox = Mailbox()
    controller = Controller(mailbox, hostname="127.0.0.1", port=port, tls_context=context)
    controller.start()
    try:
        options = {"host": "127.0.0.1", "port": port, "sender": "a@example.org", "to": ("b@example.org",)}
        mail = make_notifier(EmailParams(**options, ca_file=str(tmp_path / "other.pem"), timeout_seconds=5.0))  # type: ignore[arg-type]
        with pytest.raises(DeliveryError, match="certificate verify failed"):
            mail.send([message()])
    finally:
        controller.stop()
    assert mailbox.letters == []


def test_apprise_delivers(receiver: Receiver, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("APPRISE", receiver.url.replace("http://", "json://") + f"/{SECRET}")
    from apprise import apprise

    service = make_notifier(AppriseParams(urls=("env:APPRISE",)))
    try:
        service.send([message()])
    finally:
        service.close()
        apprise.get_shared_executor().shutdown()  # Apprise keeps it for the life of the process
        apprise._shared_executor = None
    (one,) = receiver.accepted
    assert (one.body["title"], one.body["type"]) == ("FIRING: http_5xx on shop", "failure")
    assert "3 consecutive 5xx" in one.body["message"]


@pytest.fixture
def alertmanager(tmp_path: Path) -> Iterator[str]:
    if ALERTMANAGER is None:
        pytest.skip("NOT TESTED: Alertmanager, which is not installed")
    config = tmp_path / "alertmanager.yml"
    config.write_text("route: {receiver: none}\nreceivers: [{name: none}]\n")
    port = free_port()
    listen = [f"--web.listen-address=127.0.0.1:{port}", "--cluster.listen-address="]
    with (tmp_path / "log").open("w") as log:
        process = subprocess.Popen(
            [ALERTMANAGER, f"--config.file={config}", f"--storage.path={tmp_path / 'data'}", *listen],
            stdout=log,
            stderr=subprocess.STDOUT,
        )
        try:
            _wait_until_ready(f"http://127.0.0.1:{port}/-/ready", process)
            yield f"http://127.0.0.1:{port}"
        finally:
            process.terminate()
            process.wait(20)


def _wait_until_ready(url: str, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline and process.poll() is None:
        try:
            with urllib.request.urlopen(url, timeout=1):
                return
        except OSError:
            threading.Event().wait(0.05)  # a server that starts gives no event
    pytest.fail("Alertmanager did not become ready")


def _alerts(url: str, active: bool) -> list[dict[str, Any]]:
    with urllib.request.urlopen(f"{url}/api/v2/alerts?active={str(active).lower()}", timeout=5) as answer:
        found: list[dict[str, Any]] = json.load(answer)
    return found


def test_a_real_alertmanager_takes_firing_and_resolve(alertmanager: str) -> None:
    pusher = make_notifier(AlertmanagerParams(url=alertmanager))
    now_ns = time.time_ns()
    firing = message(pending_at_ns=now_ns, labels={"target": "https://shop.example.org/cart?x"})
    pusher.send([firing])
    pusher.send([firing])  # sent again while it fires: still one alert
    (one,) = _alerts(alertmanager, active=True)
    assert one["labels"]["alertname"] == "http_5xx"
    assert one["labels"]["target"] == "https://shop.example.org/cart?x"
    assert one["annotations"]["summary"] == firing.summary
    ended = {name: getattr(firing, name) for name in firing.__struct_fields__}
    pusher.send([Message(**{**ended, "kind": "resolved", "ends_at_ns": now_ns + 10**6})])
    pusher.close()
    assert _alerts(alertmanager, active=True) == []


@pytest.mark.parametrize(
    ("make", "error"),
    [
        (lambda: SlackParams(url="https://hooks.example.org/T0/B0/x"), "url: expected a reference"),
        (lambda: SlackParams(token="xoxb-1", channel="C1"), "token: expected a reference"),
        (lambda: SlackParams(), "url: expected either url"),
        (lambda: SlackParams(token="env:T"), "channel: expected a channel ID"),
        (lambda: PagerDutyParams(routing_key="abc"), "routing_key: expected a reference"),
        (lambda: AppriseParams(urls=("tgram://token/chat",)), r"urls\[0\]: expected a reference"),
        (lambda: EmailParams(host="h", sender="a@b", to=()), "to: expected one address"),
        (lambda: EmailParams(host="h", sender="a", to=("b@c",)), "sender: expected an address"),
        (lambda: EmailParams(host="h", sender="a@b", to=("b@c\r\nBcc: d@e",)), "to: expected an address"),
        (
            lambda: EmailParams(host="h", sender="a@b", to=("b@c",), security="none", user="u", password="env:P"),
            "security: expected starttls or tls",
        ),
    ],
)
def test_literal_secrets_and_nonsense_are_refused(make: Any, error: str) -> None:
    with pytest.raises(ConfigError, match=error) as refused:
        make()
    assert "xoxb" not in str(refused.value) and "tgram" not in str(refused.value) and "T0/B0" not in str(refused.value)


def test_an_unreadable_reference_is_said_by_its_name() -> None:
    pager = make_notifier(PagerDutyParams(routing_key="env:NOT_SET_ANYWHERE"))
    with pytest.raises(ConfigError, match="routing_key: expected an environment variable that is set"):
        pager.send([message()])
    pager.close()
    assert os.environ.get("NOT_SET_ANYWHERE") is None


def test_a_channel_is_shown_without_its_secrets() -> None:
    assert shown(WebhookParams(url="https://u:p@h/x?t=1", name="ops")) == "webhook ops https://h/x"
    assert shown(SlackParams(url="env:HOOK")) == "slack"


def update(what: str, **fields: Any) -> Message:
    return replace(message(**fields), kind="update", update=what, at_ns=7, acknowledged_by="anna", note="on it")


def test_an_update_edits_the_message_of_a_slack_bot_and_adds_to_its_thread(receiver: Receiver) -> None:
    slack = make_notifier(SlackParams(token="env:PLANTED", channel="C1", api_url=receiver.url))
    receiver.answers = [(200, {}, {"ok": True, "ts": "171.5"})]
    rise = update("severity", labels={"severity": "critical"})
    assert slack.send([replace(rise, external_id="171.5")]) == {}
    slack.close()
    edited, reply = receiver.accepted
    assert (edited.path, reply.path) == ("/chat.update", "/chat.postMessage")
    assert edited.body["text"].startswith("SEVERITY CHANGED: ") and reply.body["thread_ts"] == "171.5"
    assert edited.body["attachments"][0]["color"] == "#a30200" and reply.body["reply_broadcast"] is True


def test_an_update_is_a_reply_in_mail() -> None:
    params = EmailParams(host="127.0.0.1", sender="a@example.org", to=("b@example.org",))
    first = message()
    letter = compose([replace(update("flapping"), external_id=message_id(first))], params, Texts())
    assert letter["In-Reply-To"] == message_id(first) != letter["Message-ID"]
    assert letter["Subject"] == "FLAPPING: http_5xx on shop"


def test_an_acknowledged_alert_is_acknowledged_at_pagerduty_and_fires_in_a_webhook() -> None:
    acknowledged = update("acknowledged")
    assert event(acknowledged, Texts())["event_action"] == "acknowledge"
    assert event(update("severity"), Texts())["event_action"] == "trigger"
    sent = payload([acknowledged], "hook")
    assert sent["status"] == sent["alerts"][0]["status"] == "firing"
    annotations = sent["alerts"][0]["annotations"]
    assert (annotations["update"], annotations["acknowledged_by"], annotations["note"]) == (
        "acknowledged",
        "anna",
        "on it",
    )


def test_pagerduty_links_runbook_and_dashboard() -> None:
    texts = Texts(MessageParams(dashboard="https://lab.example.org/", runbooks={"*": "https://wiki.example.org/"}))
    links = event(message(), texts)["links"]
    assert [one["href"] for one in links] == ["https://wiki.example.org/", "https://lab.example.org/"]
    assert links[0]["text"] == "Runbook"


def test_a_webhook_names_the_group() -> None:
    grouped = [replace(message(fingerprint=one), group={"target": "shop"}) for one in "ab"]
    sent = payload(grouped, "hook")
    assert sent["groupLabels"] == {"target": "shop"} and sent["groupKey"] == '{}:{target="shop"}'
    assert payload([grouped[0], message()], "hook")["groupLabels"] == {}


def test_a_slack_message_about_several_alerts_is_never_edited(receiver: Receiver) -> None:
    slack = make_notifier(SlackParams(token="env:PLANTED", channel="C1", api_url=receiver.url))
    receiver.answers = [(200, {}, {"ok": True, "ts": "171.5"})]
    both = [message(fingerprint=one) for one in "ab"]
    ids = slack.send(both)
    assert set(ids) == {"a", "b"} and len(set(ids.values())) == 1
    ended = [replace(message("resolved", fingerprint=one, time_ns=9 * 10**9), external_id=ids[one]) for one in "ab"]
    slack.send(ended[:1])
    slack.send(ended)
    slack.close()
    posted, first, second = receiver.accepted
    assert {one.path for one in receiver.accepted} == {"/chat.postMessage"}
    assert "thread_ts" not in posted.body
    for one in (first, second):  # b still fires: the message that says so stays as it is
        assert one.body["thread_ts"] == "171.5" and one.body["reply_broadcast"] is True


def test_mail_about_several_alerts_is_one_thread() -> None:
    params = EmailParams(host="127.0.0.1", sender="a@example.org", to=("b@example.org",))
    both = [message(fingerprint=one) for one in "ab"]
    first = compose(both, params, Texts())
    ended = replace(message("resolved", fingerprint="b"), external_id=message_id(both[0]))
    assert compose([ended], params, Texts())["In-Reply-To"] == first["Message-ID"]
