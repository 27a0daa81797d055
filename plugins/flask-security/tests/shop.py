"""An app as the README has it, served over HTTP, and somebody who logs in by a code."""

from __future__ import annotations

import re
from contextlib import contextmanager
from threading import Thread
from typing import TYPE_CHECKING, Any, Self

import requests
from flask import Flask
from flask_security import Security, SQLAlchemyUserDatastore, auth_required, hash_password
from flask_security.models import fsqla_v3
from flask_sqlalchemy import SQLAlchemy
from werkzeug.serving import make_server

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from devinotify.sandbox import Sandbox

NUMBER = "+79161234567"
TYPED = "8 (916) 123-45-67"
EMAIL, PASSWORD = "ann@example.com", "corr-ect-horse"


@contextmanager
def shop(url: str, folder: Path, **settings: object) -> Iterator[Flask]:
    """Make an app with one account, and take its database away at the end."""
    app = Flask("shop")
    app.config.update(
        SECRET_KEY="secret",
        SQLALCHEMY_DATABASE_URI=f"sqlite:///{folder / 'shop.db'}",
        WTF_CSRF_ENABLED=False,
        SECURITY_PASSWORD_SALT="salt",
        SECURITY_PASSWORD_HASH="plaintext",
        SECURITY_PASSWORD_SCHEMES=["plaintext"],
        SECURITY_HASHING_SCHEMES=["plaintext"],
        SECURITY_DEPRECATED_HASHING_SCHEMES=[],
        SECURITY_EMAIL_VALIDATOR_ARGS={"check_deliverability": False},
        SECURITY_TOTP_SECRETS={"1": "TjQ9Qa31VOrfEzuPy4VHQWPCTmRzCnFzMKLxXYiZu9B"},
        SECURITY_TOTP_ISSUER="shop",
        SECURITY_TWO_FACTOR=True,
        SECURITY_TWO_FACTOR_REQUIRED=True,
        SECURITY_TWO_FACTOR_ENABLED_METHODS=["sms"],
        SECURITY_PHONE_REGION_DEFAULT="RU",
        SECURITY_SMS_SERVICE="Devino",
        DEVINOTIFY_URL=url,
    )
    app.config.update(settings)
    database = SQLAlchemy(app)
    fsqla_v3.FsModels.set_db_info(database)
    base: Any = database.Model
    role = type("Role", (base, fsqla_v3.FsRoleMixin), {"__module__": __name__})
    user = type("User", (base, fsqla_v3.FsUserMixin), {"__module__": __name__})
    datastore = SQLAlchemyUserDatastore(database, user, role)
    Security(app, datastore)
    app.add_url_rule("/cart", view_func=auth_required("session")(cart))
    with app.app_context():
        database.create_all()
        datastore.create_user(email=EMAIL, password=hash_password(PASSWORD))
        datastore.commit()
    try:
        yield app
    finally:
        with app.app_context():
            database.session.remove()
            database.engine.dispose()


def cart() -> str:
    """Show what only somebody sees who has logged in."""
    return "your cart"


@contextmanager
def served(app: Flask) -> Iterator[str]:
    """Serve an app by threads at a free port of this machine, and give its address."""
    server = make_server("127.0.0.1", 0, app, threaded=True)
    thread = Thread(target=server.serve_forever, name="shop")
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join(60)
        server.server_close()


def code_of(gateway: Sandbox) -> str:
    """Return the code in the one SMS that has arrived since it was asked last; there must be one, and to the number."""
    (message,) = gateway.messages()
    assert NUMBER == message.recipient
    gateway.delete()
    found = re.search(r"\d{6}", message.text)
    assert found is not None
    return found[0]


class Browser:
    """Somebody with a browser and a phone."""

    def __init__(self, address: str) -> None:
        self._address = address
        self._session = requests.Session()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self._session.close()

    def post(self, path: str, **fields: str) -> dict[str, Any]:
        """Post as a page's script does, and return what Flask-Security answers, with ``status`` beside it."""
        answer = self._session.post(f"{self._address}{path}", json=fields, timeout=30)
        said: dict[str, Any] = answer.json()["response"]
        return {**said, "status": answer.status_code}

    def get(self, path: str) -> requests.Response:
        """Look at a page."""
        return self._session.get(f"{self._address}{path}", timeout=60, allow_redirects=False)

    def log_in(self) -> dict[str, Any]:
        """Give name and password."""
        return self.post("/login", email=EMAIL, password=PASSWORD)
