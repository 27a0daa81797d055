"""The settings of a client: a ``devino://`` URL, or what is given by keyword, or both. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from devinotify import url as urls
from devinotify.exceptions import InvalidURL

if TYPE_CHECKING:
    from devinotify.url import DevinoURL


def read_settings(url: str | DevinoURL | None, *, gateway: str | None, **others: str | float | None) -> DevinoURL:
    """Return the settings of a URL, with those that are given by keyword in their place.

    What is ``None`` is not given. Raises InvalidURL for a bad setting, and without a URL for a ``login``, ``password``
    or ``sender`` that is missing. Texts come here hidden, since they stay in the frame.
    """
    settings = {**others, "gateway": gateway if gateway is None else gateway.rstrip("/")}
    given = {name: value for name, value in settings.items() if value is not None}
    if url is None:
        missing = [name for name in ("login", "password", "sender") if name not in given]
        if missing:
            raise InvalidURL(
                f"{' and '.join(missing)} missing: give a devino:// URL, or login, password and sender;"
                " DEVINOTIFY_URL is not read here: give DevinoURL.in_environment(), and `devinotify url` writes one"
            )
        return urls.DevinoURL(**given)  # type: ignore[arg-type]  # it checks what it is given
    parsed = url if isinstance(url, urls.DevinoURL) else urls.parse(url)
    return parsed.with_options(**given)
