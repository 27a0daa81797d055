"""The client: the 14 operations of the gateway as methods, over blocking sockets.

What is asked and what is made of the replies is ``calls``; in which order and how often, ``conversation``. ``Client``
leads that conversation over ``transport`` and ``session``, for any number of threads.
"""

from __future__ import annotations

import logging
import random
import time
from typing import TYPE_CHECKING, TypeVar

from devinotify.closing import Closable, close_all
from devinotify.gateway import calls, conversation
from devinotify.gateway.conversation import Exchange, LogIn, Pause
from devinotify.gateway.departure import require_departure
from devinotify.gateway.resources import Sms, User, Viber
from devinotify.gateway.session import Session
from devinotify.gateway.settings import read_settings
from devinotify.gateway.transport import Transport
from devinotify.redact import hide

if TYPE_CHECKING:
    from devinotify.gateway.calls import Call
    from devinotify.gateway.conversation import Instruction, SessionState
    from devinotify.redact import Secret
    from devinotify.url import DevinoURL

R = TypeVar("R")

log: logging.Logger = logging.getLogger(__name__)

BULK_LIMIT = calls.BULK_LIMIT


class Client(Closable):
    """A client of the gateway: ``client.user``, ``client.sms`` and ``client.viber``; thread-safe, a context manager.

    Made from a ``devino://`` URL, or from ``login``, ``password`` and ``sender``; settings given by keyword
    come before those on the URL. ``timeout`` is in seconds, ``validity`` (of messages that name none) in minutes.
    Nothing is sent on construction; the first operation logs in. Raises InvalidURL for bad settings.

    A send is repeated only when it provably never left (up to 3 times) or when the gateway asked for a new
    login (once). Whatever else goes wrong is raised, with its ``verdict``.
    """

    _repetition = staticmethod(conversation.repetition)

    def __init__(
        self,
        url: str | DevinoURL | None = None,
        *,
        login: str | None = None,
        password: str | None = None,
        sender: str | None = None,
        gateway: str | None = None,
        region: str | None = None,
        timeout: float | None = None,
        ca: str | None = None,
        insecure: bool | None = None,
        validity: int | None = None,
    ) -> None:
        url, password = hide(url), hide(password)
        self.url: DevinoURL = read_settings(
            url,
            login=login,
            password=password,
            sender=sender,
            gateway=gateway,
            region=region,
            timeout=timeout,
            ca=ca,
            insecure=insecure,
            validity=validity,
        )
        self._transport = Transport(self.url.gateway, timeout=self.url.timeout, ca=self.url.ca)
        self._session = Session(self._log_in)
        self._sleep = time.sleep
        self.user: User = User(self)
        self.sms: Sms = Sms(self)
        self.viber: Viber = Viber(self)

    @property
    def session(self) -> SessionState:
        """What is known of the session, for a client of an event loop beside this one: one login serves both."""
        return self._session.state

    def __repr__(self) -> str:
        return f"<Client {getattr(self, 'url', 'of bad settings')}>"  # printers ask while it is being made, too

    def close(self) -> None:
        """Close the connections and forget the session; using the client again opens new ones.

        Where this fails while an exception is being handled, the failure is logged and that exception goes on.
        """
        close_all(log, "the client", self._transport.close, self._session.forget)

    def call(self, call: Call[R]) -> R:
        """Perform one operation within a session, renewing it once where the gateway asks for that."""
        return conversation.lead(conversation.converse(call, random.random, self._repetition), self._take)

    def _log_in(self) -> Secret:
        return conversation.lead(conversation.log_in(self.url, random.random, self._repetition), self._take)

    def _take(self, instruction: Instruction) -> object:
        match instruction:
            case Exchange(request):
                if request.method == "POST":  # as every send is, and nothing else
                    require_departure()
                return self._transport.exchange(request)
            case Pause(seconds):
                return self._sleep(seconds)
            case LogIn(refused):
                return self._session.get(refused)
