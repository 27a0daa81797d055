"""The task that everybody writes first: one request for each message, by ``requests``."""

from __future__ import annotations

import requests
from celery import shared_task


@shared_task(name="shop.post")
def post(gateway: str, session: str, text: str, to: str) -> list[str]:
    """Post one message, and return the gateway's ids."""
    form = {"SessionID": session, "SourceAddress": "DEVINO", "DestinationAddress": to, "Data": text}
    answer = requests.post(f"{gateway}/Sms/Send", data=form, timeout=30)
    answer.raise_for_status()
    ids: list[str] = answer.json()
    return ids
