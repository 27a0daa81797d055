"""A request of the log as lines for a shell, that make it again. Pure.

What is masked in the log is not in the lines either: a session is opened anew, with the account's login and, where it
is not the published one of the sandbox, a placeholder for its password.
"""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

from devinotify.hosts import is_base_url
from devinotify.sandbox.operations import LOGIN, find

if TYPE_CHECKING:
    from devinotify.sandbox.requestlog import RequestRecord

BASE = "http://127.0.0.1:8026/rest"
"""The gateway where none is named: the one that ``devinotify sandbox`` runs."""
_CUT = "…"


def lines(record: RequestRecord, base: str, login: str, password: str) -> str:
    """Return the lines; raises ValueError for a request that is not one of the API's, or was not kept whole."""
    operation = find(record.path)
    if operation is None:
        raise ValueError("this request is not one of the API's")
    if not is_base_url(base):
        raise ValueError("base must be a URL such as " + BASE)
    if _CUT in record.query[-40:] or _CUT in record.body[-40:] or record.body == "***":
        raise ValueError("this request was too long, or of a kind that is not kept whole")
    base = base.rstrip("/")
    account = [("Login", login), ("Password", password)]
    parameters = [
        (parameter.name, value)
        for parameter in operation.parameters
        for value in record.parameters.get(parameter.name.lower(), ())
        if parameter.name not in {"SessionID", "Login", "Password"}
    ]
    session, shown = [], [_field(name, value) for name, value in parameters]
    if operation.name == LOGIN or operation.v2:
        shown = [_field(name, value) for name, value in account] + shown
    elif operation.in_session:
        fields = " ".join(_field(name, value) for name, value in account)
        session = [f"SESSION=$(curl -sS {shlex.quote(f'{base}/User/SessionID')} {fields} | tr -d '\"')"]
        shown.insert(0, '-d "SessionID=$SESSION"')
    path = f"{base}{'/v2' if operation.v2 else ''}/{operation.name}"
    method = "" if "POST" in operation.methods else "-G "
    return "\n".join([*session, " \\\n  ".join([f"curl -sS {method}{shlex.quote(path)}", *shown])])


def _field(name: str, value: str) -> str:
    return f"--data-urlencode {shlex.quote(f'{name}={value}')}"
