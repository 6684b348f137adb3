"""The invoices: what stands on them, and what is refused instead of billed wrongly."""

from __future__ import annotations

import csv
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from pypdf import PdfReader

from tests.plugins.invoicing import EXAMPLE, ROOT, ROW, TERMS, font_with, plugin, row, text_of


def test_invoice_shows_all_that_it_bills(invoice: Callable[..., str]) -> None:
    text = text_of(invoice(vat=20))
    for shown in (
        *("INVOICE", "Gazette Ltd", "3 Lane", "A-1", "Ada", "1 Road", "Leeds", "UK"),
        *("2025-12-01", "2025-12-31", "Weekly", "12", "4.50", "54.00", "Postage and packing"),
        *("Net total", "60.00", "VAT 20 %", "12.00", "Total due", "EUR 72.00", "Pay to IBAN 1."),
    ):
        assert shown in text


def test_invoice_returns_the_path_named_by_the_number(invoice: Callable[..., str]) -> None:
    path = Path(invoice())
    assert (path.parent.name, path.name) == ("out", "A-1.pdf")


@pytest.mark.parametrize(
    ("cells", "keys", "shown"),
    [
        ({"quantity": "1", "price": "0.1", "postage": "0.2"}, {}, ["EUR 0.30"]),
        ({"quantity": "3", "price": "1.15", "postage": "0"}, {}, ["EUR 3.45"]),
        ({"quantity": "1", "price": "0.25", "postage": "0"}, {"vat": 10}, ["0.03", "EUR 0.28"]),
        ({"quantity": "1", "price": "0.24", "postage": "0"}, {"vat": 10}, ["0.02", "EUR 0.26"]),
        ({"quantity": "1", "price": "100", "postage": "0"}, {"vat": 7.7}, ["VAT 7.7 %", "107.70"]),
        ({"quantity": "1", "price": "100", "postage": "0"}, {"vat": 100}, ["VAT 100 %"]),
        ({"quantity": "9999", "price": "9999999.99"}, {}, ["99,989,999,900.01"]),
        ({}, {"currency": "€"}, ["€ 60.00"]),
        ({"date": "2024-02-29"}, {"due_days": 366}, ["2025-03-01"]),
        ({"date": "2025-12-05"}, {"due_days": 0}, ["2025-12-05"]),
    ],
)
def test_money_and_dates_are_exact(
    invoice: Callable[..., str], cells: dict[str, str], keys: dict[str, Any], shown: list[str]
) -> None:
    text = text_of(invoice(row(**cells), **keys))
    for each in shown:
        assert each in text


@pytest.mark.parametrize(
    ("cells", "keys", "hidden"),
    [
        ({"postage": "0.00"}, {}, "Postage"),
        ({}, {"vat": 0}, "VAT"),
        ({"country": ""}, {}, "UK"),
    ],
)
def test_what_is_nothing_is_left_out(
    invoice: Callable[..., str], cells: dict[str, str], keys: dict[str, Any], hidden: str
) -> None:
    assert hidden not in text_of(invoice(row(**cells), **keys))


@pytest.mark.parametrize(
    ("written", "printed"),
    [
        ("Zoë Lefèvre-Núñez", "Zoë Lefèvre-Núñez"),
        ("Zoe\u0308", "Zoë"),
        ("O’Connor – “Ltd” €", "O’Connor – “Ltd” €"),
        ('a (b) \\ "c", d', 'a (b) \\ "c", d'),
        ("**bold** __x__ {nb}", "**bold** __x__ {nb}"),
        ("  Ada  ", "Ada"),
    ],
)
def test_names_are_printed_as_they_are_written(
    invoice: Callable[..., str], written: str, printed: str
) -> None:
    assert printed in text_of(invoice(row(name=written))).splitlines()


def test_a_long_text_is_wrapped_and_stays_on_the_page(invoice: Callable[..., str]) -> None:
    text = text_of(invoice(row(name="W" * 100, item="word " * 60)))
    assert text.count("W") - text.count("Weekly") >= 100
    assert text.count("word") == 60


def test_terms_are_printed_as_they_are_written(invoice: Callable[..., str]) -> None:
    assert "Café" in text_of(invoice(seller=["Cafe\u0301"]))


def test_lines_of_the_payment_stay_lines(invoice: Callable[..., str]) -> None:
    lines = text_of(invoice(payment="IBAN 1\n\nThank you\n")).splitlines()
    assert {"IBAN 1", "Thank you"} <= set(lines)


@pytest.mark.parametrize(
    ("cells", "keys"),
    [
        ({"name": "W" * 5000}, {}),
        ({}, {"payment": "word " * 2000}),
        ({}, {"seller": ["W" * 300]}),
    ],
)
def test_texts_that_do_not_fit_on_the_page_are_refused(
    invoice: Callable[..., str], cells: dict[str, str], keys: dict[str, Any]
) -> None:
    with pytest.raises(ValueError, match=r"A-1 \(.*line 2\): its texts do not fit on one page"):
        invoice(row(**cells), **keys)


