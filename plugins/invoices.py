"""Tasks that make PDF invoices from a table of subscribers and merge them.

They need fpdf2 and pypdf: ``pip install 'flowrunner[invoices]'``. Both are imported when a
task runs, so that the tasks can be listed and workflows checked without them. The same table
gives the same bytes, so a task that runs again does no harm.
"""

import csv
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from io import BytesIO, StringIO
from pathlib import Path
from typing import Any, Final
from unicodedata import bidirectional, category, normalize
from uuid import uuid4

from flowrunner import hookimpl
from flowrunner.tasks import PluginTasks

__all__ = ["flowrunner_register_tasks", "make_invoice", "merge_invoices"]

ADDRESS: Final = ("name", "street", "town", "country")
COLUMNS: Final = ("number", "date", *ADDRESS, "item", "quantity", "price", "postage")
CURE: Final = "is not installed; get it with: pip install 'flowrunner[invoices]'"

# Millimetres on a page of A4, 210 by 297.
LEFT, RIGHT, WIDTH, FOOTER = 20, 190, 170, 278
INK, GREY, ACCENT, PALE, WHITE = "#1f2933", "#6b7785", "#1d6b4f", "#d5dce2", "#ffffff"


def make_invoice(
    row: int,
    table: str,
    folder: str,
    seller: list[str],
    payment: str,
    currency: str = "EUR",
    vat: float = 0,
    due_days: int = 30,
    font: str = "",
) -> str:
    """Write the invoice for one row of a table and return the path of its PDF.

    ``row`` counts from 0 and leaves out the table's heading and blank lines. ``seller`` is the
    seller's name, then any lines beneath it; ``payment`` says how to pay; ``vat`` is in per
    cent of the net total and is rounded half up to the cent; ``font`` is a TrueType or
    OpenType file for texts beyond Windows-1252, which is all that Helvetica has.

    The file is ``folder/NUMBER.pdf``; one that is there is replaced. Raises ValueError for a
    row that the table does not have, for anything wrong in the table and for characters that
    the font cannot print.
    """
    rows = _read_table(Path(table))
    if not 0 <= row < len(rows):
        raise ValueError(
            f"there is no row {row} in {table}: it has {len(rows)}, counted from 0; "
            f"ask for as many invoices as it has rows"
        )
    _check_terms(seller, vat, due_days)
    subscription = rows[row]
    try:
        sheet = _Sheet(font, subscription.date, f"Invoice {subscription.number}")
        below = _draw_heading(sheet, seller)
        below = _draw_parties(sheet, below, subscription, due_days)
        below = _draw_lines(sheet, below, subscription, currency, Decimal(str(vat)))
        _draw_foot(sheet, below, payment, seller[0], subscription.number)
    except ValueError as error:
        place = f"{table}, line {subscription.line}"
        raise ValueError(f"invoice {subscription.number} ({place}): {error}") from error
    target = Path(folder) / f"{subscription.number}.pdf"
    _write(target, sheet.content())
    return str(target)


def merge_invoices(invoices: list[str], table: str, target: str) -> str:
    """Merge PDF invoices, in the order given, into one file and return its path.

    ``invoices`` has to hold one path for every row of the table, in the table's order: nobody
    goes without an invoice unnoticed. A target that is there is replaced. Raises ValueError
    when they do not match, or when one of them is missing or no PDF.
    """
    try:
        from pypdf import PdfWriter
        from pypdf.errors import PyPdfError
    except ModuleNotFoundError as error:
        raise ModuleNotFoundError(f"pypdf {CURE}") from error
    _check_complete(invoices, table)
    if Path(target).resolve() in {Path(invoice).resolve() for invoice in invoices}:
        raise ValueError(f"the target {target} is one of the invoices; choose another name")
    with PdfWriter() as writer:
        for invoice in invoices:
            try:
                writer.append(invoice, outline_item=Path(invoice).stem)
            except (OSError, PyPdfError) as error:
                raise ValueError(
                    f"the invoice {invoice} cannot be read: {error}; all workers have to share "
                    f"the folder of the invoices"
                ) from error
        content = BytesIO()
        writer.write(content)
    _write(Path(target), content.getvalue())
    return target


