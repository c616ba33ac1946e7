"""Whether a probe's outcome is as its target's assertions require."""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import msgspec

from aiops_nb.collect.http.assertions import Assertion, Between, Path
from aiops_nb.collect.http.body import Body, BodyError
from aiops_nb.collect.http.result import Outcome
from aiops_nb.core.quantities import exact_duration, format_duration

_SHOWN_CHARACTERS = 60
_ORDERS: Mapping[str, Callable[[Any, Any], bool]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}


def broken(assertions: Iterable[Assertion], outcome: Outcome, time_ns: int) -> tuple[tuple[Assertion, str], ...]:
    """The assertions that do not hold, each with what was found instead; none for a transfer that failed itself.

    Examples
    --------
    >>> from aiops_nb.collect.http.assertions import parse_assertions
    >>> asked = parse_assertions(["status in 200..299", "duration < 1s"])
    >>> [found for _, found in broken(asked, Outcome(duration_seconds=0.1, status_code=503), 0)]
    ['503']
    """
    if outcome.error_type is not None:
        return ()
    checked = ((assertion, _found_instead(assertion, outcome, time_ns)) for assertion in assertions)
    return tuple((assertion, found) for assertion, found in checked if found is not None)


def _found_instead(assertion: Assertion, outcome: Outcome, time_ns: int) -> str | None:
    if assertion.needs_body:
        return _of_body(assertion, outcome.body)
    value, shown = _measured(assertion, outcome, time_ns)
    return None if value is not None and _holds(assertion, value) else shown


def _measured(assertion: Assertion, outcome: Outcome, time_ns: int) -> tuple[float | None, str]:
    if assertion.subject == "duration":
        return outcome.duration_seconds, exact_duration(round(outcome.duration_seconds, 4))
    if assertion.subject == "status":
        return outcome.status_code, str(outcome.status_code)
    if outcome.certificate_expires is None:
        return None, "no certificate known"
    left_seconds = (outcome.certificate_expires - time_ns) / 1e9
    return left_seconds, format_duration(left_seconds)


def _of_body(assertion: Assertion, body: Body | None) -> str | None:
    if body is None:
        return "a body that is too long to be kept"
    try:
        if assertion.subject == "json":
            return _of_json(assertion, body)
        text = body.text()
    except BodyError as problem:
        return str(problem)
    wanted = str(assertion.operand)
    holds = {"==": text == wanted, "!=": text != wanted, "contains": wanted in text}[assertion.operator]
    return None if holds else f"a body of {len(body.content()):,} bytes"  # never its text, which may be secret


def _of_json(assertion: Assertion, body: Body) -> str | None:
    try:
        value = _at(body.parsed(), assertion.path)
    except LookupError:
        return "nothing there"
    return None if _holds(assertion, value) else _shown(value)


def _at(value: Any, path: Path) -> Any:
    for step in path:
        container: Any = dict if isinstance(step, str) else list
        if not isinstance(value, container):
            raise LookupError(step)
        value = value[step]
    return value


def _holds(assertion: Assertion, value: Any) -> bool:
    operand, name = assertion.operand, assertion.operator
    if isinstance(operand, Between):
        return _is_number(value) and operand.low <= value <= operand.high
    if name in _ORDERS:
        return _is_number(value) and _ORDERS[name](value, operand)
    if name == "contains":
        return _contains(value, operand)
    return _equal(value, operand) is (name == "==")


def _contains(value: Any, operand: object) -> bool:
    if isinstance(value, str):
        return isinstance(operand, str) and operand in value
    return isinstance(value, list) and any(_equal(item, operand) for item in value)


def _equal(value: object, operand: object) -> bool:
    # JSON's true is not its 1, though Python's is
    return isinstance(value, bool) is isinstance(operand, bool) and value == operand


def _is_number(value: object) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _shown(value: object) -> str:
    if isinstance(value, (dict, list)):
        return f"{'an object' if isinstance(value, dict) else 'a list'} of {len(value):,}"
    text = value[:_SHOWN_CHARACTERS] if isinstance(value, str) else value
    return msgspec.json.encode(text).decode()[: _SHOWN_CHARACTERS + 2]
