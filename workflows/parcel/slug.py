"""Names of files made from titles."""

import re

__all__ = ["slug"]


def slug(title: str) -> str:
    """Return a title as the name of a file.

    >>> slug("Chords in a chord")
    'chords-in-a-chord'
    >>> slug("  What's new? ")
    'what-s-new'
    """
    return "-".join(re.findall(r"[a-z0-9]+", title.lower()))