@pytest.mark.parametrize(
    ("cells", "keys", "shown"),
    [
        ({}, {"currency": "Crowns " * 9}, "Crowns .* 60.00' is too long for its place"),
        ({"number": "W" * 40}, {}, "'W+' is too long for its place"),
    ],
)
def test_amounts_and_numbers_are_never_broken_over_lines(
    invoice: Callable[..., str], cells: dict[str, str], keys: dict[str, Any], shown: str
) -> None:
    with pytest.raises(ValueError, match=shown):
        invoice(row(**cells), **keys)


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("Łukasz", r"'Ł' \(U\+0141\) in 'Łukasz' cannot be printed with Helvetica; .* -i font="),
        ("漢字", r"'漢' \(U\+6F22\)"),
        ("a\nb", r"'\\n' \(U\+000A\)"),
        ("a\x1bb", r".*U\+001B"),
        ("a\u202eb", r".*U\+202E"),
        ("a\u00adb", r".*U\+00AD"),
        ("🎉", r".*U\+1F389"),
    ],
)
def test_a_character_beyond_the_font_is_refused_with_its_row(
    invoice: Callable[..., str], tmp_path: Path, name: str, shown: str
) -> None:
    with pytest.raises(ValueError, match=rf"(?s)invoice A-1 \(.*table.csv, line \d\): {shown}"):
        invoice(row(name=name))
    assert not (tmp_path / "out").exists()


def test_a_font_prints_what_helvetica_cannot(invoice: Callable[..., str], tmp_path: Path) -> None:
    font = font_with(tmp_path, "Ł漢")
    assert "Łukasz 漢" in text_of(invoice(row(name="Łukasz 漢"), font=font))


@pytest.mark.parametrize(
    ("character", "code"),
    [("ж", "0436"), ("א", "05D0"), ("ب", "0628"), ("\u0947", "0947")],
    ids=["not in the font", "right to left", "Arabic", "combining"],
)
def test_a_font_refuses_what_it_lacks_and_what_needs_shaping(
    invoice: Callable[..., str], tmp_path: Path, character: str, code: str
) -> None:
    font = font_with(tmp_path, "אب\u0947")
    with pytest.raises(ValueError, match=rf"U\+{code}.*the font .*own\.ttf"):
        invoice(row(name=f"x{character}"), font=font)


@pytest.mark.parametrize("content", [None, b"", b"no font"])
def test_a_font_that_is_none_is_refused(
    invoice: Callable[..., str], tmp_path: Path, content: bytes | None
) -> None:
    font = tmp_path / "bad.ttf"
    if content is not None:
        font.write_bytes(content)
    with pytest.raises(ValueError, match=r"the font .*bad\.ttf cannot be loaded"):
        invoice(font=str(font))


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        ({"seller": []}, "'seller' is a list of lines"),
        ({"seller": "ACME"}, "'seller' is a list of lines"),
        ({"seller": [1]}, "'seller' is a list of lines"),
        ({"vat": -1}, "'vat' is in per cent"),
        ({"vat": 101}, "'vat' is in per cent"),
        ({"vat": float("nan")}, "'vat' is in per cent"),
        ({"due_days": -1}, "'due_days' is from 0 to 366"),
        ({"due_days": 367}, "'due_days' is from 0 to 366"),
        ({"seller": ["漢"]}, r"U\+6F22"),
        ({"currency": "₿"}, r"U\+20BF"),
    ],
)
def test_terms_that_are_wrong_are_refused(
    invoice: Callable[..., str], keys: dict[str, Any], message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        invoice(**keys)


def make_all(folder: Path) -> tuple[list[str], str]:
    """Make the example's invoices and merge them."""
    paths = [
        plugin.make_invoice(n, str(EXAMPLE), str(folder), **TERMS)
        for n in range(len(list(csv.reader(EXAMPLE.open(encoding="utf-8")))) - 1)
    ]
    return paths, plugin.merge_invoices(paths, str(EXAMPLE), str(folder / "a" / "b" / "all.pdf"))


def test_merging_keeps_every_invoice_in_order(tmp_path: Path) -> None:
    paths, merged = make_all(tmp_path)
    reader = PdfReader(merged)
    assert [page.extract_text() for page in reader.pages] == [text_of(path) for path in paths]
    assert [item.title for item in reader.outline] == [Path(path).stem for path in paths]
    assert len(reader.pages) == 6


def test_the_same_table_gives_the_same_bytes(tmp_path: Path) -> None:
    made = [make_all(tmp_path / name) for name in ("first", "second")]
    for one, other in zip(*[[*paths, merged] for paths, merged in made], strict=True):
        assert Path(one).read_bytes() == Path(other).read_bytes()


def test_an_invoice_is_dated_by_the_table_and_not_the_clock(invoice: Callable[..., str]) -> None:
    information = PdfReader(invoice()).metadata
    assert information is not None
    assert information["/CreationDate"].startswith("D:20251201000000")
    assert information.title == "Invoice A-1"


def test_files_that_are_there_are_replaced_and_nothing_is_left_over(tmp_path: Path) -> None:
    paths, merged = make_all(tmp_path)
    for path in (*paths, merged):
        Path(path).write_bytes(b"old")
    assert make_all(tmp_path) == (paths, merged)
    assert all(Path(path).read_bytes().startswith(b"%PDF") for path in (*paths, merged))
    left = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert sorted(map(str, left)) == sorted([*paths, merged])


def test_a_write_that_fails_keeps_the_old_file_and_leaves_nothing(
    invoice: Callable[..., str], monkeypatch: pytest.MonkeyPatch
) -> None:
    path = Path(invoice())
    before = path.read_bytes()

    def fill_the_disk(part: Path, content: bytes) -> int:
        with part.open("wb") as file:
            file.write(content[:10])
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", fill_the_disk)
    with pytest.raises(OSError, match="No space left"):
        invoice(row(name="Somebody else"))
    assert path.read_bytes() == before
    assert list(path.parent.iterdir()) == [path]


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ([], "has 2 rows, and the 0 invoices .* as it has rows .*without an invoice: A-1, A-2"),
        (["A-1"], r"the 1 invoices .*\(without an invoice: A-2\)"),
        (["A-2", "A-1"], "not one for each in its order"),
        (["A-1", "A-1"], "without an invoice: A-2"),
        (["A-1", "A-2", "A-3"], "has 2 rows, and the 3 invoices"),
    ],
)
def test_merging_other_than_one_invoice_for_each_row_is_refused(
    table: Callable[..., str], tmp_path: Path, given: list[str], message: str
) -> None:
    path = table(ROW, ROW.replace("A-1", "A-2"))
    target = tmp_path / "all.pdf"
    with pytest.raises(ValueError, match=message):
        plugin.merge_invoices([f"out/{name}.pdf" for name in given], path, str(target))
    assert not target.exists()


