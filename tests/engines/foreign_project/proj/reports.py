"""What is told of it; a queue of its own."""

from proj.celery_app import app


@app.task
def shop(figures, name):
    total, largest = figures
    return {"shop": name, "total": total, "largest": largest}


@app.task
def night(shops):
    return {"total": sum(each["total"] for each in shops), "shops": shops}
