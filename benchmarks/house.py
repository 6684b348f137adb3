"""``python benchmarks/house.py [TREE]``: how large the code is, and how it hangs together.

``TREE`` is the root of another checkout, so that two commits can be compared. Lines are those that
are not blank, of every text file under ``flowrunner/``, after ``ruff format`` at 100 columns.
"""

from __future__ import annotations

import ast
import io
import re
import shutil
import subprocess
import sys
import tempfile
import tokenize
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from statistics import median
from typing import Final

#: Where the classes that represent a step are: one form of a step for each entry.
STEP_FORMS: Final = {
    "YAML nodes": ("node.py", r"Mapping$"),
    "model": ("model.py", r"TaskCall$"),
    "plan": ("plan/", r"Call$"),
    "sequence": ("plan/", r"Fork$"),
    "draft of a sequence": ("", r"_Draft$|_OpenFork$"),
    "node writer": ("", r"NodeWriter$|NodeReader$"),
    "type": ("", r"ListOf$"),
    "cost model": ("", r"_Publisher$"),
    "execution": ("", r"Activity$|NodeExecution$"),
    "section": ("", r"Section$"),
    "collapsed": ("render/", r"Stack$"),
    "tree row": ("render/", r"Row$"),
    "tree line": ("render/", r"TreeLine$"),
    "progress line": ("render/", r"ProgressLine$"),
    "flow": ("render/", r"FlowNode$"),
    "JSON document": ("", r"CallDocument$"),
}
#: The classes that represent how a call ended.
OUTCOME_FORMS: Final = {
    *("StepState", "StepError", "StepEvent", "_Note", "StepRow", "Succeeded", "Failed", "Failure"),
    *("Tally", "TaskFailure", "Kept", "Earlier"),
}
#: What the code of one step type says of itself; counted on ``graph``.
STEP_TYPE: Final = re.compile(r"\b(model|plan)\.Graph(Step)?\b|\bGraph(Step|Document)?\b|\"graph\"")


def formatted(tree: Path, folder: Path) -> Path:
    """Copy the package and format it; return the copy."""
    copy = folder / "flowrunner"
    shutil.copytree(tree / "flowrunner", copy, ignore=shutil.ignore_patterns("__pycache__"))
    ruff = Path(sys.executable).with_name("ruff")
    subprocess.run(
        [str(ruff), "format", "--quiet", "--isolated", "--line-length", "100", str(copy)],
        check=True,
    )
    return copy


def is_text(path: Path) -> bool:
    """Tell whether a file holds text."""
    try:
        path.read_text("utf-8")
    except UnicodeDecodeError:
        return False
    return True


def docstring_lines(module: ast.Module) -> set[int]:
    """Return the numbers of the lines that docstrings take."""
    found: set[int] = set()
    for node in ast.walk(module):
        if isinstance(node, (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)):
            first = node.body[0] if node.body else None
            if (
                isinstance(first, ast.Expr)
                and isinstance(first.value, ast.Constant)
                and isinstance(first.value.value, str)
            ):
                found.update(range(first.lineno, (first.end_lineno or first.lineno) + 1))
    return found


def comment_lines(text: str) -> set[int]:
    """Return the numbers of the lines that hold nothing but a comment."""
    return {
        token.start[0]
        for token in tokenize.generate_tokens(io.StringIO(text).readline)
        if token.type == tokenize.COMMENT and token.line.lstrip().startswith("#")
    }


def count(text: str, *, python: bool) -> Counter[str]:
    """Count a file's lines that are not blank by kind."""
    filled = {number for number, line in enumerate(text.splitlines(), 1) if line.strip()}
    if not python:
        return Counter(code=len(filled))
    docstrings = docstring_lines(ast.parse(text)) & filled
    comments = (comment_lines(text) & filled) - docstrings
    return Counter(
        code=len(filled) - len(docstrings) - len(comments),
        docstring=len(docstrings),
        comment=len(comments),
    )


