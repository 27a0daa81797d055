"""The sender: what Flask-Security hands each code to."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from devinotify import DevinotifyError, Verdict, mask_number
from flask_security import SmsSenderBaseClass, SmsSenderFactory

from devinotify_flask_security import settings
from devinotify_flask_security.notifiers import get_notifier

if TYPE_CHECKING:
    from flask import Flask

log: logging.Logger = logging.getLogger(__name__)

NAME = "Devino"
"""What ``SECURITY_SMS_SERVICE`` is set to."""


class DevinoSmsSender(SmsSenderBaseClass):
    """Sends codes by devinotify, with the settings of the app that is current.

    ``from_number`` is ``PHONE_NUMBER`` of ``SECURITY_SMS_SERVICE_CONFIG``: the sender in place of the URL's.
    """

    def send_sms(self, from_number: str | None, to_number: str, msg: str) -> None:
        """Send a code, and return where it may arrive; raise DevinotifyError where it cannot.

        Whoever is told of a failure is offered no field for the code, so a lost answer (``unknown``) is none: it is
        logged as a warning. Flask-Security tells the user of an error and nobody else, so errors are logged as well.
        """
        try:
            # What asks for a code is awake.
            outcomes = get_notifier(sender=from_number).notify(msg, to_number, tags="urgent")
        except DevinotifyError as error:
            if error.verdict is Verdict.UNKNOWN:
                log.warning("a code may or may not have been sent: %s", error)
                return
            log.error("a code was not sent: %s", error)
            raise
        failed = [outcome for outcome in outcomes if outcome.verdict in (Verdict.REJECTED, Verdict.NOT_SENT)]
        lost = len(failed) == len(outcomes)  # an alias may stand for several
        for outcome in outcomes:
            masked = mask_number(outcome.recipient)
            if outcome.verdict is Verdict.UNKNOWN:
                log.warning("a code to %s may or may not have been sent: %s", masked, outcome.error)
            elif outcome in failed:
                log.log(
                    logging.ERROR if lost else logging.WARNING, "a code to %s was not sent: %s", masked, outcome.error
                )
        if lost:
            raise failed[0].error or DevinotifyError("the code was not sent", verdict=failed[0].verdict)


def register(app: Flask | None = None) -> None:
    """Make the service ``Devino`` known to Flask-Security; any number of times, before or after ``Security(app)``.

    With an ``app`` its settings are looked at now: raises InvalidURL, InvalidSender or another InvalidInput for what
    nothing could be sent by.
    """
    SmsSenderFactory.senders[NAME] = DevinoSmsSender
    if app is not None:
        get_notifier(app, sender=settings.from_number(app.config))
