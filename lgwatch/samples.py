"""The bundled sample graphs, read and not imported: their titles and example inputs stand in their source."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path

from lgwatch.errors import TargetError
from lgwatch.events import Json


@dataclass(frozen=True, slots=True)
class Sample:
    """A module with a `graph`; `title` is the first line of its docstring, `example` its EXAMPLE (None: it has none)."""

    name: str
    path: Path
    title: str
    example: Json


def folder() -> Path:
    """Return where the samples are: in the installed package, else in the checkout beside it."""
    package = Path(__file__).parent
    inside = package / "sample_graphs"
    return inside if inside.is_dir() else package.parent / "sample_graphs"


def samples() -> list[Sample]:
    """Return all samples by name."""
    return list(_read(folder()))


def find(name: str) -> Sample:
    """Return the sample of this name. Raises TargetError."""
    known = {sample.name: sample for sample in samples()}
    wanted = name.replace("-", "_")
    if wanted in known:
        return known[wanted]
    near = get_close_matches(wanted, known, n=1)
    hint = f"did you mean {near[0]}?" if near else "these are there: " + ", ".join(known)
    raise TargetError(f"there is no sample {name!r}", hint if known else "lgwatch was installed without its samples")


def _read(where: Path) -> Iterator[Sample]:
    for path in sorted(where.glob("*.py")):
        module = ast.parse(path.read_text(encoding="utf-8"))
        values = {
            target.id: statement.value
            for statement in module.body
            if isinstance(statement, (ast.Assign, ast.AnnAssign)) and statement.value is not None
            for target in (statement.targets if isinstance(statement, ast.Assign) else [statement.target])
            if isinstance(target, ast.Name)
        }
        if "graph" not in values:
            continue
        title = (ast.get_docstring(module) or "").partition("\n")[0]
        example = ast.literal_eval(values["EXAMPLE"]) if "EXAMPLE" in values else None
        yield Sample(path.stem, path, title, example)
