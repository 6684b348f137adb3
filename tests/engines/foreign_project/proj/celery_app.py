"""The shops' Celery app, and what beat starts."""

import os

from celery import Celery
from celery.schedules import crontab

app = Celery("proj", include=["proj.orders", "proj.reports"])
app.conf.update(
    broker_url=os.environ.get("PROJ_BROKER", "redis://localhost/0"),
    result_backend=os.environ.get("PROJ_BACKEND", "redis://localhost/1"),
    task_routes={"proj.reports.*": {"queue": "reports"}},
    timezone="Europe/Vienna",
    beat_schedule={
        "vienna": {
            "task": "proj.orders.fetch",
            "schedule": crontab(hour=2, minute=0),
            "args": ("vienna",),
        },
    },
)
