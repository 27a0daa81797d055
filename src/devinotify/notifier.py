"""The facade for everybody who wants a message delivered: aliases, numbers, hooks, channels, outcomes.

``notify`` takes the first step and returns; ``wait`` watches what was accepted and takes the later steps of
a fallback. Neither raises for one recipient's failure: it is in that recipient's Outcome.
"""

from __future__ import annotations

import logging
import time
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Self

from devinotify import phones
from devinotify.channels import fallback
from devinotify.channels.batch import failed
from devinotify.channels.compose import compose
from devinotify.channels.fallback import SmsViberChannel
from devinotify.exceptions import DevinotifyError, InvalidInput, InvalidURL, PluginError, Verdict
from devinotify.following import Following
from devinotify.gateway.client import Client
from devinotify.gateway.codes import STATE_LIFETIME
from devinotify.hookspecs import hookimpl
from devinotify.models import Message, Outcome
from devinotify.outbox.states import RowState
from devinotify.plugins import BUILT_IN, make_plugin_manager

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from types import TracebackType

    from devinotify.models import Channel, Receipt, SmsState
    from devinotify.outbox import Outbox
    from devinotify.phones import PhoneNumber
    from devinotify.plugins import PluginManager
    from devinotify.text import Segmentation
    from devinotify.url import DevinoURL

log = logging.getLogger(__name__)

SLOWER = 1.5
"""What the pause between two looks at one delivery is multiplied with after each."""
LONGEST_POLL = 60.0
"""Seconds between two looks at one delivery at most, unless ``poll`` asks for more."""


