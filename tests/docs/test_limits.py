"""docs/limits.md has the limits that the code has."""

import os

from tests.docs.limits import LIMITS, NO_LIMITS, constants, limits_page
from tests.shipped import ROOT

PAGE = ROOT / "docs" / "limits.md"


def test_the_page_is_made_from_the_code() -> None:
    page = limits_page()
    if os.environ.get("UPDATE_GOLDEN"):
        PAGE.write_text(page, encoding="utf-8")
    assert page == PAGE.read_text(encoding="utf-8")


def test_no_limit_is_left_out() -> None:
    """A constant that is named like a limit is in the table, or is said to be none."""
    listed = {f"{limit.module}.{limit.name}" for limits in LIMITS.values() for limit in limits}
    assert set(constants()) - listed - NO_LIMITS == set()
