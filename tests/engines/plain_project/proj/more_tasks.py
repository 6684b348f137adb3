"""Tasks that nothing imports but the setting ``imports``."""

from celery import shared_task


@shared_task
def negate(value: float) -> float:
    """Return the value with the other sign."""
    return -value
