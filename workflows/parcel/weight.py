"""What a parcel weighs."""

__all__ = ["postage"]


def postage(grams: int) -> float:
    """Return the postage of a parcel: 1.50, and 2.00 more for each kilogram begun.

    >>> postage(250)
    3.5
    >>> postage(1001)
    5.5
    """
    return 1.5 + 2.0 * -(-grams // 1000)
