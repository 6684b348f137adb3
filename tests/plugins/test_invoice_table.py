"""The table that invoices are made from: what is read, and what is refused with its line."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.plugins.invoicing import HEADING, ROW, TERMS, plugin, row, text_of


@pytest.mark.parametrize("number", [-1, 1, 10**9])
def test_a_row_that_is_not_there_is_refused(table: Callable[..., str], number: int) -> None:
    with pytest.raises(ValueError, match=rf"there is no row {number} in .*: it has 1"):
        plugin.make_invoice(number, table(ROW), "out", **TERMS)


@pytest.mark.parametrize(
    ("cells", "message"),
    [
        ({"name": ""}, "'name' is empty"),
        ({"item": "  "}, "'item' is empty"),
        ({"price": ""}, "'price' is empty"),
        ({"price": "4,50"}, "'4,50' is no amount: write it like 12.50"),
        ({"price": "-1"}, "'-1' is no amount"),
        ({"price": "1.005"}, "'1.005' is no amount"),
        ({"price": "1e3"}, "'1e3' is no amount"),
        ({"price": "NaN"}, "'NaN' is no amount"),
        ({"price": "€5"}, "'€5' is no amount"),
        ({"price": "١٢"}, "is no amount"),
        ({"price": "12345678"}, "is no amount"),
        ({"postage": "free"}, "'free' is no amount"),
        ({"quantity": "0"}, "'0' is no whole number from 1 to 9999"),
        ({"quantity": "1.5"}, "'1.5' is no whole number"),
        ({"quantity": "10000"}, "'10000' is no whole number"),
        ({"date": "1.12.2025"}, "'1.12.2025' is no date: write it like 2025-12-31"),
        ({"date": "2025-02-29"}, "day is out of range"),
        ({"date": "9999-12-31"}, "is no date"),
        ({"date": "20251201"}, "is no date"),
        ({"number": "../A"}, "'../A' names no file"),
        ({"number": "a/b"}, "'a/b' names no file"),
        ({"number": ".A"}, "names no file"),
        ({"number": "A" * 65}, "names no file"),
        ({"number": "Ä1"}, "names no file"),
    ],
)
def test_a_cell_that_is_wrong_is_refused_with_file_and_line(
    table: Callable[..., str], cells: dict[str, str], message: str
) -> None:
    path = table(ROW.replace("A-1", "A-0"), row(**cells))
    # Row 0 is sound: a table with a mistake anywhere makes no invoice at all.
    with pytest.raises(ValueError, match=rf"table\.csv, line 3: .*{message}"):
        plugin.make_invoice(0, path, "out", **TERMS)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "needs number, date, .* it is: missing, as the file is empty"),
        (b"\n\n  \n", "as the file is empty"),
        (HEADING.encode(), "has a heading but no rows"),
        (f"{HEADING}\n,,,,,,,,,\n".encode(), "has a heading but no rows"),
        (HEADING.replace(",town", "").encode(), "heading of .* needs town once"),
        (f"{HEADING},town".encode(), "heading of .* needs town once"),
        (HEADING.replace(",", ";").encode(), "separated by commas; it is: number;date"),
        (f"{HEADING}\n{ROW},x\n".encode(), "line 2: 11 cells, where the heading has 10"),
        (f"{HEADING}\nA-1,2025-12-01\n".encode(), "line 2: 2 cells"),
        (f"{HEADING}\n{ROW}\n\n{ROW}\n".encode(), "line 4: the number A-1 stands in line 2"),
        (f"{HEADING}\n{ROW}\n{ROW.replace('A-1', 'a-1')}\n".encode(), "line 3: the number a-1"),
        (f"{HEADING}\n{ROW}\nÄ".encode("latin-1"), "line 3: not UTF-8"),
        (f'{HEADING}\n"A-1'.encode(), "line 2: unexpected end of data"),
        (f'{HEADING}\n"A"1,'.encode(), "line 2: .*expected after"),
        (f"{HEADING}\n{'x' * 200_000}".encode(), "line 2: field larger than field limit"),
        (f"\x00{HEADING}".encode(), "heading|NUL"),
    ],
)
def test_a_table_that_is_wrong_is_refused(tmp_path: Path, content: bytes, message: str) -> None:
    path = tmp_path / "table.csv"
    path.write_bytes(content)
    with pytest.raises(ValueError, match=rf"table\.csv.*{message}|{message}"):
        plugin.make_invoice(0, str(path), "out", **TERMS)


@pytest.mark.parametrize(
    "content",
    [
        b"\xef\xbb\xbf" + f"{HEADING}\n{ROW}".encode(),
        f"\n{HEADING}\n\n{ROW}\n   \n,,,,,,,,,\n".encode(),
        f"{HEADING}\r\n{ROW}\r\n".encode(),
        f"{HEADING},email\n{ROW},a@b.example\n".encode(),
        f" {HEADING.replace(',', ' , ')} \n{ROW.replace(',', ' , ')}\n".encode(),
    ],
    ids=["byte order mark", "blank lines", "CR LF", "more columns", "spaces"],
)
def test_a_table_may_be_written_as_spreadsheets_do(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "table.csv"
    path.write_bytes(content)
    made = plugin.make_invoice(0, str(path), str(tmp_path), **TERMS)
    assert "EUR 60.00" in text_of(made)


@pytest.mark.parametrize("name", ["nowhere.csv", "."])
def test_a_table_that_cannot_be_read_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(ValueError, match=r"cannot be read: .*worker's working directory"):
        plugin.make_invoice(0, str(tmp_path / name), "out", **TERMS)