class Notifier:
    """Sends a text to people, on a channel by name, through hooks; thread-safe, a context manager.

    Made from a ``devino://`` URL; its targets are the default recipients and its ``channel`` the default channel.
    ``patience`` and ``poll`` (seconds), ``on_unknown`` and ``outbox`` (a path) come before those on the URL.
    ``client`` and ``plugins`` (a manager from ``make_plugin_manager``) may be given ready-made. Raises InvalidURL
    for bad settings or an unknown channel.
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
        given = {"patience": patience, "poll": poll, "on_unknown": on_unknown, "outbox": outbox}
        self.url = self.client.url.with_options(**{key: value for key, value in given.items() if value is not None})
        self.plugins = make_plugin_manager() if plugins is None else plugins
        self.plugins.register(_Sending(self.client), "send", BUILT_IN)
        self.channels = _channels(self.plugins)
        # A wrong channel, a sender it does not take, an outbox that cannot be written: better now than at night.
        self.channel(self.url.channel).check_sender(self.url.sender)

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
        to: str | PhoneNumber | Iterable[str | PhoneNumber] | None = None,
        *,
        title: str | None = None,
        channel: str | None = None,
        tags: Iterable[str] = (),
        send_at: datetime | None = None,
    ) -> list[Outcome]:
        """Send ``text`` and return one Outcome per distinct recipient, in order of first appearance.

        ``to`` is a number, an alias, or several of them; without it the targets of the URL. ``send_at``: aware is an
        instant, naive the recipient's own wall clock. The tag ``urgent`` marks what must not be held back.
        Raises InvalidInput where there is nobody to send to and InvalidURL for an unknown channel; what goes wrong
        for a recipient is in the Outcome.
        """
        name = self.url.channel if channel is None else channel
        self.channel(name)
        outcomes: dict[str, Outcome | None] = dict(
            self._recipients(_listed(self.url.targets if to is None else to), name)
        )
        if not outcomes:
            raise InvalidInput("there is nobody to send to: give recipients, or targets on the URL")
        message = Message(
            text=text,
            recipients=tuple(recipient for recipient, refused in outcomes.items() if refused is None),
            title=title,
            sender=self.url.sender,
            channel=name,
            send_at=send_at,
            validity=self.url.validity,
            tags=frozenset((tags,) if isinstance(tags, str) else tags or ()),
        )
        if message.recipients:
            for outcome in self.process(message):
                outcomes[outcome.recipient] = outcome
        return [outcome for outcome in outcomes.values() if outcome is not None]

    def wait(self, outcomes: Iterable[Outcome], timeout: float | None = None) -> list[Outcome]:
        """Watch accepted messages until their delivery is decided, and return the outcomes with their last ``state``.

        In their order; those that were not accepted come back as they are. ``timeout`` is in seconds (``None``: until
        decided). The later steps of a fallback are taken here, and are then among the ``attempts``. Each delivery is
        looked at every ``poll`` seconds at first, then less often, and given up when the gateway has forgotten it: 48
        hours after it was sent. A look that fails is tried again.
        """
        results = list(outcomes)
        until = None if timeout is None else time.monotonic() + timeout
        watches = [_Watch(index, time.monotonic(), self.url.poll) for index in range(len(results))]
        while watches:
            watch = min(watches, key=lambda one: one.due)
            pause = watch.due - time.monotonic()
            if until is not None and watch.due > until:
                pause = until - time.monotonic()
                watches.clear()
            if pause > 0:
                time.sleep(pause)
            if not watches:
                break
            results[watch.index], done = self._look(results[watch.index])
            if done:
                watches.remove(watch)
            watch.due = time.monotonic() + watch.pause
            watch.pause = max(self.url.poll, min(watch.pause * SLOWER, LONGEST_POLL))
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
        if outcome.channel == fallback.NAME:
            return self._look_at_steps(outcome)
        receipt = outcome.receipt
        if receipt is None:
            return outcome, True
        try:
            state = self.channel(outcome.channel).state(receipt, self.client)
        except DevinotifyError as error:
            log.info("the state of a message could not be read: %s", error)
            return outcome, not error.retryable
        if state.whole_status is not outcome.status:
            self._status_changed(receipt, state)
        return replace(outcome, state=state), state.whole_status.is_final or _forgotten(receipt)

    def _look_at_steps(self, outcome: Outcome) -> tuple[Outcome, bool]:
        following = self.following()
        rows = fallback.steps_of(following.outbox, outcome)
        if not rows:
            return outcome, True
        following.attend([row for row in rows if row.state is not RowState.QUEUED])
        batch = following.outbox.claim(rows=[row for row in rows if row.state is RowState.QUEUED])
        if batch is not None:
            following.deliver(batch)
        rows = fallback.steps_of(following.outbox, outcome)
        return fallback.outcome_of(rows), fallback.is_over(rows)

    def _status_changed(self, receipt: Receipt, state: SmsState) -> None:
        if self.plugins.listens("devinotify_status_changed"):
            self.plugins.observe("devinotify_status_changed", receipt=receipt, state=state)

    # --- recipients

    def _recipients(self, given: Sequence[str | PhoneNumber], channel: str) -> Iterator[tuple[str, Outcome | None]]:
        """Yield each distinct recipient, with the Outcome of one that is refused here, or ``None``."""
        seen = set()
        for recipient in given:
            for number, refused in self._numbers(recipient, channel, ()):
                if number not in seen:
                    seen.add(number)
                    yield number, refused

    def _numbers(
        self, recipient: str | PhoneNumber, channel: str, path: tuple[str, ...]
    ) -> Iterator[tuple[str, Outcome | None]]:
        if isinstance(recipient, phones.PhoneNumber):
            yield recipient.e164, None
            return
        raw = str(recipient)
        try:
            members = None
            if raw not in path and self.plugins.listens("devinotify_resolve_recipient"):
                members = self.plugins.hook.devinotify_resolve_recipient(recipient=raw)
            if members is None:
                yield self._normalize(recipient).e164, None
                return
        except DevinotifyError as error:
            yield raw, failed(channel, raw, error)
            return
        if not members:
            yield raw, failed(channel, raw, InvalidInput("the alias stands for nobody"))
        for member in members:
            yield from self._numbers(member, channel, (*path, raw))

    def _normalize(self, raw: str) -> PhoneNumber:
        if self.plugins.listens("devinotify_normalize_phone", outside=True):
            number: PhoneNumber = self.plugins.hook.devinotify_normalize_phone(raw=raw, region=self.url.region)
            return number
        return phones.normalize(raw, region=self.url.region)

    def _estimate(self, text: str) -> Segmentation:
        segmentation: Segmentation = self.plugins.hook.devinotify_estimate_segments(text=text)
        return segmentation

    # --- messages

    def process(self, message: Message) -> Iterator[Outcome]:
        """Prepare, send and record; yield one Outcome per recipient of ``message``, and of those a plugin adds."""
        try:
            prepared = self._prepare(message)
        except DevinotifyError as error:
            yield from self._recorded(message, _all_failed(message, error))
            return
        for one in prepared:
            yield from self.send(one)
        kept = {recipient for one in prepared for recipient in one.recipients}
        dropped = tuple(recipient for recipient in message.recipients if recipient not in kept)
        if dropped:
            left_out = replace(message, recipients=dropped)
            fault = PluginError("a plugin dropped the recipient", hook="devinotify_prepare_message")
            yield from self._recorded(left_out, _all_failed(left_out, fault))

    def _prepare(self, message: Message) -> list[Message]:
        prepared: list[Message] = self.plugins.hook.devinotify_prepare_message(message=message)
        recipients = [recipient for one in prepared for recipient in one.recipients]
        if len(recipients) != len(set(recipients)):
            raise PluginError(
                "a plugin put one recipient into two messages: nothing is sent twice", hook="devinotify_prepare_message"
            )
        return prepared

    def send(self, message: Message) -> list[Outcome]:
        """Send a message that is prepared already, and record and return one Outcome per recipient, in order."""
        try:
            channel = self.channel(message.channel)
            composed = self._compose(message, channel)
        except DevinotifyError as error:
            return self._recorded(message, _all_failed(message, error))
        try:
            outcomes = self.plugins.hook.devinotify_send_message(message=composed, channel=channel)
        except DevinotifyError as error:
            return self._recorded(composed, _all_failed(composed, error))
        return self._recorded(composed, _complete(composed, outcomes))

    def _compose(self, message: Message, channel: Channel) -> Message:
        if not getattr(channel, "segmented", True):
            return compose(message)
        return compose(
            message,
            transliterate=self.url.transliterate,
            max_segments=self.url.max_segments,
            estimate=self._estimate,
        )

    def _recorded(self, message: Message, outcomes: Sequence[Outcome]) -> list[Outcome]:
        if self.plugins.listens("devinotify_map_error"):
            outcomes = [self._mapped(outcome) for outcome in outcomes]
        if self.plugins.listens("devinotify_outcome_recorded"):
            for outcome in outcomes:
                self.plugins.observe("devinotify_outcome_recorded", message=message, outcome=outcome)
        return list(outcomes)

    def _mapped(self, outcome: Outcome) -> Outcome:
        error = outcome.error
        if error is None:
            return outcome
        try:
            mapped: DevinotifyError | None = self.plugins.hook.devinotify_map_error(error=error)
        except DevinotifyError as fault:
            log.error("%s; the error stays as it was", fault)
            return outcome
        if mapped is None or mapped is error:
            error.verdict = outcome.verdict
            return outcome
        mapped.verdict = outcome.verdict
        mapped.retryable = mapped.retryable and outcome.verdict is not Verdict.UNKNOWN
        mapped.operation = mapped.operation or error.operation
        mapped.__cause__ = mapped.__cause__ or error
        attempts = tuple(
            replace(attempt, error=mapped) if attempt.error is error else attempt for attempt in outcome.attempts
        )
        return replace(outcome, error=mapped, attempts=attempts)


@dataclass(slots=True)
class _Watch:
    """One delivery that is waited for: its place, when it is looked at next, and the pause after that, in seconds."""

    index: int
    due: float
    pause: float


def _forgotten(receipt: Receipt) -> bool:
    """Whether the gateway has forgotten the message, so that its state will never be told any more."""
    return receipt.sent_at is not None and datetime.now(UTC) - receipt.sent_at > timedelta(seconds=STATE_LIFETIME)


class _Sending:
    """The built-in answer to ``send_message``, asked last: it sends."""

    def __init__(self, client: Client) -> None:
        self._client = client

    @hookimpl(trylast=True)
    def devinotify_send_message(self, message: Message, channel: Channel) -> list[Outcome]:
        """Send on the channel; whatever but a DevinotifyError it raises leaves the outcome unknown, never lost."""
        try:
            return channel.send(message, self._client)
        except DevinotifyError as error:
            return _all_failed(message, error)
        except Exception as error:  # noqa: BLE001 - a channel of a plugin's may raise anything, and may have sent
            log.error("the channel %s raised %s", channel.name, type(error).__name__)
            fault = PluginError(
                f"the channel {channel.name} raised {type(error).__name__} while it was sending",
                plugin=channel.name,
                hook="send",
                verdict=Verdict.UNKNOWN,
            )
            fault.__cause__ = error
            return _all_failed(message, fault)


def _channels(plugins: PluginManager) -> dict[str, Channel]:
    """Return the channels by name, the built-in ones first; raise PluginError where two have one name."""
    channels: dict[str, Channel] = {}
    # pluggy answers with the last registered first.
    for some in reversed(plugins.hook.devinotify_register_channels()):
        for channel in some:
            if channel.name in channels:
                raise PluginError(
                    f"there are two channels named {channel.name}",
                    plugin=channel.name,
                    hook="devinotify_register_channels",
                )
            channels[channel.name] = channel
    return channels


def _listed(to: str | PhoneNumber | Iterable[str | PhoneNumber]) -> list[str | PhoneNumber]:
    return [to] if isinstance(to, str | phones.PhoneNumber) else list(to)


def _all_failed(message: Message, error: DevinotifyError) -> list[Outcome]:
    return [failed(message.channel, recipient, error) for recipient in message.recipients]


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
