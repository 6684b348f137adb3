"""The app of a flowrunner worker that runs an existing app's tasks."""

from __future__ import annotations

from celery import Celery

from flowrunner.engines.app_fitness import unfit_settings
from flowrunner.engines.application import (
    extend_app,
    give_settings,
    patch_backends_of,
    pin_addresses,
)
from flowrunner.engines.existing_app import load_app
from flowrunner.engines.worker_settings import apply_settings
from flowrunner.errors import ConfigurationError
from flowrunner.settings import AppReference, Settings
from flowrunner.tasks import TaskRegistry

__all__ = ["existing_worker_app"]


def existing_worker_app(
    reference: AppReference, settings: Settings, registry: TaskRegistry
) -> tuple[Celery, list[str]]:
    """Return an existing app for a worker, and what its configuration says otherwise, in words.

    Raises :class:`~flowrunner.errors.ConfigurationError` for an app that cannot run workflows.
    """
    remarks: list[str] = []

    def prepare(app: Celery) -> None:
        remarks.extend(apply_settings(app, broker=settings.broker))

    app = load_app(reference, prepare=prepare)
    pin_addresses(app, broker=settings.broker, backend=settings.backend)
    give_settings(app, settings.of_celery)
    if problems := list(unfit_settings(app)):
        raise ConfigurationError(
            f"the Celery app {reference.name} cannot run workflows: {'; '.join(problems)}"
        )
    extend_app(app, registry)
    patch_backends_of(app)
    return app, remarks
