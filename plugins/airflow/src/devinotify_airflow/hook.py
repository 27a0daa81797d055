"""The hook: an account at the gateway, from an Airflow connection of the type ``devino``.

The triggerer imports this in its loop. So what takes time to import is imported where it is used, in threads.
"""

from __future__ import annotations

import asyncio
import os
from typing import TYPE_CHECKING, Any, NoReturn

from airflow.providers.common.compat.sdk import AirflowException, AirflowFailException, BaseHook, mask_secret
from devinotify import DevinotifyError, Verdict

from devinotify_airflow import provider
from devinotify_airflow.connection import secrets_of, url_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from devinotify import AsyncNotifier, DevinoURL, Notifier

    from devinotify_airflow.sending import Order, Standing

DEFAULT = "devinotify_default"
OUTBOX = "DEVINOTIFY_OUTBOX"
"""The environment variable that names the outbox where the connection does not."""
SHOWN = 3
"""Recipients that an exception tells of."""


class DevinoHook(BaseHook):
    """An account at the gateway; ``devinotify_conn_id`` names an Airflow connection of the type ``devino``.

    Its login and password are the account's, its host is the sender, its extra holds the keys of devinotify's URL:
    ``to``, ``channel``, ``outbox``, …, and ``from`` for a sender in a connection URI, whose host Airflow reads in lower
    case.
    """

    conn_name_attr = "devinotify_conn_id"
    default_conn_name = DEFAULT
    conn_type = provider.CONNECTION_TYPE
    hook_name = provider.HOOK_NAME

    def __init__(self, devinotify_conn_id: str = DEFAULT, **options: Any) -> None:  # noqa: ANN401 - the base class's own
        super().__init__(**options)
        self.devinotify_conn_id = devinotify_conn_id

    @classmethod
    def get_ui_field_behaviour(cls) -> dict[str, Any]:
        """Return how Airflow before 3.2 shows the form's standard fields; later ones read ``get_provider_info``."""
        return {
            "hidden_fields": list(provider.HIDDEN),
            "relabeling": dict(provider.RELABELED),
            "placeholders": dict(provider.PLACEHOLDERS),
        }

    @classmethod
    def get_connection_form_widgets(cls) -> dict[str, Any]:
        """Return the form's own fields for Airflow before 3.2, as above."""
        from wtforms import StringField

        return {
            name: StringField(field.label, description=field.description) for name, field in provider.FIELDS.items()
        }

    def get_conn(self) -> Notifier:
        """Return a Notifier, which the caller closes; raise InvalidURL where the connection is wrong."""
        from devinotify import Notifier

        return Notifier(self.get_url())

    def get_url(self) -> DevinoURL:
        """Return the connection as devinotify's URL; raise InvalidURL that says what is wrong with it."""
        return _masked(url_of(self.get_connection(self.devinotify_conn_id)))

    async def aget_url(self) -> DevinoURL:
        """Return the connection as ``get_url`` does, without blocking the loop."""
        if hasattr(self, "aget_connection"):
            url = url_of(await self.aget_connection(self.devinotify_conn_id))
            return await asyncio.to_thread(_masked, url)  # it tells the process that keeps the log, and waits for that
        return await asyncio.to_thread(self.get_url)  # before Airflow 3.1

    def test_connection(self) -> tuple[bool, str]:
        """Return whether the gateway takes the credentials, and the balance or what is wrong: for the form's button.

        Nothing is said of the sender: Airflow makes a URI of what is tested, and reads its host in lower case.
        """
        from devinotify import Client

        try:
            with Client(self.get_url()) as client:
                return True, f"The balance is {client.user.balance()}"
        except DevinotifyError as error:
            return False, str(error)

    def send(
        self,
        text: str,
        to: str | Iterable[str] | None = None,
        *,
        title: str | None = None,
        channel: str | None = None,
        key: str | None = None,
    ) -> list[Standing]:
        """Send a text, once for each recipient where it has a ``key``, and return how it stands with them: accepted.

        ``to`` is a number or alias, several with commas between, or several of them; without it the connection's own.
        Raises AirflowException, with the verdict by its name, where it may be sent again, and AirflowFailException,
        after which Airflow tries nothing again, where it may not.
        """
        try:
            with self.get_conn() as notifier:
                return _checked(_order(notifier.url, text, to, title, channel, key).send(notifier))
        except DevinotifyError as error:
            _fail([f"{error.verdict}: {error}"], again=error.retryable)

    async def asend(
        self,
        text: str,
        to: str | Iterable[str] | None = None,
        *,
        title: str | None = None,
        channel: str | None = None,
        key: str | None = None,
    ) -> list[Standing]:
        """Send as ``send`` does, without blocking the loop: gateway, outbox and hooks are at work in threads."""
        try:
            url = await self.aget_url()
            order = await asyncio.to_thread(_order, url, text, to, title, channel, key)
            # Made in a thread as well: it reads plugins, and opens the outbox.
            async with await asyncio.to_thread(_async_notifier, url) as notifier:
                return _checked(await notifier.run(order.send))
        except DevinotifyError as error:
            _fail([f"{error.verdict}: {error}"], again=error.retryable)


def _masked(url: DevinoURL) -> DevinoURL:
    """Return the URL, once Airflow masks its outbox's password in logs, as it does the connection's own by itself."""
    for secret in secrets_of(url.outbox or os.environ.get(OUTBOX)):
        mask_secret(secret)
    return url


def _async_notifier(url: DevinoURL) -> AsyncNotifier:
    from devinotify import AsyncNotifier

    return AsyncNotifier(url)


def _order(
    url: DevinoURL,
    text: str,
    to: str | Iterable[str] | None,
    title: str | None,
    channel: str | None,
    key: str | None,
) -> Order:
    from devinotify_airflow.sending import Order

    # An outbox may be that of several accounts: what one has sent, another has not.
    return Order(text, _listed(to), title, channel, None if key is None else f"{key}/{url.account}")


def _listed(to: str | Iterable[str] | None) -> list[str] | None:
    """Return recipients one by one, as a template may have made one text of several, or a number of a text."""
    if to is None:
        return None
    given = str(to).split(",") if isinstance(to, str | int) else map(str, to)
    return [each.strip() for each in given if each.strip()]


def _checked(standings: Sequence[Standing]) -> list[Standing]:
    """Return how it stands with all recipients, where that is accepted, and raise otherwise."""
    failed = [standing for standing in standings if standing.verdict is not Verdict.ACCEPTED]
    if failed:
        _fail(list(map(str, failed)), again=all(standing.again for standing in failed))
    return list(standings)


def _fail(told: list[str], *, again: bool) -> NoReturn:
    more = f"; and {len(told) - SHOWN} more" if len(told) > SHOWN else ""
    raise (AirflowException if again else AirflowFailException)("; ".join(told[:SHOWN]) + more) from None
