"""Documents posted to an address of one's own: signed, and told as not posted unless they were answered with 2xx."""

from __future__ import annotations

import hashlib
import hmac
import time
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import requests

from devinotify.exceptions import DevinotifyError, Verdict
from devinotify.hosts import is_loopback

if TYPE_CHECKING:
    from collections.abc import Callable

SECRET = "DEVINOTIFY_POST_SECRET"  # noqa: S105 - the variable's name
"""The environment variable of the secret that posts are signed with."""
CONNECTING, ANSWERING = 5.0, 30.0
"""Seconds for the connection, and for each part of the answer."""


class Poster:
    """Posts to ``url``, signed with ``secret``; ``clock`` returns seconds since the epoch.

    With ``clear_only_here`` an address in the clear has to be on this machine; ``otherwise`` is what an error says of
    what was not posted.

    The header ``X-Devinotify-Signature`` is ``sha256=`` and the HMAC-SHA-256, in hex, of the header
    ``X-Devinotify-Timestamp`` (seconds since the epoch), a point, and the body. Raises ValueError for an address that
    is not one.
    """

    def __init__(
        self,
        url: str,
        secret: str,
        clock: Callable[[], float] = time.time,
        *,
        clear_only_here: bool = False,
        otherwise: str = "",
    ) -> None:
        try:
            parts = urlsplit(url)
            known = parts.scheme in ("http", "https") and bool(parts.hostname)
            self.host: str = parts.hostname or ""
        except ValueError:
            known = False
        if not known:
            raise ValueError("it takes an address that begins with https:// or http://")
        here = is_loopback(self.host)
        if clear_only_here and parts.scheme == "http" and not here:
            raise ValueError("it takes https:// alone, or http:// to this machine: numbers and texts go there")
        self._url = url
        self._secret = secret.encode()
        self._clock = clock
        self._otherwise = otherwise
        self._session = requests.Session()
        self._session.trust_env = not here  # what goes to this machine goes past any proxy

    def post(self, body: bytes) -> None:
        """Post a JSON document; raise DevinotifyError, which tells nothing of it, unless the answer is 2xx."""
        stamp = str(int(self._clock()))
        signature = hmac.new(self._secret, stamp.encode() + b"." + body, hashlib.sha256).hexdigest()
        headers = {
            "Content-Type": "application/json; charset=utf-8",
            "X-Devinotify-Timestamp": stamp,
            "X-Devinotify-Signature": f"sha256={signature}",
        }
        try:
            with self._session.post(
                self._url,
                data=body,
                headers=headers,
                timeout=(CONNECTING, ANSWERING),
                allow_redirects=False,
                stream=True,  # nobody reads what it says
            ) as answer:
                status = answer.status_code
        except (requests.RequestException, ValueError) as error:
            raise self._failed(type(error).__name__) from None
        if not 200 <= status < 300:
            raise self._failed(f"it answered {status}")

    def close(self) -> None:
        """Close the connection."""
        self._session.close()

    def _failed(self, why: str) -> DevinotifyError:
        told = f"what came in could not be posted to {self.host}: {why}{self._otherwise}"
        return DevinotifyError(told, operation="post", verdict=Verdict.UNKNOWN, retryable=True)