@hookimpl
def flowrunner_register_tasks(registry: PluginTasks) -> None:
    """Register the tasks of this file."""
    registry.add(make_invoice)
    registry.add(merge_invoices)


@dataclass(frozen=True)
class Subscription:
    """A row of the table: what to bill to whom. Money is in cents."""

    line: int
    number: str
    date: date
    address: tuple[str, ...]
    item: str
    quantity: int
    price: int
    postage: int


def _read_table(path: Path) -> list[Subscription]:
    try:
        text = path.read_bytes().decode("utf-8-sig")  # spreadsheets write a byte order mark
    except OSError as error:
        raise ValueError(
            f"the table {path} cannot be read: {error.strerror}; a relative path starts from "
            f"the worker's working directory"
        ) from error
    except UnicodeDecodeError as error:
        line = error.object[: error.start].count(b"\n") + 1
        raise ValueError(f"{path}, line {line}: not UTF-8; save it as 'CSV UTF-8'") from error
    records = _records(path, text)
    heading = [column.strip() for column in next(records, (0, []))[1]]
    if wrong := [column for column in COLUMNS if heading.count(column) != 1]:
        raise ValueError(
            f"the heading of {path} needs {', '.join(wrong)} once, separated by commas; it is: "
            f"{','.join(heading) or 'missing, as the file is empty'}"
        )
    rows: list[Subscription] = []
    seen: dict[str, int] = {}
    for line, cells in records:
        try:
            rows.append(_subscription(line, heading, cells))
            # Some file systems take names in capitals for the same file.
            first = seen.setdefault(rows[-1].number.casefold(), line)
            if first != line:
                raise ValueError(f"the number {rows[-1].number} stands in line {first} already")
        except ValueError as error:
            raise ValueError(f"{path}, line {line}: {error}") from error
    if not rows:
        raise ValueError(f"the table {path} has a heading but no rows")
    return rows


def _records(path: Path, text: str) -> Iterator[tuple[int, list[str]]]:
    """Yield each record that is not blank with the line it ends in."""
    reader = csv.reader(StringIO(text, newline=""), strict=True)
    try:
        for cells in reader:
            if any(cell.strip() for cell in cells):
                yield reader.line_num, cells
    except csv.Error as error:
        raise ValueError(f"{path}, line {reader.line_num}: {error}") from error


def _subscription(line: int, heading: list[str], cells: list[str]) -> Subscription:
    if len(cells) != len(heading):
        raise ValueError(
            f"{len(cells)} cells, where the heading has {len(heading)}; a text with a comma in "
            f'it stands in quotes: "Rue, 8"'
        )
    row = dict(zip(heading, (normalize("NFC", cell.strip()) for cell in cells), strict=True))
    for column in COLUMNS:
        if not row[column] and column != "country":
            raise ValueError(f"'{column}' is empty")
    number = _matched(
        row["number"], r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}", "names no file: use A–Z 0–9 . _ -"
    )
    day = _matched(row["date"], r"(19|20|21)\d\d-\d\d-\d\d", "is no date: write it like 2025-12-31")
    quantity = _matched(row["quantity"], r"[1-9]\d{0,3}", "is no whole number from 1 to 9999")
    return Subscription(
        line,
        number,
        date.fromisoformat(day),
        tuple(row[column] for column in ADDRESS if row[column]),
        row["item"],
        int(quantity),
        _cents(row["price"]),
        _cents(row["postage"]),
    )


def _matched(text: str, pattern: str, problem: str) -> str:
    if not re.fullmatch(pattern, text, re.ASCII):
        raise ValueError(f"{text!r} {problem}")
    return text


def _cents(text: str) -> int:
    amount = _matched(text, r"\d{1,7}(\.\d{1,2})?", "is no amount: write it like 12.50")
    return int(Decimal(amount) * 100)


def _check_terms(seller: list[str], vat: float, due_days: int) -> None:
    if not isinstance(seller, list) or not seller or not all(isinstance(n, str) for n in seller):
        raise ValueError(f"'seller' is a list of lines, the name first, not {seller!r}")
    if not 0 <= vat <= 100:
        raise ValueError(f"'vat' is in per cent, from 0 to 100, not {vat}")
    if not 0 <= due_days <= 366:
        raise ValueError(f"'due_days' is from 0 to 366, not {due_days}")


