"""What every channel promises, of ours: each against a receiver on loopback."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, get_args

import pytest

from aiops_nb.notify import ChannelParams, Notifier, NotifierSpec
from aiops_nb.notify.params import (
    AlertmanagerParams,
    AppriseParams,
    BuiltInParams,
    EmailParams,
    PagerDutyParams,
    SlackParams,
    WebhookParams,
)
from aiops_nb.notify.registry import BUILT_IN, make_notifier
from aiops_nb.testing.notifiers import NotifierContract, NotifierSpecContract
from tests.ports import free_port
from tests.unit.notify.receiver import receiving


@dataclass(frozen=True)
class Receivers:
    """Where a channel sends to: a host and port of each kind."""

    http: str
    mail_port: int


def _email(port: int) -> EmailParams:
    return EmailParams(
        host="127.0.0.1", port=port, security="none", sender="a@example.org", to=("b@example.org",), timeout_seconds=5.0
    )


CHANNELS: dict[str, Callable[[Receivers], ChannelParams]] = {
    "slack webhook": lambda _: SlackParams(url="${CONTRACT_URL}/hook"),
    "slack bot": lambda to: SlackParams(token="env:CONTRACT_TOKEN", channel="C1", api_url=to.http),
    "email": lambda to: _email(to.mail_port),
    "webhook": lambda to: WebhookParams(url=to.http),
    "alertmanager": lambda to: AlertmanagerParams(url=to.http),
    "pagerduty": lambda to: PagerDutyParams(routing_key="env:CONTRACT_TOKEN", api_url=to.http),
    "apprise": lambda _: AppriseParams(urls=("env:CONTRACT_APPRISE",)),
}


@pytest.fixture(scope="module")
def receivers() -> Iterator[Receivers]:
    from aiosmtpd.controller import Controller
    from aiosmtpd.handlers import Sink

    port = free_port()
    controller = Controller(Sink(), hostname="127.0.0.1", port=port)  # type: ignore[no-untyped-call]
    controller.start()  # type: ignore[no-untyped-call]
    try:
        with receiving() as receiver:
            receiver.answers = [(202, {}, {"ok": True, "ts": "1.2", "status": "success"})]
            yield Receivers(http=receiver.url, mail_port=port)
    finally:
        controller.stop()  # type: ignore[no-untyped-call]


@pytest.fixture(autouse=True)
def apprise_threads() -> Iterator[None]:
    """Apprise keeps its threads for the life of the process."""
    yield
    apprise = sys.modules.get("apprise.apprise")
    if apprise is not None and apprise._shared_executor is not None:
        apprise._shared_executor.shutdown()
        apprise._shared_executor = None


def _made(kind: str, to: Receivers, environment: pytest.MonkeyPatch) -> Notifier:
    environment.setenv("CONTRACT_URL", to.http)
    environment.setenv("CONTRACT_TOKEN", "t" * 32)
    environment.setenv("CONTRACT_APPRISE", to.http.replace("http://", "json://"))
    return make_notifier(CHANNELS[kind](to))


class TestChannels(NotifierContract):
    @pytest.fixture(params=CHANNELS)
    def notifier(
        self, request: pytest.FixtureRequest, receivers: Receivers, monkeypatch: pytest.MonkeyPatch
    ) -> Iterator[Notifier]:
        made = _made(request.param, receivers, monkeypatch)
        yield made
        made.close()

    @pytest.fixture(params=CHANNELS)
    def unreachable(self, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Notifier:
        return _made(request.param, Receivers(http="http://127.0.0.1:1", mail_port=1), monkeypatch)


EXAMPLES: dict[str, Any] = {
    "slack": SlackParams(url="env:CONTRACT_URL"),
    "email": _email(25),
    "webhook": WebhookParams(url="http://192.0.2.1/"),
    "alertmanager": AlertmanagerParams(url="http://192.0.2.1/"),
    "pagerduty": PagerDutyParams(routing_key="env:CONTRACT_TOKEN"),
    "apprise": AppriseParams(urls=()),
}


class TestSpecs(NotifierSpecContract):
    """The table of ours."""

    @pytest.fixture(params=BUILT_IN, ids=lambda spec: spec.type)
    def spec(self, request: pytest.FixtureRequest) -> NotifierSpec:
        assert isinstance(request.param, NotifierSpec)
        return request.param

    @pytest.fixture
    def params(self, spec: NotifierSpec) -> ChannelParams:
        made: ChannelParams = EXAMPLES[spec.type]
        return made


def test_the_table_has_every_struct_that_a_configuration_can_hold() -> None:
    assert {spec.params for spec in BUILT_IN} == set(get_args(BuiltInParams))
