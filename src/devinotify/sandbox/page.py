"""The page at ``/``: what arrived, and how to send the first message. It asks no other host for anything."""

from __future__ import annotations

import base64
import hashlib
from html import escape
from typing import TYPE_CHECKING
from urllib.parse import quote

from devinotify.sandbox import views
from devinotify.sandbox.control import matching

if TYPE_CHECKING:
    from collections.abc import Iterable

    from devinotify.sandbox.emulator import Emulator
    from devinotify.sandbox.views import Arrived

PLACEHOLDER = "PASSWORD"
"""What the examples show in place of a password that is not the published default."""

SHOWN = 100
"""Messages on the page; the control API lists the rest."""

_STYLE = """
:root { color-scheme: light dark; font: 16px/1.5 system-ui, sans-serif }
body { margin: 2rem auto; max-width: 70rem; padding: 0 1rem }
.scroll { overflow-x: auto }
table { border-collapse: collapse; width: 100% }
th, td { border-bottom: 1px solid #8886; padding: .4rem .6rem; text-align: left; vertical-align: top }
td.text { overflow-wrap: anywhere; white-space: pre-wrap }
pre { background: #8882; overflow-x: auto; padding: 1rem }
"""

_STYLE_HASH = base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()

HEADERS = (
    (b"content-type", b"text/html; charset=utf-8"),
    (
        b"content-security-policy",
        f"default-src 'none'; style-src 'sha256-{_STYLE_HASH}'; base-uri 'none'; form-action 'none';"
        " frame-ancestors 'none'".encode(),
    ),
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    (b"cache-control", b"no-store"),
)
"""The page's headers: nothing but its own style sheet may load or run."""

_PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>devinotify sandbox</title>
<style>{style}</style>
</head>
<body>
<main>
<h1>devinotify sandbox</h1>
<p>Base URL <code>{base}</code> · {total} messages · balance {balance}</p>
{content}
<h2>Send {which} message</h2>
<pre>{curl}</pre>
<pre>{python}</pre>
<p>Reload to see it here. JSON: <a href="/sandbox/messages">/sandbox/messages</a> ·
every route: <a href="/sandbox">/sandbox</a> · fates and magic numbers: <a href="/sandbox/fates">/sandbox/fates</a></p>
</main>
</body>
</html>
"""

_CURL = """SESSION=$(curl -s '{base}/user/sessionid?login={login}&password={password}' | tr -d '"')
curl '{base}/Sms/Send' -d "SessionID=$SESSION" -d SourceAddress=DEVINO \\
  -d DestinationAddress=79161234567 --data-urlencode 'Data=Hello'"""

_PYTHON = """from devinotify import Client

with Client("devino://{login}:{password}@DEVINO?gateway={base}") as client:
    print(client.sms.send("+79161234567", "Hello"))"""

_COLUMNS = ("Time (UTC)", "Channel", "From", "To", "Text", "Segments", "Status")


def _row(message: Arrived) -> str:
    status = f"{message.status} ({message.state})"
    before = (message.created_at, message.channel, message.sender, message.recipient)
    after = (str(message.segments), status)
    return (
        "<tr>"
        + "".join(f"<td>{escape(value)}</td>" for value in before)
        + f'<td class="text">{escape(message.text)}</td>'
        + "".join(f"<td>{escape(value)}</td>" for value in after)
        + "</tr>"
    )


def _table(messages: Iterable[Arrived]) -> str:
    head = "".join(f'<th scope="col">{name}</th>' for name in _COLUMNS)
    rows = "\n".join(map(_row, messages))
    return (
        '<div class="scroll" role="region" aria-label="Messages" tabindex="0">'
        f"<table><thead><tr>{head}</tr></thead><tbody>\n{rows}\n</tbody></table></div>"
    )


def render(emulator: Emulator, base: str, password: str) -> bytes:
    """Return the page; ``base`` is the gateway's base URL as the reader's browser reaches it."""
    with emulator.lock:
        now = emulator.now()
        total = len(emulator.store)
        newest = matching(emulator, now, {}, newest_first=True)
        messages = [views.arrived(message, now) for message, _ in zip(newest, range(SHOWN), strict=False)]
        balance = f"{emulator.account.balance:f}"
    names = {"base": base, "login": quote(emulator.account.login, safe=""), "password": password}
    return _PAGE.format(
        style=_STYLE,
        base=escape(base),
        total=total,
        balance=balance,
        content=_table(messages) if messages else "<p>Nothing has arrived yet.</p>",
        which="another" if messages else "the first",
        curl=escape(_CURL.format(**names)),
        python=escape(_PYTHON.format(**names)),
    ).encode()
