"""A pytest plugin: a sandbox, and what arrived there in the place of the list that allauth's tests look into."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import pytest
from devinotify.sandbox import Sandbox

if TYPE_CHECKING:
    from collections.abc import Iterator

gateway = Sandbox().start()
os.environ["SHIM_URL"] = gateway.url
gateway.add_fault("drop", operation="Sms/Send", accepts=True)


class Arrived:
    """What arrived at the sandbox, in the words of allauth's tests."""

    def __len__(self) -> int:
        return len(gateway.messages())

    def __getitem__(self, index: int) -> dict[str, Any]:
        from shim_adapter import made_up
        from tests.projects.common import phone_stub

        message = gateway.messages()[index]
        phone = made_up[message.recipient]
        if message.text.startswith("There is"):
            return {"phone": phone, "reason": "unknon" if " no " in message.text else "exists"}
        return {"user_id": phone_stub.get_user_id_by_phone(phone), "phone": phone, "code": message.text}

    def __eq__(self, other: object) -> bool:
        return [self[index] for index in range(len(self))] == other

    __hash__ = None  # type: ignore[assignment] # it changes

    def clear(self) -> None:
        """Forget what arrived."""
        gateway.delete()


@pytest.fixture(scope="session", autouse=True)
def _arrived() -> Iterator[None]:
    from tests.projects.common import phone_stub

    phone_stub.sms_outbox = Arrived()
    yield
    gateway.stop()
