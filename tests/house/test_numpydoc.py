"""Public functions and classes are described by numpydoc: summary, parameters, results, errors; arrays with shapes."""

from __future__ import annotations

import inspect
import re
from importlib import import_module
from typing import Any

import pytest
from numpydoc.docscrape import NumpyDocString
from numpydoc.validate import validate

MODULES = ("aiops_nb", "aiops_nb.collect", "aiops_nb.demo", "aiops_nb.notify", "aiops_nb.report", "aiops_nb.tune")
NAMES = [
    f"{module}.{name}"
    for module in MODULES
    for name in import_module(module).__all__
    if name not in {"__version__", "KINDS"}
]
# Types are in the signature; examples and references are given where they help.
CHECKED = {
    "GL03",  # double blank line
    "GL08",  # no docstring
    "SS01",  # no summary
    "SS03",  # summary without period
    "PR01",  # parameter not documented
    "PR02",  # unknown parameter
    "PR07",  # parameter without description
    "PR10",  # space before colon
    "RT01",  # no Returns
    "RT03",  # Returns without description
    "YD01",  # no Yields
}
ARRAY = re.compile(r"\b(?:FloatArray|BoolArray|IntArray|ndarray)\b")
SHAPE = re.compile(r"\([\w *,/+]+\)")


@pytest.mark.parametrize("name", NAMES)
def test_a_public_name_is_described(name: str) -> None:
    problems = [(code, text) for code, text in validate(name)["errors"] if code in CHECKED]
    value = find(name)
    if inspect.isclass(value):  # data has attributes, protocols have none
        listed = attributes(value)
        problems = [(code, text) for code, text in problems if code != "PR01" or not listed >= fields(value)]
    assert problems == []


def find(name: str) -> Any:
    module, _, attribute = name.rpartition(".")
    return getattr(import_module(module), attribute)


def attributes(value: type) -> set[str]:
    doc = NumpyDocString(inspect.getdoc(value) or "")
    return {name for section in ("Parameters", "Attributes") for one in doc[section] for name in one.name.split(", ")}


def fields(value: type) -> set[str]:
    """Return the arguments of the constructor, without those of a base class of its own documentation."""
    if getattr(value, "_is_protocol", False):
        return set()
    own = set(getattr(value, "__annotations__", {})) if hasattr(value, "__struct_fields__") else set()
    return own or {name for name in inspect.signature(value).parameters if name not in {"args", "kwargs"}}


@pytest.mark.parametrize("name", NAMES)
def test_an_array_has_a_shape(name: str) -> None:
    value = find(name)
    doc = NumpyDocString(inspect.getdoc(value) or "")
    described = {one.name: " ".join([one.type, *one.desc]) for one in doc["Parameters"]}
    try:
        parameters = inspect.signature(value).parameters.values()
    except ValueError:
        return
    arrays = [one.name for one in parameters if ARRAY.search(str(one.annotation))]
    assert [one for one in arrays if not SHAPE.search(described.get(one, ""))] == []