@pytest.mark.parametrize("content", [None, b"", b"no PDF at all", b"%PDF-1.4\ncut off"])
def test_merging_what_cannot_be_read_is_refused(
    table: Callable[..., str], tmp_path: Path, content: bytes | None
) -> None:
    broken = tmp_path / "A-1.pdf"
    if content is not None:
        broken.write_bytes(content)
    with pytest.raises(ValueError, match=r"the invoice .*A-1\.pdf cannot be read"):
        plugin.merge_invoices([str(broken)], table(ROW), str(tmp_path / "all.pdf"))
    assert not (tmp_path / "all.pdf").exists()


def test_merging_into_one_of_the_invoices_is_refused(
    invoice: Callable[..., str], table: Callable[..., str]
) -> None:
    path = invoice()
    before = Path(path).read_bytes()
    with pytest.raises(ValueError, match="is one of the invoices"):
        plugin.merge_invoices([path], table(ROW), f"{Path(path).parent}/../out/A-1.pdf")
    assert Path(path).read_bytes() == before


@pytest.mark.parametrize(
    ("missing", "task", "arguments"),
    [
        ("fpdf", "make_invoice", {"row": 0, "folder": "out", **TERMS}),
        ("pypdf", "merge_invoices", {"invoices": ["A-1.pdf"], "target": "all.pdf"}),
    ],
)
def test_a_library_that_is_missing_is_named_with_the_cure(
    table: Callable[..., str],
    monkeypatch: pytest.MonkeyPatch,
    missing: str,
    task: str,
    arguments: dict[str, Any],
) -> None:
    monkeypatch.setitem(sys.modules, missing, None)
    path = table(ROW)
    with pytest.raises(ModuleNotFoundError, match=r"pip install 'flowrunner\[invoices\]'"):
        getattr(plugin, task)(table=path, **arguments)


def test_listing_the_tasks_imports_neither_library() -> None:
    script = """
import sys
from pathlib import Path
from flowrunner.plugins import PluginReference, load_plugins
manager = load_plugins([PluginReference("plugins", "test", Path())])
print("make_invoice" in manager.tasks().names(), {"fpdf", "pypdf"} & set(sys.modules))
"""
    printed = subprocess.run(
        [sys.executable, "-c", script], check=True, capture_output=True, text=True, cwd=ROOT
    ).stdout
    assert printed == "True set()\n"


def test_the_shipped_table_has_the_number_of_rows_that_the_workflow_expects(tmp_path: Path) -> None:
    workflow = (ROOT / "workflows" / "invoices.yaml").read_text(encoding="utf-8")
    paths, _ = make_all(tmp_path)
    assert f"default: {len(paths)}\n" in workflow
