"""Litestar: sends at once, and answers with what became of it, so that no client sends again what may have gone out.

pip install litestar uvicorn .
DEVINOTIFY_URL=devino://LOGIN:PASSWORD@SENDER uvicorn litestar_reminders:app
curl -X POST 'localhost:8000/remind/89161234567'
"""

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from litestar import Litestar, Response, post
from litestar.datastructures import State
from litestar.params import FromPath

from devinotify import AsyncNotifier, InvalidInput, Verdict


@asynccontextmanager
async def notifier(app: Litestar) -> AsyncIterator[None]:
    """Keep one notifier as long as the process lives."""
    async with AsyncNotifier(os.environ["DEVINOTIFY_URL"]) as app.state.notifier:
        yield


STATUS = {
    Verdict.ACCEPTED: 201,
    Verdict.UNKNOWN: 202,  # it may have been sent: a success, so that nobody tries again
    Verdict.REJECTED: 502,
    Verdict.NOT_SENT: 503,  # it provably was not: asking again is safe
}


@post("/remind/{number:str}")
async def remind(number: FromPath[str], state: State) -> Response[dict[str, str]]:
    """Remind somebody of tomorrow."""
    (outcome,) = await state.notifier.notify("See you at 9", number)
    status = 422 if isinstance(outcome.error, InvalidInput) else STATUS[outcome.verdict]
    return Response({"verdict": str(outcome.verdict), "reason": str(outcome.error or "")}, status_code=status)


app = Litestar([remind], lifespan=[notifier])
