"""``logging.error`` on the on-call phone: a handler that sends records by SMS or Viber, a few of a storm at most.

>>> handler = DevinoHandler("devino://login:password@SENDER/79161234567")
>>> logging.getLogger().addHandler(handler)

It stands in ``logging.config``, Django's ``LOGGING``, loguru and structlog; ``devinotify log-test`` tries it.
"""

from devinotify_logging import command as plugin
from devinotify_logging.counters import Counters
from devinotify_logging.handler import DevinoHandler

__all__ = ["Counters", "DevinoHandler", "plugin"]
