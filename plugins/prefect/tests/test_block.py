"""The block: what it takes, what it refuses as it is made, and what it shows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from devinotify import InvalidInput, InvalidURL
from pydantic import ValidationError

from devinotify_prefect import DevinoNotification
from tests.support import ONE, TWO, arrived, block_of

if TYPE_CHECKING:
    from devinotify.sandbox import Sandbox

PASSWORD = "gehe1m-w0rt"
URL = f"devino://login:{PASSWORD}@SENDER/79161234567"
REFUSED = {
    "no URL of ours": ({"url": f"https://login:{PASSWORD}@SENDER/79161234567"}, "must begin with devino://"),
    "no password": ({"url": "devino://login@SENDER/79161234567"}, "password is missing"),
    "a stray character": ({"url": f"devino://login:{PASSWORD}@x@SENDER/79161234567"}, "write @ in a login"),
    "a mistyped key": ({"url": f"{URL}?chanel=viber"}, "unknown key 'chanel': did you mean channel?"),
    "a bad value": ({"url": f"{URL}?validity=soon"}, "bad value for validity"),
    "an unknown channel on the URL": ({"url": f"{URL}?channel=smss"}, "there is no channel 'smss'"),
    "an unknown channel": ({"url": URL, "channel": "smss"}, "the channels are sms, viber, sms-viber, viber-sms, null"),
    "a sender that is none": ({"url": f"devino://login:{PASSWORD}@much-too-long-a-name/79161234567"}, "sender"),
    "a mistyped field": ({"url": URL, "chanel": "viber"}, "unknown key 'chanel': did you mean channel?"),
    "nobody": ({"url": f"devino://login:{PASSWORD}@SENDER", "to": " , "}, "there is nobody to send to"),
}
each_refused = pytest.mark.parametrize(("fields", "told"), REFUSED.values(), ids=REFUSED)


@each_refused
def test_refused_when_it_is_made(fields: dict[str, str], told: str) -> None:
    """What nothing could be sent by is refused at once, in the core's words and without the password."""
    with pytest.raises(InvalidInput) as caught:
        DevinoNotification(**fields)
    assert told in str(caught.value)
    assert PASSWORD not in repr(caught.value)


@each_refused
def test_refused_when_it_is_read(fields: dict[str, str], told: str) -> None:
    """So it is where Prefect reads a saved block, and what pydantic keeps of it has no password either."""
    with pytest.raises(ValidationError) as caught:
        DevinoNotification.model_validate(fields)
    assert told in str(caught.value)
    assert PASSWORD not in f"{caught.value!r} {caught.value.errors()}"


@pytest.mark.parametrize("url", [None, 5, ["devino://login:gehe1m-w0rt@SENDER"]], ids=["nothing", "number", "list"])
def test_a_url_that_is_no_text(url: object) -> None:
    """What is no text is refused by its type, and not shown."""
    with pytest.raises(ValidationError, match="Input should be a valid string") as caught:
        DevinoNotification(url=url)
    assert PASSWORD not in str(caught.value)


def test_a_bad_url_is_an_error_of_the_core() -> None:
    """Whoever catches the core's error gets it."""
    with pytest.raises(InvalidURL):
        DevinoNotification(url="sms")


@pytest.mark.parametrize(
    "to",
    [
        [ONE, TWO],
        (ONE, TWO),
        f"{ONE},{TWO}",
        "8 (916) 123-45-67; +7 916 123 45 68",
        f"{ONE}\n{TWO}\n",
        f"{ONE}, {ONE}, {TWO}",
    ],
    ids=["list", "tuple", "commas", "as people write", "lines", "one of them twice"],
)
def test_recipients(to: Any, gateway: Sandbox) -> None:  # noqa: ANN401 - a list or a text
    """Recipients are a list or a text, and each gets the message once."""
    block_of(gateway, to=to).notify("text")
    assert [(ONE, "text"), (TWO, "text")] == sorted(arrived(gateway))


@pytest.mark.parametrize("nobody", [None, "", []], ids=["nothing", "an empty text", "an empty list"])
def test_recipients_of_the_url(nobody: Any, gateway: Sandbox) -> None:  # noqa: ANN401 - as above
    """Without recipients, and with a field that was left empty in a form, those of the URL get the message."""
    base, _, query = gateway.url.partition("?")
    DevinoNotification(url=f"{base}/{TWO}?{query}", to=nobody, channel="").notify("text")
    assert [(TWO, "text")] == arrived(gateway)


def test_channel(gateway: Sandbox) -> None:
    """The block's channel comes before the URL's."""
    block_of(gateway, channel="viber").notify("text")
    assert ["viber"] == [message.channel for message in gateway.messages()]


def test_shows_no_secret_and_no_number() -> None:
    """What is printed of a block has neither password nor whole numbers; neither has what is dumped, the password."""
    block = DevinoNotification(url=URL, to=["+79161234567", "oncall"])
    shown = f"{block} {block!r}"
    assert "to=['+7916***4567', 'on***']" in shown
    assert [] == [secret for secret in (PASSWORD, "79161234567") if secret in shown]
    assert PASSWORD not in f"{block.model_dump()} {block.model_dump_json()}"


def test_shows_that_recipients_are_the_urls() -> None:
    """A block without recipients of its own is shown as that."""
    assert "to=None" in repr(DevinoNotification(url=URL))


def test_takes_what_prefect_writes_into_blocks() -> None:
    """What Prefect keeps beside a block's fields is no mistyped field."""
    block = DevinoNotification.model_validate(DevinoNotification(url=URL).model_dump(context={"include_secrets": True}))
    assert URL == block.url.get_secret_value()
    assert DevinoNotification(url=URL, block_type_slug="devino-notification").model_extra


def test_the_url_is_a_secret_field() -> None:
    """Prefect is told which field it is to keep secret, and shows a form with three."""
    schema = DevinoNotification.model_json_schema()
    assert (["url"], ["url", "to", "channel"]) == (schema["secret_fields"], list(schema["properties"]))
