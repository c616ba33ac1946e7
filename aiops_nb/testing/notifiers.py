"""What every notification channel promises, as tests to inherit.

A test module of a plug-in needs two classes and their fixtures::

    class TestPager(NotifierContract):
        @pytest.fixture
        def notifier(self) -> Iterator[Notifier]:
            made = Pager(...)           # of a receiver on loopback that accepts everything
            yield made
            made.close()

        @pytest.fixture
        def unreachable(self) -> Notifier:
            return Pager(...)           # of a receiver that is not there


    class TestPagerSpec(NotifierSpecContract):
        @pytest.fixture
        def spec(self) -> NotifierSpec:
            return SPEC

        @pytest.fixture
        def params(self) -> PagerParams:
            return PagerParams(...)     # references for what is secret
"""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping

import msgspec
import pytest

from aiops_nb.core.errors import ConfigError
from aiops_nb.notify.message import DeliveryError, Kind, Message, Notifier
from aiops_nb.notify.params import ChannelParams
from aiops_nb.notify.registry import NotifierSpec
from aiops_nb.testing.network import NetworkWatch

STARTED_NS = 1_780_000_000_000_000_000
LONGEST_SEND_SECONDS = 30.0
HOSTILE = (
    "<script>alert(1)</script> & <!channel> @everyone",
    "two\r\nlines\r\nBcc: somebody@example.org",
    "\x00\x1b[31m\u202e",
    "결제 서비스 \U0001f525 prüfen",
    "{{ 7 * 7 }} ${HOME} env:HOME %s {0}",
    "x" * 20_000,
    "",
)


def message(kind: Kind = "firing", number: int = 0, summary: str = "5 consecutive errors", target: str = "") -> Message:
    """One change of the alert with this number.

    Examples
    --------
    >>> message("resolved", 3).dedup_key
    'aiops_nb-contract-3-1780000000000000000'
    """
    ended_ns = STARTED_NS + 60 * 10**9 if kind == "resolved" else None
    labels = {"alertname": "request_failed", "severity": "error", "detector": "row_rule"}
    return Message(
        kind=kind,
        fingerprint=f"contract-{number}",
        episode_ns=STARTED_NS,
        labels={**labels, "target": target or f"shop-{number}"},
        summary=summary,
        starts_at_ns=STARTED_NS,
        ends_at_ns=ended_ns,
    )


def check_answer(answer: Mapping[str, str], sent: list[Message]) -> None:
    """What `send` returned names only messages that were sent."""
    assert isinstance(answer, Mapping), "expected a mapping (empty if the receiver names nothing)"
    assert set(answer) <= {one.fingerprint for one in sent}, "it names a fingerprint that was not sent"
    assert all(isinstance(one, str) for one in answer.values()), "expected what the receiver calls it, as text"


