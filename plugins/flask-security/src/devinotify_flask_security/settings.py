"""What an app's config says about its SMS: one table of keys. Pure.

The URL is in ``SECURITY_SMS_SERVICE_CONFIG["URL"]``, where Flask-Security keeps what belongs to its SMS service, else
in ``DEVINOTIFY_URL``. How long a code is good and how numbers are written is Flask-Security's own setting.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from devinotify import DevinoURL, InvalidInput, InvalidURL

if TYPE_CHECKING:
    from collections.abc import Mapping

URL = "DEVINOTIFY_URL"
SERVICE_CONFIG = "SECURITY_SMS_SERVICE_CONFIG"
FROM = "PHONE_NUMBER"
REGION = "SECURITY_PHONE_REGION_DEFAULT"
VALIDITIES: Mapping[str, str] = {
    "SECURITY_TWO_FACTOR": "SECURITY_TWO_FACTOR_SMS_VALIDITY",
    "SECURITY_UNIFIED_SIGNIN": "SECURITY_US_TOKEN_VALIDITY",
}
"""By each feature that sends codes: for how many seconds one is good."""
LONGEST = 7 * 24 * 60
"""Minutes that the gateway goes on delivering an SMS for, at most."""


def account(config: Mapping[str, Any], sender: str | None = None) -> DevinoURL:
    """Return the account of an app, with another ``sender`` where one is given; raise InvalidURL where it is wrong."""
    given = (config.get(SERVICE_CONFIG) or {}).get("URL") or config.get(URL)
    if not isinstance(given, str | DevinoURL) or not given:
        raise InvalidURL(f"the app has no URL: set {URL} in its config to devino://LOGIN:PASSWORD@SENDER")
    url = DevinoURL.parse(given) if isinstance(given, str) else given
    changes = {
        "sender": sender or None,
        # A URL that has one of its own knows better.
        "validity": url.validity or validity(config),
        # A number that Flask-Security has taken for good is read as it read it.
        "region": config.get(REGION) or None,
    }
    return url.with_options(**{name: value for name, value in changes.items() if value is not None})


def from_number(config: Mapping[str, Any]) -> str | None:
    """Return what Flask-Security hands over as the sender; raise InvalidInput where it would fail to.

    It looks the key up without asking whether it is there, and tells nobody of the KeyError.
    """
    service = config.get(SERVICE_CONFIG, {FROM: None})
    if FROM not in service:
        raise InvalidInput(f"{SERVICE_CONFIG} has no {FROM}, which Flask-Security needs: None is the URL's sender")
    number: str | None = service[FROM]
    return number


def validity(config: Mapping[str, Any]) -> int | None:
    """Return for how many minutes a code is worth delivering, ``None`` where no setting says it.

    A sender is not told what its code is for: where both features are on, it is the longer of the two.
    """
    seconds = [config.get(name) for feature, name in VALIDITIES.items() if config.get(feature)]
    known = [value for value in seconds if isinstance(value, int | float) and value > 0]
    return min(math.ceil(max(known) / 60), LONGEST) if known else None
