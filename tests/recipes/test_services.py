"""FastAPI, Litestar and Flask: asked over HTTP as their users ask."""

from __future__ import annotations

import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pytest
import requests

from tests.recipes.support import NUMBER, arrived, loaded, work
from tests.serving import served
from tests.waiting import ended

if TYPE_CHECKING:
    from collections.abc import Iterator

    from devinotify.sandbox import Sandbox

FIXED, OTHER = "+74951234567", "+79161234568"


# --- FastAPI


def test_fastapi_sends_an_order_once(gateway: Sandbox) -> None:
    """Asked twice, and with an answer of the gateway's that was lost, it is one SMS."""
    pytest.importorskip("fastapi")
    gateway.add_fault("drop", operation="Sms/Send")
    with served(loaded("fastapi_orders").app) as url:
        answers = [requests.post(f"{url}/orders/42/shipped?phone={NUMBER[1:]}", timeout=30) for _ in range(2)]
        work(gateway.url)
        answers.append(requests.post(f"{url}/orders/42/shipped?phone={NUMBER[1:]}", timeout=30))
        work(gateway.url)
    assert [(202, False), (202, True), (202, True)] == [
        (one.status_code, one.json()["already_known"]) for one in answers
    ]
    assert [(NUMBER, "Order 42 is on its way")] == arrived(gateway)


def test_fastapi_refuses_a_wrong_number(gateway: Sandbox) -> None:
    """The caller is told why, without the number."""
    pytest.importorskip("fastapi")
    with served(loaded("fastapi_orders").app) as url:
        answer = requests.post(f"{url}/orders/42/shipped", params={"phone": FIXED}, timeout=30)
    assert (422, False) == (answer.status_code, FIXED[2:] in answer.text)
    work(gateway.url)
    assert [] == arrived(gateway)


# --- Litestar


def test_litestar_answers_with_the_verdict(gateway: Sandbox) -> None:
    """Each verdict has a status, and only that of what provably was not sent, and may be later, is a 503."""
    pytest.importorskip("litestar")
    with served(loaded("litestar_reminders").app) as url:

        def remind(number: str) -> tuple[int, str]:
            answer = requests.post(f"{url}/remind/{number}", timeout=60)
            return answer.status_code, answer.json()["verdict"]

        told = [remind(NUMBER[1:]), remind(FIXED[1:])]
        gateway.add_fault("drop", operation="Sms/Send", times=1)
        told.append(remind(OTHER[1:]))
        gateway.add_fault("error", code=5, operation="Sms/Send", times=1)
        told.append(remind(NUMBER[1:]))
    assert [(201, "accepted"), (422, "not_sent"), (202, "unknown"), (502, "rejected")] == told
    assert [(NUMBER, "See you at 9"), (OTHER, "See you at 9")] == arrived(gateway)


# --- Flask


@contextmanager
def flask(gateway: Sandbox) -> Iterator[str]:
    """Yield the URL of the recipe on werkzeug's own server."""
    serving = pytest.importorskip("werkzeug.serving")
    module = loaded("flask_codes")
    server = serving.make_server("127.0.0.1", 0, module.app, threaded=True)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.port}"
    finally:
        server.shutdown()
        ended(thread)
        server.server_close()
        module.notifier.close()


def code_of(gateway: Sandbox) -> str:
    """Return the code that arrived last."""
    return arrived(gateway)[-1][1].removeprefix("Your code: ")


@pytest.mark.parametrize("lost", [False, True], ids=["accepted", "unknown"])
def test_flask_takes_the_code_that_arrives(lost: bool, gateway: Sandbox) -> None:
    """A code is good once, also where the gateway's answer was lost, and another is not sent within the minute."""
    if lost:
        gateway.add_fault("drop", operation="Sms/Send")
    with flask(gateway) as url:

        def ask(path: str, **form: Any) -> int:  # noqa: ANN401 - a form's fields
            return requests.post(f"{url}{path}", data={"phone": NUMBER, **form}, timeout=30).status_code

        assert [202, 429] == [ask("/codes"), ask("/codes")]
        code = code_of(gateway)
        assert [403, 200, 410] == [ask("/codes/check", code=one) for one in ("no", code, code)]
    assert 1 == len(arrived(gateway))


def test_flask_forgets_a_code_that_was_not_sent(gateway: Sandbox) -> None:
    """A refusal is told, and another code may be asked for at once; guesses end after five."""
    gateway.add_fault("error", code=5, operation="Sms/Send", times=1)
    with flask(gateway) as url:
        form = {"phone": NUMBER}
        assert [503, 202] == [requests.post(f"{url}/codes", data=form, timeout=30).status_code for _ in range(2)]
        assert 422 == requests.post(f"{url}/codes", data={"phone": FIXED}, timeout=30).status_code
        guesses = [{**form, "code": "no"}] * 5 + [{**form, "code": code_of(gateway)}]
        told = [requests.post(f"{url}/codes/check", data=guess, timeout=30).status_code for guess in guesses]
    assert [403] * 5 + [410] == told
