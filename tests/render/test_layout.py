"""Texts on narrow terminals: labels are cut, and nothing is broken but between words."""

import pytest

from flowrunner.render.layout import cut, cut_start, display_width, hanging, with_state, wrapped

LONG = "workflows/nightly-reports/of-all-customers.yaml"


@pytest.mark.parametrize(
    ("text", "width", "shown"),
    [
        ("power(2)", 8, "power(2)"),
        ("power(20)", 8, "power(2…"),
        ("power of two", 7, "power…"),
        ("größe", 4, "grö…"),
        ("日本語の", 8, "日本語の"),
        ("日本語のテ", 8, "日本語…"),
    ],
)
def test_a_text_is_cut_to_columns(text: str, width: int, shown: str) -> None:
    assert cut(text, width) == shown
    assert display_width(shown) <= width


def test_a_path_keeps_its_end() -> None:
    assert cut_start("chord.header[0].each[12]", 10) == "….each[12]"


def test_the_label_is_cut_before_the_state() -> None:
    assert with_state("├─ fetch_orders(a)", "0/3 done, 3 failed", 30) == (
        "├─ fetch_or…   0/3 done, 3 failed"
    )
    assert with_state("├─ fetch", "done", 80) == "├─ fetch   done"
    assert with_state("├─ fetch_orders", "", 8) == "├─ fetch_or…"
    assert with_state("├─ fetch_orders(a)", "done", None) == "├─ fetch_orders(a)   done"


@pytest.mark.parametrize("width", range(10, 100, 7))
def test_words_paths_commands_options_and_quotes_stay_whole(width: int) -> None:
    parts = ["see", f"{LONG},", "'the app' is away", "(flowrunner tasks)", "--broker redis://x/0"]
    parts += ["flowrunner resume 0123abcd --as-changed", "or", "--plugin plugins,"]
    lines = wrapped(" ".join(parts), width)
    assert " ".join(lines) == " ".join(parts)
    for part in (LONG, "'the app'", *parts[3:]):
        assert any(part in line for line in lines), part
    longest = max(len(part) for part in (*parts, "flowrunner resume 0123abcd --as-changed"))
    assert all(len(line) <= max(width, longest) for line in lines)


def test_a_line_that_is_a_command_is_never_broken() -> None:
    command = "  flowrunner worker --broker redis://localhost/0 --backend redis://localhost/1"
    text = f"start a worker, or two of them\n{command}"
    assert wrapped(text, 20) == ["start a worker, or", "two of them", command]
    assert wrapped(text, None) == text.split("\n")


def test_lines_of_a_traceback_keep_their_blanks() -> None:
    lines = wrapped('  File "a b.py", line 1\n    raise ValueError(1, 2)', 20, commands=False)
    assert lines == ['  File "a b.py",', "  line 1", "    raise", "    ValueError(1, 2)"]


def test_further_lines_stand_under_the_first_unless_a_path_needs_the_room() -> None:
    text = f"there is no file {LONG} here"
    assert hanging(text, 50, 7) == f"there is no file\n   {LONG}\n       here"
    assert hanging(text, 20, 7).splitlines()[1:] == ["       file", f"       {LONG}", "       here"]
    assert hanging(text, None, 7) == text
