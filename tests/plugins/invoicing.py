"""The invoices plugin, and small tables and fonts to try it on."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from fontTools.fontBuilder import FontBuilder
from fontTools.pens.ttGlyphPen import TTGlyphPen
from pypdf import PdfReader

from flowrunner.plugins import PluginReference, load_plugins

ROOT = Path(__file__).parents[2]
EXAMPLE = ROOT / "workflows" / "subscribers.csv"
MANAGER = load_plugins([PluginReference("plugins/invoices.py", "test", ROOT)])
plugin = next(each.module for each in MANAGER.loaded if "invoices" in each.name)

HEADING = "number,date,name,street,town,country,item,quantity,price,postage"
ROW = "A-1,2025-12-01,Ada,1 Road,Leeds,UK,Weekly,12,4.50,6.00"
TERMS: dict[str, Any] = {"seller": ["Gazette Ltd", "3 Lane"], "payment": "Pay to IBAN 1."}


def row(**cells: str) -> str:
    """Return a line of a table with some cells of their own."""
    values = dict(zip(HEADING.split(","), ROW.split(","), strict=True)) | cells
    return ",".join('"' + value.replace('"', '""') + '"' for value in values.values())


def text_of(path: str) -> str:
    """Return the text of the one page of a PDF."""
    (page,) = PdfReader(path).pages
    return page.extract_text()


def font_with(folder: Path, characters: str) -> str:
    """Return the path of a font with these characters and printable ASCII."""
    codes = [*range(32, 127), *map(ord, characters)]
    pen = TTGlyphPen(None)
    pen.moveTo((0, 0))
    pen.lineTo((0, 500))
    pen.lineTo((400, 0))
    pen.closePath()
    names = {code: f"u{code:04X}" for code in codes}
    order = [".notdef", *names.values()]
    builder = FontBuilder(1000, isTTF=True)
    builder.setupGlyphOrder(order)
    builder.setupCharacterMap(names)
    builder.setupGlyf(dict.fromkeys(order, pen.glyph()))
    builder.setupHorizontalMetrics(dict.fromkeys(order, (500, 0)))
    builder.setupHorizontalHeader(ascent=800, descent=-200)
    builder.setupNameTable({"familyName": "Own", "styleName": "Regular"})
    builder.setupOS2()
    builder.setupPost()
    path = folder / "own.ttf"
    builder.save(path)
    return str(path)
