"""Public functions, classes and their methods are described by numpydoc: summary, parameters, results, errors, shapes.

What a method of a protocol takes and returns is described once, by the protocol.
"""

from __future__ import annotations

import ast
import builtins
import inspect
import re
import textwrap
from collections.abc import Iterator
from importlib import import_module
from typing import Any

import pytest
from numpydoc.docscrape import NumpyDocString
from numpydoc.validate import validate

from aiops_nb.core import errors, protocols

MODULES = ("aiops_nb", "aiops_nb.collect", "aiops_nb.demo", "aiops_nb.notify", "aiops_nb.report", "aiops_nb.tune")
NAMES = [
    f"{module}.{name}"
    for module in MODULES
    for name in import_module(module).__all__
    if name not in {"__version__", "KINDS"}
]
OF_PROTOCOLS = {"poll", "close", "write", "send"}
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


def methods_of(value: type) -> Iterator[str]:
    """Names of the public methods of ours that a class has, its bases' included."""
    for attribute, member in inspect.getmembers(value):
        is_method = inspect.isfunction(member) or inspect.ismethod(member)
        if not attribute.startswith("_") and is_method and member.__module__.startswith("aiops_nb."):
            yield attribute


METHODS = [  # each once, under the first class that has it
    *{
        getattr(find(name), method): f"{name}.{method}"
        for name in reversed(NAMES)
        if inspect.isclass(find(name))
        for method in methods_of(find(name))
    }.values()
]


def member_named(name: str) -> Any:
    owner, _, method = name.rpartition(".")
    return getattr(find(owner), method)


@pytest.mark.parametrize("name", METHODS)
def test_a_public_method_is_described(name: str) -> None:
    of_protocol = name.rpartition(".")[2] in OF_PROTOCOLS
    codes = CHECKED - {"PR01", "RT01"} if of_protocol else CHECKED
    assert [(code, text) for code, text in validate(name)["errors"] if code in codes] == []


@pytest.mark.parametrize("name", ["Collector.poll", "Sink.write"])
def test_a_protocol_describes_what_its_methods_take_and_return(name: str) -> None:
    doc = inspect.getdoc(getattr(getattr(protocols, name.split(".")[0]), name.split(".")[1])) or ""
    sections = NumpyDocString(doc)
    assert sections["Parameters"] and (sections["Returns"] or name == "Sink.write")


def raised_by(function: Any) -> set[type]:
    """Classes of the errors that a function raises itself, in the open."""
    tree = ast.parse(textwrap.dedent(inspect.getsource(inspect.unwrap(function))))
    names = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Raise) and isinstance(node.exc, ast.Call):
            called = node.exc.func
            while isinstance(called, ast.Attribute):  # ConfigError.at(...)
                called = called.value
            names |= {called.id} if isinstance(called, ast.Name) else set()
    known = {name: getattr(errors, name, getattr(builtins, name, None)) for name in names}
    return {value for value in known.values() if isinstance(value, type) and issubclass(value, BaseException)}


FUNCTIONS = [name for name in NAMES if inspect.isfunction(find(name))]


@pytest.mark.parametrize("name", [*FUNCTIONS, *METHODS])
def test_what_is_raised_is_described(name: str) -> None:
    function = member_named(name) if name in METHODS else find(name)
    described = " ".join(one.type or one.name for one in NumpyDocString(inspect.getdoc(function) or "")["Raises"])
    missing = [
        one.__name__
        for one in raised_by(function)
        if not any(re.search(rf"\b{base.__name__}\b", described) for base in one.__mro__)
    ]
    assert missing == []


def test_what_is_raised_is_found() -> None:
    assert raised_by(find("aiops_nb.Monitor").set_speed) == {errors.ConfigError}
