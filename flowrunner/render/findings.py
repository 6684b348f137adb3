"""What checks have found, for people and for programs."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict
from typing import Any, Final

from flowrunner.errors import Finding, Severity
from flowrunner.printable import printable
from flowrunner.render.layout import hanging, indented

__all__ = ["findings_to_json", "format_findings", "format_warnings"]

#: Columns that a text takes at the most: longer lines are hard to read.
WIDEST: Final = 110

_MARKS: Final[dict[Severity, tuple[str, str, str]]] = {
    "ok": ("✓", "ok", "\x1b[32m"),
    "warning": ("!", "!!", "\x1b[33m"),
    "error": ("✗", "XX", "\x1b[1;31m"),
}
_BOLD, _DIM, _RESET = "\x1b[1m", "\x1b[2m", "\x1b[0m"


def format_findings(
    findings: Sequence[Finding], *, width: int = 80, colour: bool = False, unicode: bool = True
) -> str:
    """Return findings as text of so many columns, and how many there are at the end.

    Commands are never broken: they stay fit to be copied.
    """
    margin = max((len(each.check) for each in findings), default=0)
    lines: list[str] = []
    for finding in findings:
        lines += _lines(finding, margin, min(width, WIDEST), colour=colour, unicode=unicode)
    return "\n".join([*lines, "", _count(findings, colour=colour)])


def _lines(
    finding: Finding, margin: int, width: int, *, colour: bool, unicode: bool
) -> Iterator[str]:
    sign, ascii_sign, style = _MARKS[finding.severity]
    mark = sign if unicode else ascii_sign
    indent = len(mark) + 1 + margin + 2
    name = f"{finding.check:{margin}}"
    head = f"{mark} {name}"
    if colour:
        head = (
            f"{style}{mark}{_RESET} {name if finding.severity == 'ok' else style + name + _RESET}"
        )
    yield f"{head}  {_hanging(finding.what, width, indent)}"
    if finding.severity == "ok":
        return
    cure, *commands = finding.cure.split("\n")
    for label, text in (("why", finding.why), ("fix", cure)):
        if text:
            shown = f"{_DIM}{label:4}{_RESET}" if colour else f"{label:4}"
            yield f"{' ' * indent}{shown}  {_hanging(text, width, indent + 6)}"
    for command in map(printable, commands):
        line = indented(command, width, indent + 6)
        yield line.replace(command, f"{_BOLD}{command}{_RESET}") if colour else line


def _hanging(text: str, width: int, indent: int) -> str:
    lines = [printable(line.strip()) for line in text.split("\n")]
    return hanging("\n".join(lines), max(width, indent + 20), indent)


def _count(findings: Sequence[Finding], *, colour: bool) -> str:
    errors, warnings, fine = (
        sum(each.severity == severity for each in findings)
        for severity in ("error", "warning", "ok")
    )
    parts = [
        f"{count} {noun}{'s' * (count != 1)}"
        for count, noun in ((errors, "error"), (warnings, "warning"))
        if count
    ]
    text = ", ".join([*parts, f"{fine} in order"]) if parts else "everything is in place"
    if not colour:
        return text
    worst: Severity = "error" if errors else "warning" if warnings else "ok"
    return f"{_MARKS[worst][2]}{text}{_RESET}"


def format_warnings(
    findings: Iterable[Finding], *, colour: bool = False, width: int | None = None
) -> str:
    """Return warnings as they stand before a run's own output, commands on lines of their own."""
    word = f"{_MARKS['warning'][2]}warning{_RESET}" if colour else "warning"
    lines: list[str] = []
    for finding in findings:
        for mark, text, indent in (
            (f"{word}: ", finding.what, 9),
            ("  = ", finding.cure_with_commands, 4),
        ):
            shown = "\n".join(map(printable, text.split("\n")))
            lines.append(mark + hanging(shown, width, indent))
    return "\n".join(lines)


def findings_to_json(findings: Sequence[Finding]) -> dict[str, Any]:
    """Return what ``doctor --output json`` prints."""
    return {
        "ok": not any(each.severity == "error" for each in findings),
        "findings": [asdict(each) for each in findings],
    }
