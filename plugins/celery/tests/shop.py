"""The app that the workers of the tests run, as a shop would have it: all that it is told is in the environment."""

from __future__ import annotations

import json
import os
from typing import Any

from celery import Celery

from devinotify_celery import BEAT_SCHEDULE, DevinoTask

app = Celery("shop", broker=os.environ["SHOP_BROKER"], backend=os.environ.get("SHOP_BACKEND", "rpc://"))
app.conf.update(
    devinotify_url=os.environ["SHOP_URL"],
    devinotify_outbox=os.environ["SHOP_OUTBOX"],
    include=["devinotify_celery"],
    broker_connection_retry_on_startup=True,
    broker_connection_max_retries=None,
    result_extended=True,
    task_track_started=True,
    worker_send_task_events=True,
    worker_prefetch_multiplier=1,
    beat_schedule={name: {**entry, "schedule": 1.0} for name, entry in BEAT_SCHEDULE.items()},
    **json.loads(os.environ.get("SHOP_SETTINGS", "{}")),
)


@app.task(name="shop.remind", base=DevinoTask, bind=True)
def remind(self: Any, order: int, number: str) -> list[dict[str, Any]]:
    """Tell a customer of an order, and the shop of it too."""
    told: list[dict[str, Any]] = self.notify(f"Order {order} is ready", number)
    told += self.notify(f"Customer of {order} was told", "+79031234567", step="shop")
    return told
