"""The Notifiers of this process: one for each URL, made when it is first asked for, closed at its end.

``notifiers`` makes a provider for each message; the login and the connections outlive it here.
"""

from __future__ import annotations

from devinotify import DevinoURL, Notifier, Pool

CAPACITY = 32
"""Notifiers that are kept: a URL may be made for each message. Whoever is using one that is closed opens a connection
anew."""

shared: Pool[DevinoURL, Notifier] = Pool(Notifier, Notifier.close, capacity=CAPACITY)
"""Those of this process; ``get`` raises InvalidInput where channel, sender or outbox are wrong."""
