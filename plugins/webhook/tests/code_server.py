"""A server of one-time codes in a process with a Python of its own: privacyIDEA or eduMFA, whose own code runs here.

``code_server.py HOST DEFINITION NUMBER…`` makes its database in the folder that it is in, stores the definition of an
SMS gateway as its API does, and has an SMS token of each number send a code. It prints what each answers, as JSON.
"""

from __future__ import annotations

import json
import secrets
import sys
from importlib import import_module
from pathlib import Path
from typing import Any

PREFIX = {"privacyidea": "PI", "edumfa": "EDUMFA"}
"""What the names of its settings begin with."""


def send(host: str, definition: dict[str, str], numbers: list[str]) -> list[tuple[bool, str]]:
    """Return for each number whether a code was sent, and what the user is told."""

    def its(module: str) -> Any:  # noqa: ANN401 - a module of the host, which has no types
        return import_module(f"{host}.{module}")

    folder, prefix = Path.cwd(), PREFIX[host]
    (folder / "key").write_bytes(secrets.token_bytes(96))
    settings = {
        "SQLALCHEMY_DATABASE_URI": f"sqlite:///{folder}/{host}.db",
        "SECRET_KEY": secrets.token_hex(32),
        f"{prefix}_PEPPER": secrets.token_hex(8),
        f"{prefix}_ENCFILE": str(folder / "key"),
        f"{prefix}_AUDIT_MODULE": f"{host}.lib.auditmodules.base",
    }
    (folder / "host.cfg").write_text("".join(f"{name} = {value!r}\n" for name, value in settings.items()), "utf-8")
    app = its("app").create_app(config_name="production", config_file=str(folder / "host.cfg"), silent=True)
    with app.app_context():
        its("models").db.create_all()
        its("lib.smsprovider.SMSProvider").set_smsgateway(
            definition["name"],
            definition["module"],
            options={key[7:]: value for key, value in definition.items() if key.startswith("option.")},
            headers={key[7:]: value for key, value in definition.items() if key.startswith("header.")},
        )
        getattr(its("lib.config"), f"set_{host}_config")("sms.identifier", definition["name"])
        answers = []
        for number in numbers:
            token = its("lib.token").init_token({"type": "sms", "phone": number, "genkey": 1, "pin": "1234"})
            sent, told, *_ = token.create_challenge(options={})
            answers.append((sent, str(told)))
        return answers


if __name__ == "__main__":
    print(json.dumps(send(sys.argv[1], json.loads(sys.argv[2]), sys.argv[3:])))
