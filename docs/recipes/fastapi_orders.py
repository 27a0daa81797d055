"""FastAPI: a message is stored with its order's key, so a request that comes twice sends one SMS. A worker sends it.

pip install fastapi uvicorn '.[cli]'
export DEVINOTIFY_URL=devino://LOGIN:PASSWORD@SENDER DEVINOTIFY_OUTBOX=orders.db
uvicorn fastapi_orders:app & devinotify worker
curl -X POST 'localhost:8000/orders/42/shipped?phone=89161234567'
"""

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI, HTTPException, Request

from devinotify import AsyncNotifier, DevinotifyError, InvalidInput


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncIterator[None]:
    """Keep one notifier as long as the process lives."""
    async with AsyncNotifier(os.environ["DEVINOTIFY_URL"]) as app.state.notifier:
        yield


app = FastAPI(lifespan=lifespan)


@app.post("/orders/{order}/shipped", status_code=202)
async def shipped(order: int, phone: str, request: Request) -> dict[str, bool]:
    """Tell a customer that an order is on its way."""
    notifier: AsyncNotifier = request.app.state.notifier
    try:
        stored = await notifier.enqueue(f"Order {order} is on its way", phone, key=f"order-{order}-shipped")
    except InvalidInput as error:
        raise HTTPException(422, str(error)) from error
    except DevinotifyError as error:  # the outbox: asked again, nothing is stored twice
        raise HTTPException(503, str(error)) from error
    for refused in stored.refused.values():  # the number is wrong
        raise HTTPException(422, str(refused))
    return {"already_known": stored.known}
