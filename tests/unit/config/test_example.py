"""The annotated example: it loads, it would run, it holds every option there is, and its defaults are the defaults.

A struct or a field that is added anywhere below `Config` makes this fail until it stands in the example.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
import pytest
import yaml
from msgspec import inspect as types

import aiops_nb
from aiops_nb.cli.commands.check import example_text
from aiops_nb.config import Config, parse_config
from aiops_nb.config.normalise import SECONDS, short_name, spelled_out
from aiops_nb.detect.registry import name_of
from aiops_nb.session.plan import plan_run

TEXT = example_text()
LINES = TEXT.splitlines()
MARK = re.compile(r"#\s*default(?::\s*(.*?)(?:\s+\(.*\))?)?$")


@dataclass(frozen=True, kw_only=True)
class Shown:
    """One option as the example shows it."""

    struct: types.StructType
    field: types.Field
    node: yaml.Node
    line: str
    number: int


def choices(kind: types.Type) -> list[types.Type]:
    """The kinds that a value may be of."""
    return list(kind.types) if isinstance(kind, types.UnionType) else [kind]


def structs_in(kind: types.Type) -> Iterator[types.StructType]:
    """The structs that a value of this kind may be or hold."""
    for choice in choices(kind):
        if isinstance(choice, types.StructType):
            yield choice
        elif isinstance(choice, (types.VarTupleType, types.ListType)):
            yield from structs_in(choice.item_type)
        elif isinstance(choice, types.DictType):
            yield from structs_in(choice.value_type)


def reachable(kind: types.Type) -> dict[type, types.StructType]:
    """Every struct below."""
    found: dict[type, types.StructType] = {}
    waiting = list(structs_in(kind))
    while waiting:
        struct = waiting.pop()
        if struct.cls not in found:
            found[struct.cls] = struct
            waiting += [below for field in struct.fields for below in structs_in(field.type)]
    return found


def shown(node: yaml.Node, kind: types.Type) -> Iterator[Shown]:
    """Every option that the example holds, by the types and the text."""
    structs = [choice for choice in choices(kind) if isinstance(choice, types.StructType)]
    if isinstance(node, yaml.MappingNode) and structs:
        keys = {key.value: one for key, one in node.value}
        tag = keys[structs[0].tag_field].value if structs[0].tag_field else None
        struct = next(one for one in structs if one.tag == tag)
        fields = {short_name(field.encode_name): field for field in struct.fields}
        for key, one in node.value:
            if key.value != struct.tag_field:
                number, field = key.start_mark.line, fields[key.value]
                yield Shown(struct=struct, field=field, node=one, line=LINES[number], number=number + 1)
                yield from shown(one, field.type)
    if isinstance(node, yaml.SequenceNode):
        lists = [one for one in choices(kind) if isinstance(one, (types.VarTupleType, types.ListType))]
        for below in node.value:
            yield from shown(below, lists[0].item_type)


ROOT = types.type_info(Config)
OPTIONS = list(shown(yaml.compose(TEXT, Loader=yaml.SafeLoader), ROOT))


def declared_in(cls: type, name: str) -> type:
    """The class that a field comes from: what detectors share is shown once."""
    return next(one for one in cls.__mro__ if name in inspect.get_annotations(one))


def default_of(field: types.Field) -> Any:
    """What a field is when it is left out."""
    made = field.default if field.default_factory is msgspec.NODEFAULT else field.default_factory()
    return msgspec.to_builtins(made)


def meant(value: Any, field: types.Field) -> Any:
    """What is written, as the field takes it."""
    return spelled_out(value, field.type, "example", field.encode_name)


def test_it_holds_every_option() -> None:
    held = {(declared_in(one.struct.cls, one.field.name), one.field.name) for one in OPTIONS}
    wanted = {
        (declared_in(struct.cls, field.name), field.name): f"{short_name(field.name)}: {field.default}"
        for struct in reachable(ROOT).values()
        for field in struct.fields
    }
    missing = [f"{cls.__name__} -> {line}" for (cls, name), line in wanted.items() if (cls, name) not in held]
    assert not missing, f"add these to aiops_nb/config/example.yaml, with a comment and a mark: {missing}"


def test_it_holds_every_type() -> None:
    held = {struct for one in OPTIONS for struct in (one.struct.cls, *_bare(one))}
    missing = [struct.cls.__name__ for struct in reachable(ROOT).values() if struct.cls not in held]
    assert not missing, f"add these to aiops_nb/config/example.yaml: {missing}"


def _bare(one: Shown) -> Iterator[type]:
    """A type that is named with no option beside it."""
    if isinstance(one.node, yaml.MappingNode) and len(one.node.value) == 1:
        yield from (struct.cls for struct in structs_in(one.field.type) if struct.tag == one.node.value[0][1].value)


@pytest.mark.parametrize("one", OPTIONS, ids=lambda one: f"{one.number}-{one.field.name}")
def test_what_is_marked_as_a_default_is_one_and_nothing_else(one: Shown) -> None:
    mark = MARK.search(one.line)
    if one.field.required:
        assert mark is None, f"line {one.number}: {one.field.name} has no default"
        return
    if mark is None:
        assert any(True for _ in structs_in(one.field.type)), f"line {one.number}: say what the default is"
        return
    default = meant(default_of(one.field), one.field)
    if mark[1] is not None:
        assert meant(yaml.safe_load(mark[1]), one.field) == default
    if mark[1] is None or not any(True for _ in structs_in(one.field.type)):
        value = meant(yaml.safe_load(yaml.serialize(one.node)), one.field)
        assert (value == default) is (mark[1] is None), f"line {one.number}: {value!r}, the default is {default!r}"


def test_it_would_run(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in re.findall(r"\$\{(\w+)", TEXT):
        monkeypatch.delenv(name, raising=False)
    plan = plan_run((), msgspec.to_builtins(parse_config(TEXT)))
    assert [*plan.probes][:2] == ["https://example.org/", "shop"] and plan.record == "recordings/today"
    assert len(plan.makers) == 9


def test_all_of_its_detectors_judge(tmp_path: Path) -> None:
    pipeline = parse_config(TEXT).pipeline
    monitor = aiops_nb.from_synthetic(60, seed=1, targets=["shop"], hosts=1, config=pipeline, record=tmp_path / "r")
    rules = [rule for rule in pipeline.feature_rules if rule.origin != "probe" and rule.metrics != ("disk_ratio",)]
    own_names = {name_of(rule.detector) for rule in rules} - {"estimator"}  # which goes by the estimator's name
    assert own_names <= set(monitor.scores().detector)
    recording = aiops_nb.open_recording(tmp_path / "r", trust=True)  # one of its rules runs an estimator
    assert aiops_nb.replay(recording).scores().equals(monitor.scores())


def test_durations_are_written_with_their_unit() -> None:
    of_time = [one for one in OPTIONS if one.field.name.endswith(SECONDS) and one.node.value != "null"]
    nodes = [one.node.value if isinstance(one.node, yaml.SequenceNode) else [one.node] for one in of_time]
    assert nodes and all(re.fullmatch(r"\d+(ms|s|m|h|d)", node.value) for several in nodes for node in several)


def test_the_check_finds_what_is_missing() -> None:
    held = {(one.struct.cls, one.field.name) for one in OPTIONS}
    assert (Config, "pipeline") in held and len(held) > 100
    with pytest.raises(StopIteration):
        declared_in(Config, "no_such_option")
