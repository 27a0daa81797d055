"""Django's signals for what becomes of messages; a receiver that raises is logged and breaks nothing.

=================  ================================================  =====================================
signal             sent                                              arguments
=================  ================================================  =====================================
``sms_outcome``    once for each recipient of each send              ``using``, ``message``, ``outcome``
``sms_status``     when a new delivery state is seen by a worker     ``using``, ``receipt``, ``state``
``sms_received``   once for each SMS that subscribers send           ``using``, ``message``
=================  ================================================  =====================================

``using`` is the alias in ``DEVINOTIFY``. They are sent in the thread and the process that did it: the worker's, for
what a worker sends. SMS of subscribers are read by ``devinotify_worker --incoming`` and ``devinotify_incoming``; one
that was being told of when its process was killed comes again, with the same ``id``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from devinotify import hookimpl
from django.dispatch import Signal

if TYPE_CHECKING:
    from devinotify import IncomingSms, Message, Outcome, Receipt, SmsState

sms_outcome: Signal = Signal()
sms_status: Signal = Signal()
sms_received: Signal = Signal()


class Announcer:
    """The hook plugin of one alias that turns what devinotify tells into signals."""

    def __init__(self, using: str) -> None:
        self._using = using

    @hookimpl
    def devinotify_outcome_recorded(self, message: Message, outcome: Outcome) -> None:
        """Tell what became of a message for one recipient."""
        sms_outcome.send_robust(sender=Announcer, using=self._using, message=message, outcome=outcome)

    @hookimpl
    def devinotify_status_changed(self, receipt: Receipt, state: SmsState) -> None:
        """Tell the new state of a delivery."""
        sms_status.send_robust(sender=Announcer, using=self._using, receipt=receipt, state=state)

    @hookimpl
    def devinotify_message_received(self, message: IncomingSms) -> None:
        """Tell of an SMS that a subscriber sent."""
        sms_received.send_robust(sender=Announcer, using=self._using, message=message)
