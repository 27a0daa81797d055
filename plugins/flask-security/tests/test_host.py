"""Flask-Security as a host of devinotify: the conformance suite."""

from __future__ import annotations

from typing import TYPE_CHECKING

from devinotify import DevinotifyError
from devinotify.testing import HostSuite, Told
from flask import Flask
from flask_security import SmsSenderFactory

from devinotify_flask_security import register

if TYPE_CHECKING:
    from collections.abc import Sequence


class TestSender(HostSuite):
    """Somebody who asks for one more code where he is told that it could not be sent."""

    def send(self, url: str, text: str, to: Sequence[str]) -> Told:
        """Send to each number as Flask-Security does, with a sender that it makes for each."""
        register()
        app = Flask("shop")
        app.config.update(DEVINOTIFY_URL=url, SECURITY_PHONE_REGION_DEFAULT="RU")
        errors = []
        with app.app_context():
            for number in to:
                sender = SmsSenderFactory.createSender("Devino")
                try:
                    sender.send_sms(from_number=None, to_number=number, msg=text)
                except DevinotifyError as error:
                    errors.append(error)
        return Told(sent=not errors, again=bool(errors) and len(to) == 1)
