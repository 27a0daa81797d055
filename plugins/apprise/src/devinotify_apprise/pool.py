"""What URLs share: one Client for each account, so that there is one login and its connections stay open.

Apprise makes plugins and throws them away, its API for every request; clients and notifiers outlive them here. Only
memory holds them, and the session ids in them. What was not used for longest is let go when there are too many.
"""

from __future__ import annotations

import atexit
import os
from collections import OrderedDict
from threading import Lock
from typing import TYPE_CHECKING

from devinotify import Client, DevinoURL, Notifier

if TYPE_CHECKING:
    from collections.abc import Hashable

CAPACITY = 64
"""Clients that are kept, and as many notifiers."""


class Pool:
    """Clients by account and Notifiers by settings; safe to share between threads."""

    def __init__(self, capacity: int = CAPACITY) -> None:
        self._capacity = capacity
        self._clients: OrderedDict[Hashable, Client] = OrderedDict()
        self._notifiers: OrderedDict[DevinoURL, Notifier] = OrderedDict()
        self._lock = Lock()

    def notifier(self, settings: DevinoURL) -> Notifier:
        """Return the Notifier of these settings, made where there is none; raises what ``Notifier`` raises."""
        with self._lock:
            notifier = self._notifiers.get(settings)
            if notifier is None:
                notifier = Notifier(settings, client=self._client(settings))
                self._notifiers[settings] = notifier
            self._notifiers.move_to_end(settings)
            while len(self._notifiers) > self._capacity:
                # Not closed: a plugin may be using it. Its outbox, if it has one, is closed with its last user.
                self._notifiers.popitem(last=False)
            return notifier

    def _client(self, settings: DevinoURL) -> Client:
        # What a client needs by itself and nothing that is a message's, or the next URL would inherit it.
        own = DevinoURL(
            settings.login,
            settings.password,
            settings.sender,
            gateway=settings.gateway,
            timeout=settings.timeout,
            ca=settings.ca,
            insecure=settings.insecure,
        )
        key = (own.login, own.password, own.gateway, own.timeout, own.ca)
        client = self._clients.get(key)
        if client is None:
            client = self._clients[key] = Client(own)
        self._clients.move_to_end(key)
        while len(self._clients) > self._capacity:
            self._clients.popitem(last=False)[1].close()  # its idle connections; whoever is using it opens new ones
        return client

    def start_anew(self) -> None:
        """Go on in a process that was forked off: with the same accounts, and without waiting for anybody.

        Where a thread of the parent's was at work here, its lock is held for ever in the child, and what it was doing
        is half done: the accounts are forgotten then, and made again when they are asked for.
        """
        if self._lock.locked():
            self._clients, self._notifiers = OrderedDict(), OrderedDict()
        self._lock = Lock()

    def close(self) -> None:
        """Close all connections and forget the accounts."""
        with self._lock:
            for notifier in self._notifiers.values():
                notifier.close()
            for client in self._clients.values():
                client.close()
            self._notifiers.clear()
            self._clients.clear()


shared: Pool = Pool()
"""The pool of this process."""

atexit.register(shared.close)
if hasattr(os, "register_at_fork"):  # not on Windows
    os.register_at_fork(after_in_child=shared.start_anew)
