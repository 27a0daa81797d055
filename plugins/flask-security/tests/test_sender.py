"""The sender: settings of the app, verdicts, one Notifier for each URL."""

from __future__ import annotations

import logging
import threading
from typing import TYPE_CHECKING

import pytest
from devinotify import DevinoURL, InvalidInput, InvalidURL, Notifier, NotSent, OutcomeUnknown, Pool, hookimpl
from flask import Flask
from flask_security import SmsSenderFactory

from devinotify_flask_security import DevinoSmsSender, get_notifier, notifiers, register, settings
from devinotify_flask_security.sender import NAME

if TYPE_CHECKING:
    from typing import Any

    from devinotify import Outcome
    from devinotify.sandbox import Sandbox

NUMBER, OTHER = "+79161234567", "+79161234568"


def app_of(url: object, **config: object) -> Flask:
    """Return an app with these settings."""
    app = Flask("shop")
    app.config.update(DEVINOTIFY_URL=url, SECURITY_PHONE_REGION_DEFAULT="RU", **config)
    return app


def test_sends_as_the_app_says(gateway: Sandbox) -> None:
    """The text arrives whole, by the URL's sender or by PHONE_NUMBER, and lives as long as the code is good."""
    with app_of(gateway.url, SECURITY_TWO_FACTOR=True, SECURITY_TWO_FACTOR_SMS_VALIDITY=120).app_context():
        DevinoSmsSender().send_sms(from_number=None, to_number="8 916 123-45-67", msg="Your code is 123456")
        DevinoSmsSender().send_sms(from_number="SHOP", to_number=NUMBER, msg="Your code is 654321")
    sender = DevinoURL.parse(gateway.url).sender
    assert [(NUMBER, sender, "Your code is 123456"), (NUMBER, "SHOP", "Your code is 654321")] == [
        (each.recipient, each.sender, each.text) for each in gateway.messages()
    ]
    assert ("2",) == gateway.requests()[-1].parameters["validity"]


def test_one_login_for_many_codes(gateway: Sandbox) -> None:
    """Senders are made for each code, and log in once for all of them, from threads too."""
    app = app_of(gateway.url)

    def send() -> None:
        with app.app_context():
            DevinoSmsSender().send_sms(None, NUMBER, "code")

    threads = [threading.Thread(target=send) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
        assert not thread.is_alive()
    operations = [request.operation for request in gateway.requests()]
    assert (4, 1) == (operations.count("Sms/Send"), len(operations) - 4)


def test_fork_does_not_wait_for_a_lock() -> None:
    """A child that was forked off while a thread was at work makes its Notifiers anew."""
    kept = Pool(Notifier, Notifier.close)
    url = DevinoURL.parse("devino://login:password@SENDER?gateway=http://127.0.0.1:1/rest")
    with kept.get(url) as before:
        kept._lock.acquire()
        kept.start_anew()
        assert before is not kept.get(url)
    kept.close()


class Duty:
    """An alias that stands for two numbers, one of which is none."""

    @hookimpl
    def devinotify_resolve_recipient(self, recipient: str) -> list[str] | None:
        """Return the members of an alias."""
        return {"duty": [NUMBER, OTHER]}.get(recipient)


def test_one_of_several_has_it(gateway: Sandbox, caplog: pytest.LogCaptureFixture) -> None:
    """Where one of an alias's numbers may get the code nothing is raised, and the other is warned about."""
    gateway.add_fault("error", number=OTHER, code=2)
    with app_of(f"{gateway.url}&channel=viber").app_context():
        get_notifier().plugins.register(Duty())
        DevinoSmsSender().send_sms(None, "duty", "code")
    assert [NUMBER] == [each.recipient for each in gateway.messages()]
    assert [(logging.WARNING, True)] == [
        (each.levelno, each.message.startswith("a code to +7916***4568 was not sent: "))
        for each in caplog.records
        if each.name.startswith("devinotify_flask_security")
    ]


def test_not_sent_is_raised(caplog: pytest.LogCaptureFixture) -> None:
    """Where nothing listens the error is raised and logged."""
    app = app_of("devino://login:password@SENDER?gateway=http://127.0.0.1:1/rest")
    with app.app_context(), pytest.raises(NotSent):
        DevinoSmsSender().send_sms(None, NUMBER, "code")
    assert ["ERROR"] == [each.levelname for each in caplog.records if each.name == "devinotify_flask_security.sender"]


class Breaking(Notifier):
    """A Notifier that breaks after it may have sent."""

    def notify(self, *arguments: object, **options: object) -> list[Outcome]:
        """Break."""
        raise OutcomeUnknown("the connection was lost")


def test_what_breaks_late_is_not_raised(caplog: pytest.LogCaptureFixture) -> None:
    """An error that says that the code may have been sent is a warning as well."""
    app = app_of("devino://login:password@SENDER?gateway=http://127.0.0.1:1/rest")
    url = settings.account(app.config)
    notifiers.shared._kept[url] = Breaking(url)
    with app.app_context():
        DevinoSmsSender().send_sms(None, NUMBER, "code")
    assert ["a code may or may not have been sent: the connection was lost"] == caplog.messages


@pytest.mark.parametrize(
    ("config", "reason"),
    [
        ({"DEVINOTIFY_URL": None}, "set DEVINOTIFY_URL in its config"),
        ({"DEVINOTIFY_URL": ""}, "set DEVINOTIFY_URL in its config"),
        ({"DEVINOTIFY_URL": "devino://login:password@SENDER?chanel=viber"}, "did you mean channel"),
        ({"DEVINOTIFY_URL": "devino://login:password@SENDER?channel=pigeon"}, "there is no channel 'pigeon'"),
        ({"SECURITY_SMS_SERVICE_CONFIG": {"URL": "devino://l:p@S"}}, "has no PHONE_NUMBER, which Flask-Security needs"),
        ({"SECURITY_SMS_SERVICE_CONFIG": {"PHONE_NUMBER": "much too long a sender"}}, "sender"),
    ],
)
def test_register_looks_at_the_settings(config: dict[str, Any], reason: str) -> None:
    """With the app, what nothing could be sent by is an error at start that shows no password."""
    app = app_of("devino://login:password@SENDER")
    app.config.update(config)
    with pytest.raises(InvalidInput, match=reason) as caught:
        register(app)
    assert "password" not in str(caught.value).replace("PASSWORD", "")


def test_wrong_settings_are_logged(caplog: pytest.LogCaptureFixture) -> None:
    """Without that, a code that is asked for fails, and the log says why: Flask-Security does not."""
    with app_of(None).app_context(), pytest.raises(InvalidURL):
        DevinoSmsSender().send_sms(None, NUMBER, "code")
    assert ["a code was not sent: the app has no URL: set DEVINOTIFY_URL"] == [
        each.message.split(" in its")[0] for each in caplog.records
    ]


def test_register_again() -> None:
    """Registering any number of times is registering once."""
    register()
    register(app_of("devino://login:password@SENDER"))
    assert SmsSenderFactory.senders[NAME] is DevinoSmsSender
