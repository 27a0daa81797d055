"""The facade for everybody who wants a message delivered: aliases, numbers, hooks, channels, outcomes.

``notify`` takes the first step and returns; ``wait`` watches what was accepted and takes the later steps of
a fallback. Neither raises for one recipient's failure: it is in that recipient's Outcome.
"""

from __future__ import annotations

import heapq
import logging
import math
import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Self

from devinotify import url as urls
from devinotify.channels import fallback
from devinotify.channels.batch import failed
from devinotify.channels.compose import compose
from devinotify.channels.fallback import SmsViberChannel
from devinotify.delivery.outcomes import record
from devinotify.delivery.recipients import Recipients, listed, screen
from devinotify.delivery.tracking import Following
from devinotify.exceptions import (
    DevinotifyError,
    InvalidInput,
    InvalidSchedule,
    InvalidText,
    InvalidURL,
    PluginError,
    Verdict,
)
from devinotify.gateway import checks
from devinotify.gateway.client import Client
from devinotify.gateway.codes import STATE_LIFETIME
from devinotify.hookspecs import hookimpl
from devinotify.models import DeliveryStatus, Message, Outcome
from devinotify.plugins import BUILT_IN, make_plugin_manager

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
    from types import TracebackType

    from devinotify.delivery.recipients import Given
    from devinotify.models import Channel, Receipt, SmsState
    from devinotify.outbox import Outbox
    from devinotify.plugins import PluginManager
    from devinotify.text import Segmentation
    from devinotify.url import DevinoURL

log = logging.getLogger(__name__)

SLOWER = 1.5
"""What the pause between two looks at one delivery is multiplied with after each."""
LONGEST_POLL = 60.0
"""Seconds between two looks at one delivery at most, unless ``poll`` asks for more."""
LAST_LOOKS = 1.0
"""Seconds that the last looks may take when the time to wait is over."""


