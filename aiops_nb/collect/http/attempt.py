"""One target on its way through the pool: how it is asked, and what must be true of its reply."""

from __future__ import annotations

import logging
import threading
from collections.abc import Sequence
from typing import Any, Protocol

import msgspec

from aiops_nb.collect.http.assertion_check import broken
from aiops_nb.collect.http.assertions import Assertion
from aiops_nb.collect.http.result import MAX_DETAIL_CHARACTERS, Outcome

_LOGGER = logging.getLogger(__name__)


class Transfer(Protocol):
    """A prepared target; `run` blocks until the outcome is known."""

    def make_handle(self) -> Any:
        """What a worker keeps between transfers."""
        ...

    def run(self, handle: Any, *, may_abort: bool) -> Outcome:
        """Ask once."""
        ...

    def close(self) -> None:
        """Release what the target keeps."""
        ...


class ProbedTarget:
    """A target, and how its last probe went; used by one thread at a time.

    Parameters
    ----------
    name, method
        What its rows say.
    transfer
        Asks it.
    assertions
        What must be true of a reply.
    confirms
        Whether a failed probe is followed by another at once.
    """

    __slots__ = (
        "_broken",
        "_confirms",
        "assertions",
        "failures",
        "is_asked",
        "is_slow",
        "method",
        "name",
        "transfer",
        "turn",
    )

    def __init__(
        self,
        name: str,
        method: str,
        transfer: Transfer,
        *,
        assertions: Sequence[Assertion] = (),
        confirms: bool = False,
    ) -> None:
        self.name = name
        self.method = method
        self.transfer = transfer
        self.assertions = assertions
        self._confirms = confirms
        self.failures: tuple[str, ...] = ()
        self.turn = threading.Lock()  # held while it is asked
        self.is_asked = True  # false while it is paused, and once it was removed
        self.is_slow = False
        self._broken: tuple[Assertion, ...] = ()

    def judge(self, outcome: Outcome, time_ns: int) -> Outcome:
        """The outcome without its body, a failed one if an assertion does not hold at the end of the transfer.

        Its `error_detail` and `failures` then say which and what came instead; a log line does when it is others than
        before.
        """
        if not self.assertions:
            return outcome
        found = broken(self.assertions, outcome, time_ns)
        self.failures = tuple(f"{assertion.text}, got {instead}" for assertion, instead in found)
        before, self._broken = self._broken, tuple(assertion for assertion, _ in found)
        if self._broken and self._broken != before:
            _LOGGER.info("%s: %s", self.name, "; ".join(self.failures))
        if not found:
            return msgspec.structs.replace(outcome, body=None)
        detail = "; ".join(self.failures)[:MAX_DETAIL_CHARACTERS]
        return msgspec.structs.replace(outcome, body=None, error_type="assertion", error_detail=detail)

    def wants_another(self, judged: Outcome) -> bool:
        """Whether this outcome is to be confirmed by another probe."""
        return self._confirms and (judged.error_type is not None or self._is_server_error(judged))

    def _is_server_error(self, judged: Outcome) -> bool:
        decided = any(assertion.subject == "status" for assertion in self.assertions)
        return not decided and judged.status_code is not None and judged.status_code >= 500
