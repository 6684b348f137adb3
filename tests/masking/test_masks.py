"""Every form of a value is replaced, in any text, and no other text is changed."""

from __future__ import annotations

import base64
import random
import string
from time import process_time
from urllib.parse import quote

import pytest

from flowrunner.masking import Masks
from tests.written_forms import FILLER, forms, secrets


def masks(**values: str) -> Masks:
    found = Masks()
    for name, value in values.items():
        found.learn(value, f"<{name}>")
    return found


@pytest.mark.parametrize("at_a_time", [1, 1000])
def test_a_thousand_secrets_in_every_form(at_a_time: int) -> None:
    planted = secrets(1000)
    for first in range(0, len(planted), at_a_time):
        hiding = Masks()
        for value in planted[first : first + at_a_time]:
            hiding.learn(value, "<secret>")
        for value in planted[first : first + at_a_time]:
            written = dict(forms(value))
            text = FILLER + "".join(f"{name}: [{form}] " for name, form in written.items()) + FILLER
            assert all(form in text for form in written.values())
            shown = hiding.text(text)
            assert {name for name, form in written.items() if form in shown} == set(), value
            assert shown.count(FILLER) == text.count(FILLER)


def test_no_text_without_a_secret_is_changed() -> None:
    hiding = masks(**{f"s{number}": value for number, value in enumerate(secrets(1000))})
    source = random.Random(7)
    for _ in range(100):
        text = "".join(source.choices(string.printable, k=1000)) + FILLER
        assert hiding.text(text) == text
    others = secrets(100, seed=13)
    text = "\n".join(form for value in others for _, form in forms(value))
    assert hiding.text(text) == text


@pytest.mark.parametrize(
    ("values", "text", "shown"),
    [
        ({"a": "password", "b": "password-2"}, "password-2 password", "<b> <a>"),
        ({"b": "password-2", "a": "password"}, "password-2 password", "<b> <a>"),
        ({"a": "abcdef", "b": "defghi"}, "(abcdefghi)", "(<a><b>)"),
        ({"a": "abab"}, "(ababab)", "(<a>)"),
        ({"a": "NAME"}, "a NAME", "a <a>"),
        ({"a": "one-value", "b": "one-value"}, "one-value", "<a>"),
        ({"a": "abc"}, "abc", "abc"),
        ({"a": "   a   "}, "   a   ", "   a   "),
        ({"a": "hunter2!\n"}, "hunter2!", "<a>"),
        ({"a": "s3cr3t/to+k"}, "s3cr3t%2fto%2Bk s3cr3t%2Fto%2bk", "<a> <a>"),
        ({"a": "köln-1234"}, r"k\u00F6ln-1234 k\xf6ln-1234", "<a> <a>"),
        ({"a": "it's \\ mine"}, repr(["it's \\ mine", '"']), "[<q><a><q>, '\"']"),
        ({"a": "a/b/c/d/e"}, r'{"x": "a\/b\/c\/d\/e"}', '{"x": "<a>"}'),
    ],
)
def test_what_is_shown(values: dict[str, str], text: str, shown: str) -> None:
    assert masks(**values).text(text) == shown.replace("<q>", '"')


def test_short_encoded_forms_are_not_searched_for() -> None:
    hiding = masks(a="a/bc")
    assert hiding.text("a/bc a%2Fbc") == "<a> a%2Fbc"
    assert hiding.text(base64.b64encode(b"a/bc").decode()) == "<a>"  # of eight characters


@pytest.mark.parametrize("before", ["", "a", "ab", "user:", "ada@example.org:"])
@pytest.mark.parametrize("after", ["", "!", "!!", "!!!"])
def test_a_header_that_holds_a_value(before: str, after: str) -> None:
    token = "s3cr3t-tok3n-of-mine"
    header = base64.b64encode(f"{before}{token}{after}".encode()).decode()
    shown = masks(a=token).text(f"Authorization: Basic {header}")
    assert "<a>" in shown
    rest = shown.removeprefix("Authorization: Basic ").replace("<a>", "")
    assert len(rest) <= (len(before) + len(after) + 2) * 4 / 3 + 4
    assert quote(header, safe="") not in masks(a=token).text(quote(header, safe=""))


@pytest.mark.parametrize("cut", ["{}...", "{}…", "'{}...' is long"])
def test_a_value_that_was_cut_off_leaves_no_large_part(cut: str) -> None:
    token = "".join(random.Random(5).choices(string.ascii_letters, k=100))
    hiding = masks(a=token)
    assert hiding.text(cut.format(token[:60])) == cut.format("<a>")
    assert hiding.text(f"{token[:30]}...{token[-30:]} twice") == "<a>...<a> twice"
    assert hiding.text(f"{token[:7]}...") == f"{token[:7]}..."
    assert hiding.text("and so on... and on") == "and so on... and on"


def test_a_value_is_known_at_once_whatever_was_shown_before() -> None:
    hiding = masks(a="the-first-one")
    assert hiding.text("the-first-one") == "<a>"
    hiding.learn("the-second-one", "<b>")
    assert hiding.text("the-first-one the-second-one") == "<a> <b>"


def test_a_process_remembers_the_newest_values(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("flowrunner.masking.masks.MOST_VALUES", 10)
    hiding = masks(**{f"s{number}": f"value-{number:04}" for number in range(101)})
    assert len(hiding.values) <= 10
    assert hiding.text("value-0100 value-0096") == "<s100> <s96>"


@pytest.mark.parametrize("count", [1, 1000])
def test_the_time_grows_with_the_text(count: int) -> None:
    hiding = masks(**{f"s{number}": value for number, value in enumerate(secrets(count))})
    hiding.text("once, since the forms are made with the first text")
    texts = [FILLER * size for size in (250, 2_000)]
    seconds = []
    for text in texts:
        began = process_time()
        hiding.text(text)
        seconds.append(process_time() - began)
    assert seconds[1] < 8 * 4 * max(seconds[0], 0.01)
