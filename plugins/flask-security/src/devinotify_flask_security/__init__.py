"""The SMS of Flask-Security's codes, by devinotify.

>>> import devinotify_flask_security
>>> devinotify_flask_security.register()
>>> app.config["SECURITY_SMS_SERVICE"] = "Devino"
"""

from __future__ import annotations

from devinotify_flask_security.notifiers import get_notifier
from devinotify_flask_security.sender import DevinoSmsSender, register

__all__ = ["DevinoSmsSender", "get_notifier", "register"]
