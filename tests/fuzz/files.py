"""Workflow files of up to 64 KiB out of the language's grammar, with hostile sizes.

A file is drawn with few choices; what makes it large are parts that are repeated.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st

from tests.fuzz.parts import Many, counts, many, written
from tests.fuzz.sound import sound_documents

__all__ = ["COMMANDS", "LARGEST", "PLUGINS", "drawn", "workflow_files"]

#: Bytes of a file.
LARGEST: Final = 64 * 1024
COMMANDS: Final = (
    ["graph"],
    ["graph", "--expand"],
    ["graph", "--format", "json"],
    ["graph", "--format", "mermaid"],
    ["graph", "--format", "dot"],
    ["graph", "--format", "json", "--expand"],
    ["apply", "--dry-run"],
    ["apply", "--dry-run", "--output", "json"],
    ["validate", "--output", "json"],
)
PLUGINS: Final = (["--no-plugins"], ["--plugin", str(Path(__file__).with_name("tasks.py"))])

SIZES: Final = (0, 1, 2, 3, 10, 100, 1_000, 9_999, 90_000, 99_999, 100_000, 100_001, 10**6, 2**63)

sizes = st.sampled_from(SIZES)
names = st.sampled_from(
    ["a", "b", "c", "item", "i", "n", "prev", "errors", "inputs", "größe", "x" * 90, "env", ""]
)
tasks = st.sampled_from(
    ["anything", "one", "power", "rows", "nothing", "nobody", "one x3", "one x100000", "one x",
     "${a}", "one x${n}", "x" * 200]
)  # fmt: skip
PATTERNS: Final = (
    "^(a+)+$", ".*.*.*.*=$", "(x{0,500}y){1,2}", "(?=a)", r"(a)\1", "(", "[[:alpha:]]+", "a{1000}",
    r"\pL*$", "((((a?){30}){30})", "(a|aa)+$", "x*" * 300,
)  # fmt: skip


plain = st.one_of(
    st.none(), st.booleans(), sizes, st.sampled_from([-1, 0.5, 1e308, 1e-320, -0.0, 3.0]),
    st.sampled_from(["", "x", "é" * 40, "🎉", "\x00", "\x1b[31m", "‮", "1", "true", "${", "$${"]),
    st.builds(lambda letter, count: Many(letter, count), st.sampled_from("axé🎉(\\"), counts),
)  # fmt: skip


@st.composite
def expressions(draw: st.DrawFn) -> str:
    """Return a text with an expression that may become large."""
    inner = draw(
        st.sampled_from(
            ["range({0})", "'x' * {0}", "[{0}] * {0}", "inputs.{1}", "{1}", "inputs", "prev.{1}",
             "{0}", "[[0] * {0}] * {0}", "keys(inputs)", "item", "env.A", "errors", "'é' * {0}"]
        )
    ).format(draw(sizes), draw(names) or "a")  # fmt: skip
    for _ in range(draw(st.integers(0, 3))):
        outer = draw(
            st.sampled_from(
                ["{0}", "str({0})", "join({0})", "join({0}, 'x')", "sorted({0})", "len({0})",
                 "sum({0})", "max({0})", "({0}) == ({0})", "({0}) in ({0})", "[{0}, {0}]",
                 "({0}) + ({0})", "({0}) * 3", "{{'a': {0}}}", "1 if {0} else 2", "not {0}",
                 "({0})[0]", "-{0}", "int({0})", "({0}) < ({0}) < ({0})", "round({0}, 2)"]
            )
        )  # fmt: skip
        inner = outer.format(inner)
    kind = draw(st.integers(0, 9))
    if kind == 0:
        return "${" + "(" * draw(counts) + inner
    if kind == 1:
        return ("<${" + inner + "}>") * min(draw(counts), 300)
    return ("<${%s}>" if kind < 4 else "${%s}") % inner


values = st.recursive(
    st.one_of(plain, expressions()),
    lambda inner: st.one_of(
        many(inner),
        st.dictionaries(names, inner, max_size=3),
        st.builds(
            lambda one, depth: _nested(one, depth), inner, st.sampled_from([2, 3, 20, 20, 40, 500])
        ),
    ),
    max_leaves=6,
)


def _nested(value: Any, depth: int) -> Any:
    for _ in range(depth):
        value = [value]
    return value


@st.composite
def schemas(draw: st.DrawFn, depth: int = 0) -> dict[str, Any]:
    """Return a definition of an input."""
    keyword = st.sampled_from(
        ["type", "pattern", "enum", "const", "items", "properties", "required", "uniqueItems",
         "additionalProperties", "minItems", "maxLength", "minimum", "multipleOf", "examples",
         "patternProperties", "$ref", "description"]
    )  # fmt: skip
    found: dict[str, Any] = {}
    for word in draw(st.lists(keyword, max_size=4)):
        found[word] = draw(_keyword_value(word, depth))
    if depth == 0 and draw(st.booleans()):
        found["default"] = draw(values)
    return found


def _keyword_value(word: str, depth: int) -> st.SearchStrategy[Any]:
    types = ["string", "integer", "number", "array", "object", "null", "boolean"]
    inner = st.just({}) if depth > 2 else schemas(depth + 1)
    return {
        "type": st.one_of(st.sampled_from(types), many(st.sampled_from(types))),
        "pattern": st.sampled_from(PATTERNS),
        "enum": many(values),
        "items": inner,
        "additionalProperties": st.one_of(inner, st.booleans()),
        "properties": st.dictionaries(names, inner, max_size=3),
        "required": many(names),
        "uniqueItems": st.just(True),
        "patternProperties": st.just({"^(a+)+$": {}}),
        "$ref": st.just("#/a"),
    }.get(word, values)


conditions = st.one_of(st.booleans(), expressions().map(lambda text: text.strip("<>")[2:-1]))
options = st.dictionaries(
    st.sampled_from(
        ["args", "kwargs", "times", "as", "id", "immutable", "queue", "priority", "countdown",
         "retry", "when", "on_error", "headers", "max_parallel", "tolerate", "time_limit", "what"]
    ),
    st.one_of(values, sizes, st.dictionaries(names, values, max_size=2)),
    max_size=3,
)  # fmt: skip
calls = st.builds(
    lambda task, args, more: {"task": task, "args": args, **more}, tasks, many(values), options
)


def _steps_in(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    keyed = [
        st.builds(lambda steps: {"chain": steps}, many(inner)),
        st.builds(lambda steps: {"group": steps}, many(inner)),
        st.builds(lambda one, two: {"chord": {"header": one, "body": two}}, many(inner), inner),
        st.builds(lambda items, do, name: {"each": items, "do": do, "as": name},
                  st.one_of(expressions(), values), inner, names),
        st.builds(lambda when, do: {"switch": [Many({"when": when, "do": do}, 50)]},
                  conditions, inner),
        st.builds(lambda kind, task, over, size: {kind: {"task": task, "over": over, "size": size}},
                  st.sampled_from(["map", "starmap", "chunks"]), tasks, values, sizes),
        st.builds(lambda steps: {"graph": steps},
                  st.dictionaries(names, st.builds(
                      lambda step, needs: {"needs": needs, "do": step}, inner, many(names)),
                      max_size=4)),
        st.builds(lambda when, task: {"task": task, "when": when}, conditions, tasks),
        st.just({"use": "file.yaml", "with": {"a": 1}}),
    ]  # fmt: skip
    return st.one_of(keyed)


steps = st.recursive(st.one_of(tasks, calls), _steps_in, max_leaves=5)


@st.composite
def documents(draw: st.DrawFn) -> dict[str, Any]:
    """Return a document whose keys are those of the language, more or less."""
    step = draw(steps.filter(lambda step: isinstance(step, dict)))
    document: dict[str, Any] = {}
    if draw(st.booleans()):
        document["inputs"] = draw(
            st.dictionaries(names, st.one_of(values, schemas()), min_size=1, max_size=4)
        )
    for key, strategy in (
        ("outputs", st.dictionaries(names, values, max_size=2)),
        ("defaults", st.dictionaries(tasks, options, max_size=2)),
        ("env", many(names)),
        ("on_error", steps),
        ("finally", steps),
        ("timeout", st.one_of(sizes, st.sampled_from(["5m", "9" * 400 + "d", "1e9h"]))),
    ):
        if draw(st.integers(0, 5)) == 0:
            document[key] = draw(strategy)
    return {**document, **step}


SOUND: Final = sound_documents()

#: What may be put into a text somewhere.
PIECES: Final = (
    "[", "{", "- ", "&a ", "*a", "!!x ", "<<: ", "\t", "\x00", "\x1b", "---\n", "? ", ": ", "|\n",
    "'", "${", "}", "\ufeff", "\u2028", "🎉", "\\ud800", "9", "#", "%YAML 1.1\n", "a: &a [*a]\n",
)  # fmt: skip


@st.composite
def workflow_files(draw: st.DrawFn) -> bytes:
    """Return the text of a file."""
    text = written(draw(st.one_of(documents(), SOUND, SOUND)), LARGEST)
    kind = draw(st.integers(0, 29))
    if kind < 2:
        place = int(len(text) * draw(st.floats(0, 1)))
        piece = draw(st.sampled_from(PIECES)) * draw(counts)
        text = text[:place] + piece + text[place + draw(st.sampled_from([0, 0, 1, 50])) :]
    elif kind == 2:
        text = _aliased(draw(st.sampled_from([3, 9, 40])), draw(counts)) + text
    return text.encode("utf-8", "surrogatepass")[:LARGEST]


def _aliased(width: int, levels: int) -> str:
    lines = ["description: &a0 x"]
    lines += [
        f"k{n}: &a{n} [{', '.join([f'*a{n - 1}'] * width)}]" for n in range(1, min(levels, 60))
    ]
    return "\n".join(lines) + "\n"


def drawn(count: int, number: int, check: Callable[[int, bytes], None]) -> None:
    """Draw so many files, the same for the same seed, and check each."""
    checked = 0

    @seed(number)
    @settings(
        max_examples=count,
        deadline=None,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(workflow_files())
    def each(text: bytes) -> None:
        nonlocal checked
        if checked < count:
            checked += 1
            check(checked, text)

    while checked < count:
        each()
