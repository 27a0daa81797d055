"""Sentry: the webhook of an internal integration calls whoever is on duty. A worker sends it, once an event.

pip install fastapi uvicorn '.[cli]'
export DEVINOTIFY_URL=devino://LOGIN:PASSWORD@SENDER/79161234567 DEVINOTIFY_OUTBOX=sentry.db
SENTRY_CLIENT_SECRET=… uvicorn sentry_alerts:app & devinotify worker

In Sentry: Settings > Developer Settings > New Internal Integration, with this address and "Alert Rule Action"; its
Client Secret goes here, and the integration into an alert rule. devinotify-webhook checks a token and no signature, so
this is an app of its own.
"""

import hmac
import json
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI, HTTPException, Request

from devinotify import AsyncNotifier, DevinotifyError


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncIterator[None]:
    """Keep one notifier as long as the process lives."""
    async with AsyncNotifier(os.environ["DEVINOTIFY_URL"]) as app.state.notifier:
        yield


app = FastAPI(lifespan=lifespan)


@app.post("/sentry")
async def alert(request: Request) -> dict[str, str | bool]:
    """Store an issue alert; Sentry waits for a second, and posts again after a 503 or an answer that does not come."""
    body = await request.body()
    signature = hmac.new(os.environ["SENTRY_CLIENT_SECRET"].encode(), body, "sha256").hexdigest()
    if not hmac.compare_digest(signature.encode(), request.headers.get("Sentry-Hook-Signature", "").encode()):
        raise HTTPException(401, "the signature is missing or wrong")
    resource = request.headers.get("Sentry-Hook-Resource", "")
    if resource != "event_alert":  # an installation, a comment, …
        return {"ignored": resource}
    data = json.loads(body)["data"]
    event = data["event"]
    text = f"{data.get('triggered_rule', 'Sentry')}: {event['title']}\n{event.get('web_url', '')}"
    # The Request-ID is another one for each attempt: what is one message is told by the event and the rule.
    key = f"sentry-{event['event_id']}-{data.get('triggered_rule', '')}"
    notifier: AsyncNotifier = request.app.state.notifier
    try:
        stored = await notifier.enqueue(text, key=key)
    except DevinotifyError as error:
        raise HTTPException(503, str(error)) from error
    return {"already_known": stored.known}