def _check_complete(invoices: list[str], table: str) -> None:
    numbers = [row.number for row in _read_table(Path(table))]
    given = [Path(invoice).stem for invoice in invoices]
    if given != numbers:
        without = [number for number in numbers if number not in given]
        raise ValueError(
            f"{table} has {len(numbers)} rows, and the {len(given)} invoices are not one for "
            f"each in its order; ask for as many as it has rows"
            + (f" (without an invoice: {', '.join(without)})" if without else "")
        )


def _write(target: Path, content: bytes) -> None:
    """Write a file whole or not at all, whoever reads or writes it meanwhile."""
    target.parent.mkdir(parents=True, exist_ok=True)
    part = target.with_name(f".{uuid4().hex}.part")
    try:
        part.write_bytes(content)
        part.replace(target)
    finally:
        part.unlink(missing_ok=True)


class _Sheet:
    """A page that refuses what its font cannot print. Lengths are in millimetres."""

    def __init__(self, font: str, day: date, title: str) -> None:
        try:
            from fpdf import FPDF
        except ModuleNotFoundError as error:
            raise ModuleNotFoundError(f"fpdf2 {CURE}") from error
        self._font = font
        self._pdf = FPDF(format="A4")
        self._pdf.set_auto_page_break(False)
        self._pdf.alias_nb_pages("")  # or else a name with {nb} in it is changed
        self._pdf.c_margin = 0
        self._pdf.core_fonts_encoding = "cp1252"
        self._pdf.set_creation_date(datetime(day.year, day.month, day.day, tzinfo=UTC))
        self._pdf.set_title(title)
        if font:
            try:
                self._pdf.add_font("own", fname=font)
            except Exception as error:  # fontTools raises many kinds for what is no font
                raise ValueError(f"the font {font} cannot be loaded: {error}") from error
        self._pdf.add_page()

    def text(
        self,
        text: str,
        x: float,
        y: float,
        width: float,
        *,
        size: float = 10,
        bold: bool = False,
        colour: str = INK,
        align: Any = "L",
    ) -> float:
        """Print a text, wrapped to a width, and return where the next line goes."""
        text = normalize("NFC", text)
        self._check(text)
        family, style = ("own", "") if self._font else ("helvetica", "B" if bold else "")
        self._pdf.set_font(family, style, size)
        if align == "R" and self._pdf.get_string_width(text) > width:  # half an amount misleads
            raise ValueError(f"{text!r} is too long for its place; shorten it")
        self._pdf.set_text_color(colour)
        self._pdf.set_xy(x, y)
        self._pdf.multi_cell(width, size * 0.48, text, align=align, new_y="NEXT")
        return self._pdf.get_y()

    def _check(self, text: str) -> None:
        for character in text:
            if category(character)[0] == "C" or not self._can_print(character):
                which = f"the font {self._font}" if self._font else "Helvetica"
                raise ValueError(
                    f"{character!r} (U+{ord(character):04X}) in {text!r} cannot be printed with "
                    f"{which}; take it out, or name a font that has it: -i font=FILE.ttf"
                )

    def _can_print(self, character: str) -> bool:
        if not self._font:
            return bool(character.encode("cp1252", "ignore"))
        # Without a shaping engine these would be printed, but not as they are written.
        needs_shaping = bidirectional(character) in ("R", "AL") or category(character)[0] == "M"
        own: Any = self._pdf.fonts["own"]
        return not needs_shaping and ord(character) in own.cmap

    def rule(self, y: float, colour: str, *, x: float = LEFT, thick: float = 0.2) -> None:
        self._pdf.set_draw_color(colour)
        self._pdf.set_line_width(thick)
        self._pdf.line(x, y, RIGHT, y)

    def bar(self, y: float, height: float) -> None:
        self._pdf.set_fill_color(ACCENT)
        self._pdf.rect(LEFT, y, WIDTH, height, style="F")

    def content(self) -> bytes:
        return bytes(self._pdf.output())