class Notifier:
    """Sends a text to people, on a channel by name, through hooks; thread-safe, a context manager.

    Made from a ``devino://`` URL; its targets are the default recipients and its ``channel`` the default channel.
    ``patience`` and ``poll`` (seconds), ``on_unknown`` and ``outbox`` (a path) come before those on the URL.
    ``client`` and ``plugins`` (a manager from ``make_plugin_manager``, for this notifier alone) may be given
    ready-made; without ``url`` the client's settings hold. Raises InvalidURL for bad settings or an unknown channel,
    InvalidSender where the channel does not take the sender, InvalidInput where its outbox cannot be used.
    """

    def __init__(
        self,
        url: str | DevinoURL | None = None,
        *,
        client: Client | None = None,
        plugins: PluginManager | None = None,
        patience: float | None = None,
        poll: float | None = None,
        on_unknown: str | None = None,
        outbox: str | None = None,
    ) -> None:
        self._owns_client = client is None
        self.client = Client(url) if client is None else client
        settings = self.client.url if url is None else _settings(url)
        given = {"patience": patience, "poll": poll, "on_unknown": on_unknown, "outbox": outbox}
        self.url = settings.with_options(**{key: value for key, value in given.items() if value is not None})
        self.plugins = make_plugin_manager() if plugins is None else plugins
        if self.plugins.has_plugin(_SENDING):
            raise InvalidInput("the plugin manager serves another Notifier already: make one for each")
        self._sending = _Sending(self.client)
        self.plugins.register(self._sending, _SENDING, BUILT_IN)
        self.channels = self.plugins.channels()
        self._recipients = Recipients(self.plugins, self.url.region)
        # A wrong channel, a sender it does not take, an outbox that cannot be written: better now than at night.
        try:
            self.channel(self.url.channel).check_sender(self.url.sender)
        except BaseException:
            self.close()
            raise

    def __repr__(self) -> str:
        return f"<Notifier {self.url}>"

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the outbox of a fallback, and the client where this notifier made it."""
        self._fallback.close()
        if self._owns_client:
            self.client.close()

    def channel(self, name: str) -> Channel:
        """Return the channel of this name; raise InvalidURL that lists the names there are."""
        try:
            channel = self.channels[name]
        except KeyError:
            raise InvalidURL(f"there is no channel {name!r}: the channels are {', '.join(self.channels)}") from None
        if channel is self._fallback:
            self._fallback.open(self.url)
        return channel

    @property
    def _fallback(self) -> SmsViberChannel:
        channel = self.channels[fallback.NAME]
        assert isinstance(channel, SmsViberChannel)  # noqa: S101 - no plugin can take a built-in's name
        return channel

    def notify(
        self,
        text: str,
        to: Given | Iterable[Given] | None = None,
        *,
        title: str | None = None,
        channel: str | None = None,
        tags: str | Iterable[str] | None = (),
        send_at: datetime | None = None,
    ) -> list[Outcome]:
        """Send ``text`` and return one Outcome per distinct recipient, in order of first appearance.

        ``to`` is a number, an alias, or several of them; without it the targets of the URL. ``title`` becomes the first
        line. ``send_at``: aware is an instant, naive the recipient's own wall clock. The tag ``urgent`` marks what must
        not be held back. Raises InvalidInput where there is nobody to send to, or an argument is of the wrong type,
        and InvalidURL for an unknown channel; what goes wrong for a recipient is in the Outcome.
        """
        name = self.url.channel if channel is None else channel
        self.channel(name)
        _check_types(text, title, send_at)
        found = self.resolve(to)
        if not found:
            raise InvalidInput("there is nobody to send to: give recipients, or targets on the URL")
        message = Message(
            text=text,
            recipients=tuple([recipient for recipient, refused in found.items() if refused is None]),
            title=title,
            sender=self.url.sender,
            channel=name,
            send_at=send_at,
            validity=self.url.validity,
            tags=frozenset((tags,) if isinstance(tags, str) else tags or ()),
        )
        outcomes: dict[str, Outcome | None] = dict.fromkeys(found)
        if len(message.recipients) < len(found):
            for outcome in self._refuse(message, {to: error for to, error in found.items() if error is not None}):
                outcomes[outcome.recipient] = outcome
        if message.recipients:
            for outcome in self.process(message):
                outcomes[outcome.recipient] = outcome
        return [outcome for outcome in outcomes.values() if outcome is not None]

    def resolve(self, to: Given | Iterable[Given] | None = None) -> dict[str, DevinotifyError | None]:
        """Return who would get a message for ``to``: each distinct recipient once, in order of first appearance.

        The members of an alias stand apart. A recipient is a number in E.164 with ``None`` beside it, or what was
        given with the error for which nothing would be sent to it. Without ``to`` it is about the targets of the URL.
        Nothing is sent. Raises InvalidInput where ``to`` is neither a recipient nor a list of them.
        """
        return self._recipients.read(listed(self.url.targets if to is None else to))

    def wait(self, outcomes: Iterable[Outcome], timeout: float | None = None) -> list[Outcome]:
        """Watch accepted messages until their delivery is decided, and return the outcomes with their last ``state``.

        In their order; those that were not accepted come back as they are. ``timeout`` is in seconds: ``None`` waits
        until all are decided, 0 looks at each once. The later steps of a fallback are taken here, and are then among
        the ``attempts``. Each delivery is looked at every ``poll`` seconds at first, then less often, and once more
        when the time is over. It is given up when the gateway has forgotten it, 48 hours after it was sent. A look
        that fails is tried again.
        """
        results = list(outcomes)
        start = time.monotonic()
        until = math.inf if timeout is None else start + timeout
        # When each is due, its place, and the pause after that. The place is there once, so pauses are never compared.
        watches = [(start, place, self.url.poll) for place, outcome in enumerate(results) if not _is_decided(outcome)]
        while watches:
            due, place, pause = heapq.heappop(watches)
            now = time.monotonic()
            if start < until < now - LAST_LOOKS:
                break
            if due > now:
                time.sleep(due - now)
            results[place], done = self._look(results[place])
            now = time.monotonic()
            if not done and now < until and now - start < STATE_LIFETIME:
                longer = max(self.url.poll, min(pause * SLOWER, LONGEST_POLL))
                heapq.heappush(watches, (min(now + pause, until), place, longer))
        return results

    def following(self, outbox: Outbox | None = None) -> Following:
        """Return what attends to the rows of ``outbox`` (the notifier's own without one) with this one's hooks."""
        return Following(
            self._fallback.open(self.url, outbox),
            self.client,
            self.channels,
            send=self.send,
            process=self.process,
            observe=self._status_changed,
        )

    def _look(self, outcome: Outcome) -> tuple[Outcome, bool]:
        """Look at one delivery; return the outcome as it stands now, and whether there is nothing more to wait for."""
        forgotten = outcome.receipt is not None and _is_forgotten(outcome.receipt)
        try:
            if outcome.channel == fallback.NAME:
                return self.following().look(outcome)
            return self._look_at(outcome, forgotten=forgotten)
        except DevinotifyError as error:
            log.info("the state of a message could not be read: %s", error)
            return outcome, forgotten or not error.retryable
        except Exception as error:  # noqa: BLE001 - a plugin's channel may raise anything, and is asked again
            log.error("the channel %s raised %s while a state was read", outcome.channel, type(error).__name__)
            return outcome, forgotten

    def _look_at(self, outcome: Outcome, *, forgotten: bool) -> tuple[Outcome, bool]:
        receipt = outcome.receipt
        assert receipt is not None  # noqa: S101 - one without is decided, and not waited for
        state = self.channel(outcome.channel).state(receipt, self.client)
        status = state.whole_status
        if status is not outcome.status:
            self._status_changed(receipt, state)
        # Without ids there is nothing to ask for, so nothing more will be known.
        nameless = not receipt.message_ids and status is DeliveryStatus.UNKNOWN
        return replace(outcome, state=state), forgotten or nameless or status.is_final

    def _status_changed(self, receipt: Receipt, state: SmsState) -> None:
        if self.plugins.listens("devinotify_status_changed"):
            self.plugins.observe("devinotify_status_changed", receipt=receipt, state=state)

    def _estimate(self, text: str) -> Segmentation:
        segmentation: Segmentation = self.plugins.hook.devinotify_estimate_segments(text=text)
        return segmentation

    def process(self, message: Message) -> Iterator[Outcome]:
        """Prepare, send and record; yield one Outcome per recipient of ``message``, and of those a plugin adds."""
        refused: dict[str, DevinotifyError] = {}
        try:
            prepared = self._prepare(message, refused)
            allowed = [self._screen(one, refused) for one in prepared]
        except DevinotifyError as error:
            yield from self._refuse(message, dict.fromkeys(message.recipients, error))
            return
        for one in allowed:
            if one.recipients:
                yield from self._send(one)
        if len(prepared) != 1 or prepared[0].recipients != message.recipients:
            kept = {recipient for one in prepared for recipient in one.recipients}
            fault = PluginError("a plugin dropped the recipient", hook="devinotify_prepare_message")
            refused |= {recipient: fault for recipient in message.recipients if recipient not in kept}
        if refused:
            yield from self._refuse(message, refused)

    def _prepare(self, message: Message, refused: dict[str, DevinotifyError]) -> list[Message]:
        """Return the messages to send in place of this one, each recipient in one of them; add who is ``refused``."""
        if not self.plugins.listens("devinotify_prepare_message", outside=True):
            return [message]
        known = frozenset(message.recipients)
        prepared = [
            one if known.issuperset(one.recipients) else self._with_numbers(one, known, refused)
            for one in self.plugins.hook.devinotify_prepare_message(message=message)
        ]
        recipients = [recipient for one in prepared for recipient in one.recipients]
        if len(recipients) != len(set(recipients)):
            raise PluginError(
                "a plugin put one recipient into two messages: nothing is sent twice", hook="devinotify_prepare_message"
            )
        return prepared

    def _with_numbers(self, message: Message, known: Collection[str], refused: dict[str, DevinotifyError]) -> Message:
        """Return a message whose added recipients are written like all others, so that none is there twice."""
        recipients: list[str] = []
        for recipient in message.recipients:
            read = {recipient: None} if recipient in known else self._recipients.read([recipient])
            recipients += [number for number, error in read.items() if error is None]
            refused |= {number: error for number, error in read.items() if error is not None}
        return replace(message, recipients=tuple(recipients))

    def _screen(self, message: Message, refused: dict[str, DevinotifyError]) -> Message:
        """Return the message without those that a plugin lets not have it; add them to ``refused``."""
        found = screen(self.plugins, message)
        if not found:
            return message
        refused |= found
        return replace(message, recipients=tuple([each for each in message.recipients if each not in found]))

    def send(self, message: Message) -> list[Outcome]:
        """Send a message that is prepared already, and record and return one Outcome per recipient, in order."""
        refused: dict[str, DevinotifyError] = {}
        try:
            allowed = self._screen(message, refused)
        except DevinotifyError as error:
            return self._refuse(message, dict.fromkeys(message.recipients, error))
        sent = self._send(allowed) if allowed.recipients else []
        if not refused:
            return sent
        found = {outcome.recipient: outcome for outcome in (*sent, *self._refuse(message, refused))}
        return [found[recipient] for recipient in message.recipients]

    def _send(self, message: Message) -> list[Outcome]:
        try:
            channel = self.channel(message.channel)
            message = self._compose(message, channel)
            if self.plugins.listens("devinotify_send_message", outside=True):
                answer = self.plugins.hook.devinotify_send_message(message=message, channel=channel)
            else:
                answer = self._sending.devinotify_send_message(message, channel)
        except DevinotifyError as error:
            return self._refuse(message, dict.fromkeys(message.recipients, error))
        return record(self.plugins, message, _complete(message, answer))

    def _compose(self, message: Message, channel: Channel) -> Message:
        if not getattr(channel, "segmented", True):
            return compose(message, warn=log.warning)
        return compose(
            message,
            transliterate=self.url.transliterate,
            max_segments=self.url.max_segments,
            estimate=self._estimate,
            warn=log.warning,
        )

    def _refuse(self, message: Message, errors: Mapping[str, DevinotifyError]) -> list[Outcome]:
        """Record and return the outcomes of recipients of ``message`` that it is not sent to."""
        outcomes = [failed(message.channel, recipient, error) for recipient, error in errors.items()]
        return record(self.plugins, replace(message, recipients=tuple(errors)), outcomes)


def _is_decided(outcome: Outcome) -> bool:
    """Whether nothing more will become of an outcome, as far as it tells itself."""
    if outcome.channel == fallback.NAME:
        return False  # its rows know
    return outcome.receipt is None or (outcome.status is not None and outcome.status.is_final)


def _is_forgotten(receipt: Receipt) -> bool:
    """Whether the gateway has forgotten the message, so that its state will never be told any more."""
    return receipt.sent_at is not None and datetime.now(UTC) - receipt.sent_at > timedelta(seconds=STATE_LIFETIME)


_SENDING = "send"


class _Sending:
    """The built-in answer to ``send_message``, asked last: it sends."""

    def __init__(self, client: Client) -> None:
        self._client = client

    @hookimpl(trylast=True)
    def devinotify_send_message(self, message: Message, channel: Channel) -> list[Outcome]:
        """Send on the channel; whatever but a DevinotifyError it raises leaves the outcome unknown, never lost."""
        try:
            outcomes = channel.send(message, self._client)
        except DevinotifyError as error:
            return [failed(channel.name, recipient, error) for recipient in message.recipients]
        except Exception as error:  # noqa: BLE001 - a channel of a plugin's may raise anything, and may have sent
            what = f"raised {type(error).__name__}"
            cause: Exception | None = error
        else:
            if isinstance(outcomes, list) and all(isinstance(outcome, Outcome) for outcome in outcomes):
                return outcomes
            what, cause = f"answered {type(outcomes).__name__} in place of a list of outcomes", None
        fault = PluginError(
            f"the channel {channel.name} {what} while it was sending",
            plugin=channel.name,
            hook="send",
            verdict=Verdict.UNKNOWN,
        )
        fault.__cause__ = cause
        log.error("%s", fault)
        return [failed(channel.name, recipient, fault) for recipient in message.recipients]


def _settings(url: str | DevinoURL) -> DevinoURL:
    return urls.parse(url) if isinstance(url, str) else url


def _check_types(text: object, title: object, send_at: object) -> None:
    """Raise InvalidInput for what is of the wrong type, before anything is made of it."""
    if not isinstance(text, str):
        raise InvalidText("the text must be a str")
    if title is not None and not isinstance(title, str):
        raise InvalidText("the title must be a str")
    if send_at is not None and not isinstance(send_at, datetime):
        raise InvalidSchedule("send_at must be a datetime")
    if send_at is not None and checks.has_passed(send_at, datetime.now(UTC)):
        raise InvalidSchedule("send_at has passed: leave it out to send at once")


def _complete(message: Message, outcomes: Sequence[Outcome]) -> list[Outcome]:
    """Return the outcomes in the order of the recipients; one that a plugin's answer left out is unknown."""
    if tuple([outcome.recipient for outcome in outcomes]) == message.recipients:
        return list(outcomes)
    found = {outcome.recipient: outcome for outcome in outcomes}
    error = PluginError(
        "no outcome was answered for the recipient", hook="devinotify_send_message", verdict=Verdict.UNKNOWN
    )
    return [
        found[recipient] if recipient in found else failed(message.channel, recipient, error)
        for recipient in message.recipients
    ]
