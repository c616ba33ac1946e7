"""What pyproject.toml, environment.yml, constraints.txt, the Makefile and CI promise, held against each other."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tomllib
import zipfile
from importlib.metadata import requires, version
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

from tests.browser.lab import CHROMIUM_NAMES
from tests.paths import ROOT

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
EXTRAS = PROJECT["optional-dependencies"]


def specs(lines: list[str]) -> dict[str, str]:
    """Version ranges by canonical name, without markers."""
    parsed = [Requirement(line) for line in lines]
    return {canonicalize_name(r.name): str(r.specifier) for r in parsed if r.name != PROJECT["name"]}


def pinned() -> dict[str, str]:
    lines = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    return specs([line for line in lines if line and not line.startswith("#")])


def test_conda_and_pip_install_the_same() -> None:
    environment = yaml.safe_load((ROOT / "environment.yml").read_text(encoding="utf-8"))
    listed = [line for line in environment["dependencies"] if isinstance(line, str)]
    conda = specs([line for line in listed if line != "pip"])
    assert conda.pop("python") == PROJECT["requires-python"]
    (everything,) = EXTRAS["all"]
    extras = Requirement(everything).extras
    assert extras == EXTRAS.keys() - {"all", "bench", "dev", "docs"}
    assert conda == specs(PROJECT["dependencies"] + [line for extra in extras for line in EXTRAS[extra]])


def test_every_direct_dependency_is_pinned() -> None:
    declared = specs(PROJECT["dependencies"] + [line for lines in EXTRAS.values() for line in lines])
    pins = pinned()
    assert declared.keys() <= pins.keys()
    assert all(Requirement(f"{name}{declared[name]}").specifier.contains(pins[name][2:]) for name in declared)


def hashed() -> dict[str, tuple[Requirement, list[str]]]:
    """What constraints-hashes.txt pins: the requirement and its hashes, by canonical name."""
    text = (ROOT / "constraints-hashes.txt").read_text(encoding="utf-8")
    lines = [line for line in text.replace("\\\n", " ").splitlines() if line and not line.startswith("#")]
    split = [line.split(" --hash=") for line in lines]
    found = [(Requirement(first.strip()), [one.strip() for one in rest]) for first, *rest in split]
    return {canonicalize_name(requirement.name): (requirement, hashes) for requirement, hashes in found}


def test_every_pin_of_the_lab_has_hashes_and_nothing_names_an_index() -> None:
    text = (ROOT / "constraints-hashes.txt").read_text(encoding="utf-8")
    assert "://" not in text and "--index" not in text
    pins = pinned()
    for name, (requirement, hashes) in hashed().items():
        assert hashes and all(re.fullmatch(r"sha256:[0-9a-f]{64}", one) for one in hashes), name
        assert pins.get(name, str(requirement.specifier)) == str(requirement.specifier)


def test_the_hashes_cover_all_that_the_lab_installs_here() -> None:
    """The closure of the extra `all`, walked in this environment, of which pip would install the rest unchecked."""
    waiting, seen = [(PROJECT["name"], "all")], set()
    while waiting:
        name, extra = waiting.pop()
        if (name, extra) in seen:
            continue
        seen.add((name, extra))
        for requirement in map(Requirement, requires(name) or []):
            if requirement.marker is None or requirement.marker.evaluate({"extra": extra}):
                waiting += [(canonicalize_name(requirement.name), one) for one in ("", *requirement.extras)]
    assert {name for name, _ in seen} - {PROJECT["name"]} <= hashed().keys()


def test_the_lab_is_installed_by_hash_first() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    recipe = makefile.partition("$(VENV)/.lab: ")[2]
    assert recipe.index("--require-hashes --requirement constraints-hashes.txt") < recipe.index("--editable '.[all]'")


# The first versions without a published fault that a stranger's file, page or server could use.
SAFE_SINCE = {
    "filelock": "3.20.3",
    "jinja2": "3.1.6",
    "jupyterlab": "4.4.8",
    "nbconvert": "7.17",
    "requests": "2.32.4",
}


@pytest.mark.parametrize("name", SAFE_SINCE)
def test_no_version_with_a_known_fault_is_accepted(name: str) -> None:
    declared = specs(PROJECT["dependencies"] + [line for lines in EXTRAS.values() for line in lines])
    (floor,) = Requirement(f"{name}{declared[name]}").specifier
    assert floor.operator == ">="
    assert Version(floor.version) >= Version(SAFE_SINCE[name])


def test_what_builds_the_package_is_pinned() -> None:
    build = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["build-system"]
    assert build["requires"] == [f"{name}{pinned()[name]}" for name in ("hatchling", "setuptools")]


def test_a_pin_is_a_plain_version() -> None:
    lines = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    plain = re.compile(r"[A-Za-z0-9._-]+==[A-Za-z0-9.+!]+( ; .+)?")  # no address, no path
    assert [line for line in lines if not plain.fullmatch(line)] == []


def test_the_dev_extra_needs_nothing_newer_than_stock_pip() -> None:
    # Dependency groups need pip 25.1; the pip of a new Python 3.11 environment is older.
    assert "dependency-groups" not in tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    assert "aiops-nb[all,bench,docs]" in EXTRAS["dev"]


def test_the_version_is_written_once_more_and_alike() -> None:
    import aiops_nb

    assert aiops_nb._version.__version__ == PROJECT["version"] == version("aiops-nb")


@pytest.mark.parametrize("target", ["lab", "test", "bench", "kernel", "clean"])
def test_make_knows_its_targets(target: str) -> None:
    text = (ROOT / "Makefile").read_text(encoding="utf-8")
    assert re.search(rf"^{target}:", text, re.MULTILINE)
    assert f"make {target}" in text.split("PYTHON", 1)[0]


def test_ci_calls_make_test_and_is_valid_bash() -> None:
    script = ROOT / ".ci" / "run"
    assert "exec make test" in script.read_text(encoding="utf-8")
    subprocess.run(["bash", "-n", str(script)], check=True, timeout=30)


def test_ci_brings_every_program_that_a_test_looks_for() -> None:
    texts = [path.read_text(encoding="utf-8") for path in (ROOT / "tests").rglob("*.py")]
    looked_for = {name for text in texts for name in re.findall(r"\bwhich\(\"([^\"]+)\"", text)} | {*CHROMIUM_NAMES}
    script = (ROOT / ".ci" / "run").read_text(encoding="utf-8")
    brought = {word for line in re.findall(r"^have_any (.+) \|\|", script, re.MULTILINE) for word in line.split()}
    assert {"nginx", "npm", "chromium"} <= looked_for
    assert looked_for - {"node"} <= brought, "npm depends on node"


@pytest.mark.parametrize("file", [".ci/jupyterlab-overrides.json", "aiops_nb/view/jupyterlab_defaults.json"])
def test_only_settings_that_jupyterlab_knows_are_overridden(file: str) -> None:
    jupyterlab = pytest.importorskip("jupyterlab.commands")
    overrides = json.loads((ROOT / file).read_text(encoding="utf-8"))
    schemas = Path(jupyterlab.get_app_dir()) / "schemas"
    for plugin, settings in overrides.items():
        package, _, name = plugin.rpartition(":")
        schema = json.loads((schemas / package / f"{name}.json").read_text(encoding="utf-8"))
        assert settings.keys() <= schema["properties"].keys()


@pytest.mark.slow
def test_the_wheel_holds_the_package_the_notebooks_and_the_server_extension(tmp_path: Path) -> None:
    argv = [sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", str(tmp_path)]
    subprocess.run(argv, cwd=ROOT, check=True, timeout=120, capture_output=True)
    with zipfile.ZipFile(next(tmp_path.glob("*.whl"))) as wheel:
        names = set(wheel.namelist())
    package = [path.relative_to(ROOT).as_posix() for path in (ROOT / "aiops_nb").rglob("*.*") if path.suffix != ".pyc"]
    assert set(package) <= names
    notebooks = {f"aiops_nb/report/notebooks/{path.name}" for path in (ROOT / "notebooks").glob("*.ipynb")}
    assert notebooks
    assert {name for name in names if name.endswith(".ipynb")} == notebooks
    assert "aiops_nb/py.typed" in names
    assert [name for name in names if name.endswith("jupyter_server_config.d/aiops_nb.json")]
    assert [name for name in names if name.endswith("labconfig/default_setting_overrides.d/aiops_nb.json")]


def test_an_installed_jupyterlab_reads_the_defaults() -> None:
    settings = pytest.importorskip("jupyterlab_server.settings_utils")
    defaults = json.loads((ROOT / "aiops_nb" / "view" / "jupyterlab_defaults.json").read_text(encoding="utf-8"))
    read, error = settings._get_overrides("")
    assert not error
    assert {plugin: read.get(plugin) for plugin in defaults} == defaults
