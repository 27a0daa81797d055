"""The settings of allauth's own tests, with our adapter in the place of theirs."""

from __future__ import annotations

import os

from tests.projects.account_only import settings as theirs  # allauth's own, in whose folder this runs

globals().update({name: getattr(theirs, name) for name in dir(theirs) if name.isupper()})
INSTALLED_APPS = (*theirs.INSTALLED_APPS, "devinotify_django")
ACCOUNT_ADAPTER = "shim_adapter.Adapter"
DEVINOTIFY = {
    "default": {
        "URL": os.environ["SHIM_URL"],
        "OUTBOX": os.environ["SHIM_OUTBOX"],
        "OTP": {"LIMIT": 1000, "ADDRESS_LIMIT": 1000},
    }
}
