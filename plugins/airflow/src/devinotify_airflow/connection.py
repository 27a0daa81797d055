"""An Airflow connection as devinotify's one URL, and what is secret in an outbox. Pure."""

from __future__ import annotations

import json
import re
from typing import Any
from urllib.parse import parse_qsl, quote, unquote

from devinotify import DevinoURL, InvalidURL

_SAFE = "/:+,"
_DATABASE = re.compile(r"[a-z]+://(?P<authority>[^/?#]*)[^?#]*\??(?P<query>[^#]*)")


def url_of(connection: Any) -> DevinoURL:  # noqa: ANN401 - a class of Airflow's, another in each version
    """Return the account that a connection stands for; raise InvalidURL that names what is wrong, showing no secret.

    Login and password are themselves; the host is the sender, the schema holds recipients with slashes between, as
    they stand in a URL, and the extra holds the keys of the URL's query. A host that Airflow reads from a URI is in
    lower case: there the key ``from`` has the sender.
    """
    try:
        return _read(connection)
    except InvalidURL as error:
        refusal = error
    # Without its traceback: the frames of the reading hold the password.
    raise refusal.with_traceback(None)


def _read(connection: Any) -> DevinoURL:  # noqa: ANN401 - as above
    options = _options(connection.extra).items()
    query = "&".join(f"{quote(key, safe='')}={quote(text, safe=_SAFE)}" for key, text in options)
    credentials = ":".join(quote(part or "", safe="") for part in (connection.login, connection.password))
    path = "".join(f"/{quote(target, safe='+')}" for target in (connection.schema or "").split("/") if target)
    return DevinoURL.parse(f"devino://{credentials}@{quote(connection.host or '', safe='')}{path}?{query}")


def secrets_of(outbox: str | None) -> frozenset[str]:
    """Return the passwords in an outbox's URL, as they are meant and as they are written; none where it is a file."""
    if not outbox or not (database := _DATABASE.match(outbox)):
        return frozenset()
    written = database["authority"].rpartition("@")[0].partition(":")[2]
    named = [value for name, value in parse_qsl(database["query"]) if "password" in name]
    meant = {unquote(written), *named} - {""}
    return frozenset({written, *meant, *(quote(each, safe="") for each in meant)} - {""})


def _options(extra: str | None) -> dict[str, str]:
    """Return the keys of a connection's extra as the URL has them: what the form left empty is not there."""
    try:
        given = json.loads(extra) if extra else {}
    except ValueError:
        given = None
    if not isinstance(given, dict):
        raise _refusal("is to be a JSON object of keys such as channel and to")
    return {key: _text(key, value) for key, value in given.items() if value is not None and value not in ("", [])}


def _text(key: str, value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, str | int | float):
        return str(value)
    if isinstance(value, list) and all(isinstance(each, str) for each in value):
        return ",".join(value)
    raise _refusal(f"has a value for {key} that is neither a text nor a number")


def _refusal(problem: str) -> InvalidURL:
    return InvalidURL(f"the connection's extra {problem}")