def _draw_heading(sheet: _Sheet, seller: list[str]) -> float:
    sheet.text("INVOICE", 140, 20, 50, size=22, colour=ACCENT, align="R")
    y = sheet.text(seller[0], LEFT, 20, 110, size=17, bold=True) + 1.5
    for line in seller[1:]:
        y = sheet.text(line, LEFT, y, 110, size=9, colour=GREY)
    sheet.rule(y + 6, ACCENT, thick=0.6)
    return y + 16


def _draw_parties(sheet: _Sheet, top: float, subscription: Subscription, due_days: int) -> float:
    y = sheet.text("BILL TO", LEFT, top, 85, size=8, colour=GREY) + 1
    name, *address = subscription.address
    y = sheet.text(name, LEFT, y, 85, size=11, bold=True) + 0.5
    for line in address:
        y = sheet.text(line, LEFT, y, 85)
    due = subscription.date + timedelta(days=due_days)
    labels = ("Invoice number", "Invoice date", "Due date")
    values = (subscription.number, subscription.date.isoformat(), due.isoformat())
    below = top
    for label, value in zip(labels, values, strict=True):
        sheet.text(label, 115, below, 30, colour=GREY)
        below = sheet.text(value, 145, below, 45, bold=True, align="R") + 1.5
    return max(y, below) + 14


def _draw_lines(
    sheet: _Sheet, top: float, subscription: Subscription, currency: str, vat: Decimal
) -> float:
    net = subscription.quantity * subscription.price
    lines = [(subscription.item, str(subscription.quantity), subscription.price, net)]
    if subscription.postage:
        lines.append(("Postage and packing", "1", subscription.postage, subscription.postage))
    sheet.bar(top, 8)
    heading = ("Description", "Quantity", "Unit price", "Amount")
    _draw_cells(sheet, top + 1.8, heading, size=9, bold=True, colour=WHITE)
    y = top + 8
    for item, quantity, price, amount in lines:
        cells = (item, quantity, _money(price), _money(amount))
        y = _draw_cells(sheet, y + 2.6, cells) + 2.6
        sheet.rule(y, PALE)
    net += subscription.postage
    tax = int((net * vat / 100).quantize(Decimal(1), ROUND_HALF_UP))
    return _draw_totals(sheet, y + 3, currency, net, tax, vat)


def _draw_cells(sheet: _Sheet, y: float, cells: tuple[str, ...], **style: Any) -> float:
    places = ((LEFT + 3, 80, "L"), (105, 20, "R"), (125, 29, "R"), (154, 33, "R"))
    return max(
        sheet.text(cell, x, y, width, align=align, **style)
        for cell, (x, width, align) in zip(cells, places, strict=True)
    )


def _draw_totals(sheet: _Sheet, y: float, currency: str, net: int, tax: int, vat: Decimal) -> float:
    if vat:
        for label, amount in (("Net total", net), (f"VAT {vat.normalize():f} %", tax)):
            sheet.text(label, 115, y, 35, colour=GREY)
            y = sheet.text(_money(amount), 150, y, 37, align="R") + 1.7
    sheet.rule(y + 0.8, ACCENT, x=115, thick=0.6)
    y += 3.2
    sheet.text("Total due", 115, y, 25, size=12, bold=True)
    total = f"{currency} {_money(net + tax)}"
    return sheet.text(total, 137, y, 50, size=12, bold=True, align="R") + 16


def _draw_foot(sheet: _Sheet, top: float, payment: str, seller: str, number: str) -> None:
    y = sheet.text("PAYMENT", LEFT, top, WIDTH, size=8, colour=GREY) + 1
    for line in payment.splitlines():
        y = sheet.text(line, LEFT, y, WIDTH)
    sheet.rule(FOOTER, PALE)
    bottom = sheet.text(seller, LEFT, FOOTER + 2, 85, size=8, colour=GREY)
    sheet.text(f"Invoice {number}", 105, FOOTER + 2, 85, size=8, colour=GREY, align="R")
    if y > FOOTER - 4 or bottom > 292:
        raise ValueError("its texts do not fit on one page; shorten them")


def _money(cents: int) -> str:
    return f"{cents // 100:,}.{cents % 100:02}"
