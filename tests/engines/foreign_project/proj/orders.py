"""What a shop has sold."""

from celery import shared_task

from proj.celery_app import app

SOLD = {"vienna": [120, 80, 45], "graz": [30, 15], "linz": []}


@app.task(bind=True, autoretry_for=(OSError,), max_retries=3)
def fetch(self, shop):
    return SOLD[shop]


@app.task
def total(amounts):
    return sum(amounts)


@shared_task
def largest(amounts):
    return max(amounts, default=0)
