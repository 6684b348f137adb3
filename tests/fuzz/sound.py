"""Files that are right but for their sizes: what they ask for is hostile, not how they say it."""

from __future__ import annotations

from typing import Any, Final

from hypothesis import strategies as st

from tests.fuzz.parts import Many, counts, many

__all__ = ["sound_documents"]

SIZES: Final = (0, 1, 2, 3, 10, 100, 1_000, 3_000, 9_999, 30_000, 90_000, 99_999, 100_000)
sizes = st.sampled_from(SIZES)

lists = st.recursive(
    st.one_of(
        sizes.map(lambda size: f"range({size})"),
        st.just("inputs.list"),
        sizes.map(lambda size: f"[inputs.text] * {size}"),
        st.just("[item]"),
    ),
    lambda inner: st.one_of(
        st.builds("sorted({})".format, inner),
        st.builds("({}) + ({})".format, inner, inner),
        st.builds("[{}, {}]".format, inner, inner),
        st.builds("({}) * 3".format, inner),
    ),
    max_leaves=3,
)
texts = st.one_of(
    sizes.map(lambda size: f"'x' * {size}"),
    sizes.map(lambda size: f"'é' * {size}"),
    st.just("inputs.text"),
    st.builds("join({}, ',')".format, lists),
    st.builds("str({})".format, lists),
    st.builds("inputs.text + str({})".format, lists),
)
numbers = st.one_of(
    sizes.map(str),
    st.builds("len({})".format, st.one_of(lists, texts)),
    st.builds("sum(range({}))".format, sizes),
    st.builds("max({})".format, lists),
    st.just("item"),
    st.just("inputs.number"),
)
truths = st.one_of(
    st.builds("({}) == ({})".format, lists, lists),
    st.builds("({}) in ({})".format, numbers, lists),
    st.builds("({}) in ({})".format, texts, texts),
    st.builds("len({}) > {}".format, lists, sizes),
    st.sampled_from(["true", "false"]),
)
expressions = st.one_of(
    st.builds("${{{}}}".format, st.one_of(lists, texts, numbers, truths)),
    st.builds("<${{{}}}>".format, st.one_of(texts, numbers)),
    st.builds(lambda text, count: f"${{{text}}}" * min(count, 100), numbers, counts),
    st.sampled_from(["${inputs.list}", "${inputs}", "${item}", "<${inputs.text}>"]),
)
keys = st.sampled_from("abc")
values = st.recursive(
    st.one_of(expressions, sizes, st.sampled_from(["x", 0.5, None, True, "🎉", "wörter"]),
              st.builds(lambda count: Many("x", count), counts)),
    lambda inner: st.one_of(many(inner), st.dictionaries(keys, inner, max_size=2)),
    max_leaves=4,
)  # fmt: skip
calls = st.builds(
    lambda task, args, more: {"task": task, "args": args, "immutable": True, **more},
    st.just("anything"),
    many(values),
    st.one_of(
        st.just({}),
        st.builds(lambda size: {"times": size}, sizes),
        st.builds(lambda text: {"times": f"${{{text}}}"}, numbers),
        st.builds(lambda text: {"when": text}, truths),
        st.builds(lambda value: {"kwargs": {"a": value}}, values),
        st.builds(lambda size: {"retry": size, "queue": "q" * min(size, 300)}, sizes),
        st.builds(lambda value: {"headers": {"a": value}}, values),
    ),
)
short = st.one_of(st.just("anything"), sizes.map(lambda size: f"anything x{size}"))


def _steps(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.one_of(
        st.builds(lambda steps: {"chain": steps}, many(inner)),
        st.builds(lambda steps: {"group": steps}, many(inner)),
        st.builds(lambda header, body: {"chord": {"header": header, "body": body}},
                  many(inner), inner),
        st.builds(lambda items, do: {"each": f"${{{items}}}", "do": do}, lists, inner),
        st.builds(lambda items, do: {"each": items, "do": do, "tolerate": 1}, many(values), inner),
        st.builds(lambda when, do, count: {"switch": [Many({"when": when, "do": do}, count)]},
                  truths, inner, counts),
        st.builds(lambda items: {"map": {"task": "one", "over": f"${{{items}}}"}}, lists),
        st.builds(lambda items, size: {"chunks": {
            "task": "anything", "over": [Many([items], size)], "size": 1}}, values, counts),
        st.builds(lambda step, handler: {"chain": [step], "on_error": handler}, inner, inner),
        st.builds(lambda step, count: {"chain": [Many({"chain": [step]}, count)]}, inner, counts),
        st.builds(lambda one, two, three: {"graph": {
            "a": {"do": one}, "b": {"do": two, "needs": ["a"]},
            "c": {"do": three, "needs": ["a", "b"]}}}, inner, inner, inner),
    )  # fmt: skip


steps = st.recursive(st.one_of(calls, short), _steps, max_leaves=5)


items = st.sampled_from([0, 1, 1.5, "row", [0, 1], {"a": 1}])
schemas = st.sampled_from(
    [{}, {"type": ["string", "integer"]}, {"enum": ["r", 1]}, {"pattern": "^(r+)+$"},
     {"properties": {"a": {}}}]
)  # fmt: skip


@st.composite
def sound_documents(draw: st.DrawFn) -> dict[str, Any]:
    """Return a document whose inputs its expressions use."""
    step = draw(steps.filter(lambda step: isinstance(step, dict)))
    document: dict[str, Any] = {
        "inputs": {
            "list": [Many(draw(items), draw(counts))],
            "rows": {"type": "array", "items": draw(schemas),
                     "default": [Many(1, draw(counts))]},
            "text": Many(draw(st.sampled_from("xé")), draw(counts)),
            "number": draw(sizes),
        }
    }  # fmt: skip
    if draw(st.integers(0, 3)) == 0:
        document["outputs"] = {"a": draw(values)}
    if draw(st.integers(0, 3)) == 0:
        document["finally"] = draw(calls)
    # What its expressions call 'item' is there.
    return {**document, "each": f"${{{draw(lists)}}}".replace("item", "1"), "do": step}