def module_name(path: Path, package: Path) -> str:
    """Return the dotted name of a module."""
    parts = ("flowrunner", *path.relative_to(package).with_suffix("").parts)
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def imports(package: Path) -> dict[str, set[str]]:
    """Return which modules each module imports at its top, those for type checks included."""
    modules = {module_name(path, package): path for path in package.rglob("*.py")}
    found: dict[str, set[str]] = {}
    for name, path in modules.items():
        targets: set[str] = set()
        for node in top_imports(ast.parse(path.read_text("utf-8")).body):
            if isinstance(node, ast.Import):
                targets.update(alias.name for alias in node.names)
            elif node.module:
                whole = {f"{node.module}.{alias.name}" for alias in node.names}
                targets.update(whole & modules.keys())
                if whole - modules.keys():
                    targets.add(node.module)
        found[name] = (targets & modules.keys()) - {name}
    return found


def top_imports(body: list[ast.stmt]) -> Iterator[ast.Import | ast.ImportFrom]:
    """Yield the imports of a module outside its functions and classes."""
    for node in body:
        if isinstance(node, (ast.Import, ast.ImportFrom)):
            yield node
        elif isinstance(node, ast.If):
            yield from top_imports(node.body)
            yield from top_imports(node.orelse)
        elif isinstance(node, ast.Try):
            yield from top_imports(node.body)


def circles(graph: dict[str, set[str]]) -> list[list[str]]:
    """Return the groups of modules that import each other (Tarjan's components)."""
    index: dict[str, int] = {}
    low: dict[str, int] = {}
    stack: list[str] = []
    found: list[list[str]] = []

    def visit(name: str) -> None:
        index[name] = low[name] = len(index)
        stack.append(name)
        for other in graph[name]:
            if other not in index:
                visit(other)
                low[name] = min(low[name], low[other])
            elif other in stack:
                low[name] = min(low[name], index[other])
        if low[name] == index[name]:
            cut = stack.index(name)
            if len(component := stack[cut:]) > 1:
                found.append(sorted(component))
            del stack[cut:]

    sys.setrecursionlimit(10_000)
    for name in graph:
        if name not in index:
            visit(name)
    return found


def classes(package: Path) -> list[tuple[str, str]]:
    """Return every class with its file, relative to the package."""
    return [
        (path.relative_to(package).as_posix(), node.name)
        for path in sorted(package.rglob("*.py"))
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.ClassDef)
    ]


def main() -> None:
    """Print the figures of one tree."""
    tree = Path(sys.argv[1] if len(sys.argv) > 1 else Path(__file__).parents[1])
    with tempfile.TemporaryDirectory() as folder:
        package = formatted(tree, Path(folder))
        files = [path for path in sorted(package.rglob("*")) if path.is_file() and is_text(path)]
        texts = {path: path.read_text("utf-8") for path in files}
        kinds: Counter[str] = Counter()
        sizes: dict[str, int] = {}
        for path, text in texts.items():
            counted = count(text, python=path.suffix == ".py")
            kinds += counted
            sizes[path.relative_to(package).as_posix()] = counted.total()
        lengths = {path: len(text.splitlines()) for path, text in texts.items()}
        longest = max(lengths, key=lambda path: lengths[path])
        known = classes(package)
        steps = {
            form: sorted(
                {name for file, name in known if file.startswith(room) and re.match(names, name)}
            )
            for form, (room, names) in STEP_FORMS.items()
        }
        present = [form for form, names in steps.items() if names]
        outcomes = sorted({name for _, name in known} & OUTCOME_FORMS)
        touched = [
            path.relative_to(package).as_posix()
            for path, text in texts.items()
            if STEP_TYPE.search(text) and path.relative_to(package).parts[0] != "cli"  # a command
        ]
        rings = circles(imports(package))
        print(f"lines that are not blank   {kinds.total():>7,}")
        for kind in ("code", "docstring", "comment"):
            print(f"  {kind:<24} {kinds[kind]:>7,}")
        print(f"files                      {len(files):>7}")
        print(f"median file                {median(sizes.values()):>7.0f}")
        print(
            f"longest file               {lengths[longest]:>7}  {longest.relative_to(package)}"
            " (all its lines)"
        )
        print(f"forms of a step            {len(present):>7}  {', '.join(present)}")
        print(f"classes of an outcome      {len(outcomes):>7}  {', '.join(outcomes)}")
        print(f"files that know 'graph'    {len(touched):>7}  {', '.join(touched)}")
        print(f"import circles             {len(rings):>7}")
        for ring in rings:
            print(f"  {' · '.join(ring)}")


if __name__ == "__main__":
    main()
