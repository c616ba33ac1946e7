"""A notebook run with parameters by papermill: its file gets its name when the last cell has passed."""

from __future__ import annotations

import ast
import sys
from collections.abc import Mapping
from difflib import get_close_matches
from pathlib import Path

from aiops_nb.collect.secrets import refuse_literal
from aiops_nb.core.errors import AiopsError, ConfigError, MissingExtraError

QUIET = ["--IPKernelApp.log_level=ERROR"]  # the kernel warns of plain text over TCP; it listens on loopback
FAILED = "_failed"


def require_papermill() -> None:
    """Fail early, with the `pip install` command.

    Raises
    ------
    MissingExtraError
        If papermill or nbconvert is not installed.
    """
    try:
        import nbconvert  # noqa: F401
        import papermill  # noqa: F401
    except ImportError:
        raise MissingExtraError("reports", "report") from None


def template(name: str) -> Path:
    """The notebook of that name: packed into the package, or in the clone next to it."""
    packed = Path(__file__).parents[1] / "notebooks" / name
    return packed if packed.exists() else Path(__file__).parents[3] / "notebooks" / name


def check_parameters(notebook: Path, parameters: Mapping[str, object]) -> None:
    """Refuse a parameter that the notebook does not have, and one that holds a secret: both would be kept in its file.

    Parameters
    ----------
    notebook
        With a cell tagged `parameters`.
    parameters
        By name.

    Raises
    ------
    ConfigError
        Naming the parameter; a secret is not shown.
    """
    known = _parameter_names(notebook)
    for name, value in parameters.items():
        if name not in known:
            near = get_close_matches(name, known, n=1)
            hint = f"; did you mean {near[0]}?" if near else ""
            expected = f"a parameter of {notebook.name} ({', '.join(known) or 'it has none'})"
            raise ConfigError(f"parameters: expected {expected}, got {name!r}{hint}")
        if isinstance(value, str):
            refuse_literal(name, value, f"parameters.{name}")


def _parameter_names(notebook: Path) -> list[str]:
    """Those of the cell tagged `parameters`; papermill's own reader refuses a notebook that names no kernel."""
    import nbformat

    cells = [
        cell.source
        for cell in nbformat.read(notebook, as_version=4).cells  # type: ignore[no-untyped-call]
        if cell.cell_type == "code" and "parameters" in cell.metadata.get("tags", ())
    ]
    statements = [statement for source in cells for statement in ast.parse(source).body]
    targets = [
        target
        for statement in statements
        for target in getattr(statement, "targets", None) or [getattr(statement, "target", None)]
    ]
    return sorted({target.id for target in targets if isinstance(target, ast.Name)})


def execute(notebook: Path, into: Path, parameters: Mapping[str, object], *, progress: bool | None = None) -> Path:
    """Run a notebook with parameters into a new file.

    Parameters
    ----------
    notebook
        What is run.
    into
        The executed copy. It has this name only if every cell passed; else `NAME_failed.ipynb` is kept, with the
        error in the cell that failed.
    parameters
        By name; the notebook's own values are the defaults.
    progress
        Whether to show a progress bar on stderr; None: if that is a terminal.

    Raises
    ------
    AiopsError
        Naming the cell, its error, and the path of the failed copy.
    ConfigError
        If a parameter is not known or holds a secret.
    """
    import papermill
    from nbclient.exceptions import DeadKernelError

    check_parameters(notebook, parameters)
    unfinished = into.with_name(f".{into.stem}.unfinished.ipynb")
    failed = into.with_name(f"{into.stem}{FAILED}.ipynb")
    try:
        papermill.execute_notebook(
            _literal(notebook),
            _literal(unfinished),
            dict(parameters),
            kernel_name="python3",
            progress_bar=sys.stderr.isatty() if progress is None else progress,
            extra_arguments=QUIET,
        )
        return unfinished.replace(into)
    except papermill.PapermillExecutionError as problem:
        kept = unfinished.replace(failed)
        said = f"{problem.ename}: {problem.evalue}"
        raise AiopsError(f"{notebook.name}, cell {problem.exec_count}: {said} (kept: {kept})") from None
    except DeadKernelError:
        kept = unfinished.replace(failed)
        raise AiopsError(f"{notebook.name}: its kernel died; is there too little memory? (kept: {kept})") from None
    finally:
        unfinished.unlink(missing_ok=True)


def _literal(path: Path) -> str:
    """A path for papermill, which fills parameters into the braces of a path."""
    return str(path.absolute()).replace("{", "{{").replace("}", "}}")
