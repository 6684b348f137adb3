"""Control characters reach no terminal, and no JSON."""

import json

import pytest

from flowrunner.printable import json_text, printable, without_controls

C0 = [chr(code) for code in range(0x20) if chr(code) not in "\t\n"]
C1 = [chr(code) for code in range(0x7F, 0xA0)]
BIDIRECTIONAL = [chr(code) for code in (0x61C, 0x200E, 0x200F)] + [
    chr(code) for start, end in ((0x202A, 0x202F), (0x2066, 0x206A)) for code in range(start, end)
]


@pytest.mark.parametrize("control", [*C0, *C1, *BIDIRECTIONAL], ids=ascii)
def test_a_control_character_is_an_escape(control: str) -> None:
    written = control.encode("unicode_escape").decode()
    assert without_controls(f"größer{control}\n") == f"größer{written}\n"
    text = json_text({f"k{control}": [f"v{control}"]})
    assert control not in text
    assert json.loads(text) == {f"k{control}": [f"v{control}"]}


@pytest.mark.parametrize("text", ["a\tb\nc", "größer\xa0日本 \u2028", "👩\u200d👩", "\\x1b"])
def test_other_characters_stay(text: str) -> None:
    assert without_controls(text) == text
    assert json_text(text) == json.dumps(text, ensure_ascii=False)


def test_json_for_a_terminal_without_unicode_is_ascii() -> None:
    assert json_text(["ö\x9b"], indent=2, ascii_only=True) == '[\n  "\\u00f6\\u009b"\n]'


def test_what_is_not_to_be_seen_is_an_escape_on_one_line() -> None:
    assert printable("a\nb\u200d\x1b") == "a\\nb\\u200d\\x1b"
    assert printable("größer") == "größer"
