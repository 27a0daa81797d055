"""The settings of allauth's own tests, with our adapter in the place of theirs."""

from __future__ import annotations

import os

from tests.projects.regular import settings as theirs  # allauth's own, in whose folder this runs

globals().update({name: getattr(theirs, name) for name in dir(theirs) if name.isupper()})
# Without what has to do with no phone, and needs packages of its own: other providers, keys, an OpenID provider.
LEFT_OUT = ("allauth.socialaccount.providers.", "allauth.mfa", "allauth.idp.")
INSTALLED_APPS = (
    *(app for app in theirs.INSTALLED_APPS if not app.startswith(LEFT_OUT)),
    "allauth.socialaccount.providers.dummy",
    "devinotify_django",
)
ROOT_URLCONF = "shim_urls"
ACCOUNT_ADAPTER = "shim_adapter.Adapter"
DEVINOTIFY = {
    "default": {
        "URL": os.environ["SHIM_URL"],
        "OUTBOX": os.environ["SHIM_OUTBOX"],
        "OTP": {"LIMIT": 1000, "ADDRESS_LIMIT": 1000},
    }
}