class NotifierContract:
    """Tests of one channel; a subclass has the fixtures `notifier` and `unreachable`.

    Examples
    --------
    >>> class TestPager(NotifierContract):
    ...     pass
    """

    def test_it_is_a_notifier(self, notifier: Notifier) -> None:
        """It has all the attributes, within their ranges."""
        assert isinstance(notifier, Notifier), "expected the attributes and methods of aiops_nb.notify.Notifier"
        assert notifier.name, "expected a name that is not empty"
        assert notifier.max_single >= 0 and notifier.max_batch >= 1
        assert notifier.min_interval_seconds >= 0
        assert notifier.repeat_seconds is None or notifier.repeat_seconds > 0

    def test_an_episode_is_accepted(self, notifier: Notifier) -> None:
        """A firing message, and its resolve with what the receiver called the first."""
        firing = message("firing")
        answer = notifier.send([firing])
        check_answer(answer, [firing])
        resolved = msgspec.structs.replace(message("resolved"), external_id=answer.get(firing.fingerprint, ""))
        check_answer(notifier.send([resolved]), [resolved])

    def test_updates_and_repeats_are_accepted(self, notifier: Notifier) -> None:
        """A severity that rises, and a reminder, with what the receiver called the first."""
        firing = message("firing")
        external_id = notifier.send([firing]).get(firing.fingerprint, "")
        for kind, update in (("update", "severity"), ("repeat", "")):
            one = msgspec.structs.replace(firing, kind=kind, update=update, at_ns=STARTED_NS, external_id=external_id)
            check_answer(notifier.send([one]), [one])

    def test_as_many_as_it_takes_are_accepted_at_once(self, notifier: Notifier) -> None:
        """A digest of `max_batch` messages, firing and resolved."""
        most = min(notifier.max_batch, 1000)
        many = [message("resolved" if number % 3 == 0 else "firing", number) for number in range(most)]
        check_answer(notifier.send(many), many)

    @pytest.mark.parametrize("text", HOSTILE, ids=range(len(HOSTILE)))
    def test_text_from_outside_is_sent_as_text(self, notifier: Notifier, text: str) -> None:
        """Targets and summaries hold anything: markup, line breaks, control characters, 20,000 letters."""
        one = message(summary=text, target=text)
        check_answer(notifier.send([one]), [one])
        both = [one, message(number=1)]
        check_answer(notifier.send(both), both)

    def test_a_receiver_that_is_not_there_may_come_back(self, unreachable: Notifier) -> None:
        """No connection is a `DeliveryError`, so that it is tried again; each try ends in time."""
        for _ in range(2):
            started = time.monotonic()
            with pytest.raises(DeliveryError) as raised:
                unreachable.send([message()])
            assert time.monotonic() - started < LONGEST_SEND_SECONDS
            assert str(raised.value) and "\n" not in str(raised.value), "expected one line that says what failed"
        unreachable.close()

    def test_close_twice_and_before_any_send(self, unreachable: Notifier) -> None:
        """`close` may be called twice."""
        unreachable.close()
        unreachable.close()

    def test_it_starts_no_thread(self, notifier: Notifier) -> None:
        """The dispatcher has the threads; `send` returns when the receiver answered."""
        before = set(threading.enumerate())
        notifier.send([message()])
        mine = {thread.name for thread in set(threading.enumerate()) - before if thread.name.startswith("aiops-")}
        assert not mine, f"it started {sorted(mine)}"


class NotifierSpecContract:
    """Tests of a spec; a subclass has the fixtures `spec` and `params`, an example of its parameters.

    Examples
    --------
    >>> class TestPagerSpec(NotifierSpecContract):
    ...     pass
    """

    def test_parameters_survive_a_configuration(self, spec: NotifierSpec, params: ChannelParams) -> None:
        """Written to a configuration and read again they are the same."""
        written = msgspec.to_builtins(params)
        assert written["type"] == spec.type
        assert msgspec.convert(written, spec.params) == params

    def test_it_has_a_default_name(self, spec: NotifierSpec) -> None:
        """A configuration with one such channel need not name it."""
        (name,) = (field for field in msgspec.structs.fields(spec.params) if field.name == "name")
        assert isinstance(name.default, str) and name.default

    def test_making_one_sends_nothing(self, spec: NotifierSpec, params: ChannelParams) -> None:
        """A configuration is checked without touching the network."""
        with NetworkWatch() as events:
            made = spec.make(params)
            made.close()
        assert not events, f"making it caused {sorted(set(events))}"
        assert made.name == params.name

    def test_a_literal_secret_is_refused_and_not_shown(self, spec: NotifierSpec, params: ChannelParams) -> None:
        """What is in `SECRETS` is a reference."""
        for field in spec.params.SECRETS:
            assert field in spec.params.__struct_fields__, f"SECRETS names {field}, which is no field"
            with pytest.raises(ConfigError) as raised:
                msgspec.structs.replace(params, **{field: "s3cret-of-the-contract"})
            assert "s3cret-of-the-contract" not in str(raised.value)
