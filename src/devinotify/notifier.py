"""The facade for everybody who wants a message delivered: aliases, numbers, hooks, channels, outcomes.

``notify`` takes the first step and returns; ``wait`` watches what was accepted and takes the later steps of
a fallback. Neither raises for one recipient's failure: it is in that recipient's Outcome.

More than 400 lines: it is all that can be done with a Notifier, most of it in words; what it does is others'.
"""

from __future__ import annotations

import logging
import sys
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from itertools import chain
from typing import TYPE_CHECKING

from devinotify import text as texts
from devinotify import url as urls
from devinotify.channels.protocol import check_message
from devinotify.closing import Closable, close_all
from devinotify.delivery.fallback import bind
from devinotify.delivery.limiting import Limited, Limiter
from devinotify.delivery.looking import RATE
from devinotify.delivery.orders import Enqueued, check_order, storable, store
from devinotify.delivery.pipeline import Pipeline, Sending
from devinotify.delivery.receiving import Receiver
from devinotify.delivery.recipients import Recipients, hidden, listed
from devinotify.delivery.storage import Storage
from devinotify.delivery.tracking import Tracker
from devinotify.delivery.turns import Turns
from devinotify.delivery.waiting import Waiting
from devinotify.exceptions import DevinotifyError, InvalidInput, InvalidSchedule, InvalidText, InvalidURL
from devinotify.gateway import checks
from devinotify.gateway.client import Client
from devinotify.models import Message, Outcome
from devinotify.outbox.outbox import serving
from devinotify.plugins import BUILT_IN, make_plugin_manager
from devinotify.redact import forget_variables, hide
from devinotify.words import meant

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Generator, Iterable, Iterator, Sequence
    from contextlib import AbstractContextManager

    from devinotify.channels.protocol import Channel
    from devinotify.delivery.fallback import Fallback
    from devinotify.delivery.limiting import LimitReached
    from devinotify.delivery.on_loop import OnLoop
    from devinotify.delivery.recipients import Given
    from devinotify.gateway.aio import AsyncClient
    from devinotify.limits import LimitUsage
    from devinotify.models import IncomingSms, Receipt, SmsState
    from devinotify.outbox import Outbox
    from devinotify.plugins import PluginManager
    from devinotify.url import DevinoURL


log: logging.Logger = logging.getLogger(__name__)

_SENDING = "send"
"""The name of the plugin that sends, last of all that answer to ``send_message``."""


class Notifier(Closable):
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
        url = hide(url)
        self._owns_client = client is None
        self.client: Client = Client(url) if client is None else client
        self._sending = Sending(self.client)
        self._storage = Storage(lambda: self.url)
        self._turns = Turns(int(RATE))
        try:
            settings = self.client.url if url is None else _settings(url)
            given = {"patience": patience, "poll": poll, "on_unknown": on_unknown, "outbox": outbox}
            self.url: DevinoURL = settings.with_options(
                **{key: value for key, value in given.items() if value is not None}
            )
            self.plugins: PluginManager = make_plugin_manager() if plugins is None else plugins
            self._set_up()
        except BaseException:
            self.close()
            raise

    def _set_up(self) -> None:
        if self.plugins.has_plugin(_SENDING):
            raise InvalidInput("the plugin manager serves another Notifier already: make one for each")
        own = {_SENDING: self._sending, **self._aliases()}
        try:
            for name, plugin in own.items():
                self.plugins.register(plugin, name, BUILT_IN)
            self.channels: dict[str, Channel] = self.plugins.channels()
            self._limiter = self._limits()
            limited = None if self._limiter is None else partial(Limited, limiter=self._limiter)
            self._fallbacks = bind(self.channels, self._storage, limited, self.plugins)
            self._recipients = Recipients(self.plugins, self.url.region)
            self._receiver = Receiver(self.url.account, self._fetch, self._storage.own, _Listeners(self.plugins))
            self.plugins.around = lambda: serving(self._storage.own)
            self._pipeline = Pipeline(self.plugins, self._recipients, self.channel, lambda: self.url, self._sending)
            # A wrong channel, a sender it does not take, an outbox that cannot be written: better now than at night.
            self.channel(self.url.channel).check_sender(self.url.sender)
            if self._limiter is not None:
                self._storage.own()
        except BaseException:
            # Whoever sets right what was wrong may use the manager again.
            self.plugins.around = None
            for plugin in own.values():
                if self.plugins.is_registered(plugin):
                    self.plugins.unregister(plugin)
            raise

    def _limits(self) -> Limiter | None:
        """Return what counts against the limits, where there are any."""
        if not self.url.limit:
            return None
        return Limiter(self._storage.own, self.url, segments=self._segments, near=self._limit_neared)

    def _segments(self, text: str) -> int:
        return self.plugins.segmentation(text).count

    def _limit_neared(self, usage: LimitUsage) -> None:
        self.plugins.observe("devinotify_limit_neared", usage=usage)

    def limits(self, to: Given | None = None) -> list[LimitUsage]:
        """Return how much of each limit is used now; with ``to``, a number, those on each recipient are its own.

        Without ``to`` they are left out. Raises InvalidInput for what is not a number, and DevinotifyError where the
        outbox cannot be used.
        """
        number = None if to is None else self._recipients.number(to)
        return [] if self._limiter is None else self._limiter.usage(number)

    def limits_reached(
        self, message: Message, channel: Channel, pages: Iterable[Sequence[str]], segments: int
    ) -> list[LimitReached]:
        """Return the limits that would leave no room for some recipients of a message, given by pages of numbers.

        Nothing is sent or counted; ``segments`` is what the text of each is taken to cost.
        """
        return [] if self._limiter is None else self._limiter.foresee(message, channel, pages, segments)

    def _aliases(self) -> dict[str, object]:
        """Return the plugin that knows the aliases of the configuration files, where the URL asks for it."""
        if not self.url.aliases:
            return {}
        from devinotify.delivery.aliases import built_ins  # reads files: not what everybody pays for

        return built_ins()

    def __repr__(self) -> str:
        return f"<Notifier {self.url}>"

    def close(self) -> None:
        """Close the outbox of a fallback, and the client where this notifier made it.

        Where this fails while an exception is being handled, the failure is logged and that exception goes on.
        """
        close_all(log, "the notifier", self._storage.close, *([self.client.close] if self._owns_client else []))

    def channel(self, name: str) -> Channel:
        """Return the channel of this name; raise InvalidURL that lists the names there are."""
        try:
            channel = self.channels[name]
        except KeyError:
            question = meant(name, self.channels)
            raise InvalidURL(
                f"there is no channel {name!r}: the channels are {', '.join(self.channels)}"
                + (f"; {question}" if question else "")
            ) from None
        if name in self._fallbacks:
            self._storage.open()
        return channel

    def fallback(self, name: str) -> Fallback | None:
        """Return the fallback of this name, and open no outbox for it; ``None`` where the channel is another kind."""
        return self._fallbacks.get(name)

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
        text, to, title = hide(text), hidden(to), hide(title)
        message, found = self._read(text, to, title, channel, tags, send_at)
        outcomes: dict[str, Outcome | None] = dict.fromkeys(found)
        handled = sys.exception()
        try:
            if len(message.recipients) < len(found):
                for outcome in self._pipeline.refuse(
                    message, {to: error for to, error in found.items() if error is not None}
                ):
                    outcomes[outcome.recipient] = outcome
            if message.recipients:
                for outcome in chain.from_iterable(self.process(message)):
                    outcomes[outcome.recipient] = outcome
        except BaseException as error:  # an interrupt, or a fault of our own
            forget_variables(error, handled)
            del found, outcomes  # numbers, which would be seen in this frame
            raise
        return [outcome for outcome in outcomes.values() if outcome is not None]

    def rehearse(
        self,
        text: str,
        to: Given | Iterable[Given] | None = None,
        *,
        title: str | None = None,
        channel: str | None = None,
        tags: str | Iterable[str] | None = (),
        send_at: datetime | None = None,
    ) -> tuple[list[Message], dict[str, DevinotifyError]]:
        """Return the messages that ``notify`` would send now, and whom it would refuse and why; nothing is sent.

        The arguments are those of ``notify``, and so are the exceptions. Each recipient is in one of the messages, or
        refused; the texts are as they would go out. What limits leave room for is not asked.
        """
        text, to, title = hide(text), hidden(to), hide(title)
        message, found = self._read(text, to, title, channel, tags, send_at)
        handled = sys.exception()
        try:
            ready, refused = self._pipeline.rehearse(message) if message.recipients else ([], {})
        except BaseException as error:
            forget_variables(error, handled)
            del found
            raise
        return ready, {to: error for to, error in found.items() if error is not None} | refused

    def enqueue(
        self,
        text: str,
        to: Given | Iterable[Given] | None = None,
        *,
        key: str | None = None,
        title: str | None = None,
        channel: str | None = None,
        tags: str | Iterable[str] | None = (),
        send_at: datetime | None = None,
        deadline: datetime | None = None,
        connection: object | None = None,
    ) -> Enqueued:
        """Store ``text`` durably, to be sent by a worker, and return its row in the outbox by recipient.

        The arguments are those of ``notify``, and what ``notify`` would refuse at once is refused here, beside its
        recipient. A ``key`` that is known stores nothing new. After ``deadline``, which is aware, it is tried no more,
        and a validity is cut to what is left of it; without one it is tried for a day. ``connection`` is a driver's, to
        the PostgreSQL database that the outbox is in: the rows are part of its transaction, which stays open. Raises
        InvalidInput where there is nobody to send to, an argument is of the wrong type, or outbox or connection cannot
        be used; InvalidURL for an unknown channel.
        """
        text, to, title = hide(text), hidden(to), hide(title)
        check_order(key, deadline)
        message, found = self._read(text, to, title, channel, tags, send_at)
        refused = {recipient: error for recipient, error in found.items() if error is not None}
        try:
            taker = self.channel(message.channel)
            final = self._pipeline.shape(message, taker)
            texts.check(final.text, taker.max_length)
            check_message(taker, final)
        except InvalidInput as error:
            refused |= dict.fromkeys(message.recipients, error)
            message = replace(message, recipients=())
        stored, message = Enqueued({}, {}), storable(message)
        if message.recipients:
            outbox, handled = self._storage.open(), sys.exception()
            try:
                stored = store(
                    outbox, message, key=key, deadline=deadline, account=self.url.account, connection=connection
                )
            except BaseException as error:
                forget_variables(error, handled)
                del found, refused
                raise
        refused |= stored.refused
        told = self._pipeline.refuse(message, refused) if refused else []
        errors = {outcome.recipient: outcome.error for outcome in told if outcome.error is not None}
        return replace(stored, refused={recipient: errors[recipient] for recipient in found if recipient in errors})

    def _read(
        self,
        text: str,
        to: Given | Iterable[Given] | None,
        title: str | None,
        channel: str | None,
        tags: str | Iterable[str] | None,
        send_at: datetime | None,
    ) -> tuple[Message, dict[str, DevinotifyError | None]]:
        """Return the message for those that it can be sent to, and all recipients, with the error of those refused."""
        name = self.url.channel if channel is None else channel
        self.channel(name)
        _check_types(text, title, send_at)
        marks = frozenset((tags,) if isinstance(tags, str) else tags or ())
        found = self.resolve(to)
        if not found:
            raise InvalidInput("there is nobody to send to: give recipients, or targets on the URL")
        message = Message(
            text=str(text),  # what was hidden, as plugins are to see it
            recipients=tuple([recipient for recipient, refused in found.items() if refused is None]),
            title=None if title is None else str(title),
            sender=self.url.sender,
            channel=name,
            send_at=send_at,
            validity=self.url.validity,
            tags=marks,
        )
        return message, found

    def resolve(self, to: Given | Iterable[Given] | None = None) -> dict[str, DevinotifyError | None]:
        """Return who would get a message for ``to``: each distinct recipient once, in order of first appearance.

        The members of an alias stand apart. A recipient is a number in E.164 with ``None`` beside it, or what was
        given with the error for which nothing would be sent to it. Without ``to`` it is about the targets of the URL.
        Nothing is sent. Raises InvalidInput where ``to`` is neither a recipient nor a list of them.
        """
        to, handled = hidden(to), sys.exception()
        try:
            found = self._recipients.read(self.url.targets if to is None else listed(to))
        except BaseException as error:
            forget_variables(error, handled)
            raise
        for refusal in filter(None, found.values()):
            forget_variables(refusal, handled)  # each recipient was in them by itself
        return found

    def wait(self, outcomes: Iterable[Outcome], timeout: float | None = None) -> list[Outcome]:
        """Watch accepted messages until their delivery is decided, and return the outcomes with their last ``state``.

        In their order; those that were not accepted come back as they are. ``timeout`` is in seconds: ``None`` waits
        until all are decided, 0 looks at each once. The later steps of a fallback are taken here, and are then among
        the ``attempts``. Each delivery is looked at every ``poll`` seconds at first, then less often, and once more
        when the time is over. It is given up when the gateway has forgotten it, 48 hours after it was sent. A look
        that fails is tried again. All who wait here look at ten deliveries a second at most between them, the pace that
        the vendor allows: a thousand take 100 seconds, with a ``timeout`` of 0 too, and with a shorter one not all are
        looked at.
        """
        return self._waiting().wait(outcomes, timeout)

    def looks(self, outcomes: Iterable[Outcome], timeout: float | None = None) -> Generator[float, None, list[Outcome]]:
        """Do what ``wait`` does, one look at a time: yield the seconds before each, which the caller waits out."""
        return self._waiting().looks(outcomes, timeout)

    def incoming(
        self,
        handle: Callable[[IncomingSms], object] | None = None,
        *,
        since: datetime | None = None,
        stopped: Callable[[], bool] = lambda: False,
    ) -> list[IncomingSms]:
        """Return the SMS from subscribers that are new since the last time, the oldest first; plugins are told of each.

        What was told of is kept in the outbox that the settings name, so that all who share it tell of a message once,
        and none is left out; of several that ask at once all but one get an empty list. A message is written down as
        told when ``handle``, if one is given, and the plugins have returned: where the process dies in between, that
        one comes again, with the same ``id``. What ``handle`` raises ends the reading, and its message is new the next
        time. A plugin that says that it could not take one by now is told of it again the next time, alone. The first
        time of all it is what came in the last 24 hours, or ``since``, an aware instant up to a year back. ``stopped``
        is asked before each message whether to leave the others for the next time. Raises what the gateway's answer
        was, and a DevinotifyError where the outbox cannot be used.
        """
        return self._receiver.read(handle, since=since, stopped=stopped)

    def _fetch(self, since: datetime, until: datetime) -> list[IncomingSms]:
        return self.client.sms.incoming(since, until)

    def _waiting(self) -> Waiting:
        return Waiting(
            self.client,
            self.channel,
            fallbacks=self._fallbacks,
            tracker=self.following,
            observe=self._status_changed,
            poll=self.url.poll,
            patience=self.url.patience,
            turns=self._turns,
        )

    def following(self, outbox: Outbox | None = None) -> Tracker:
        """Return what attends to the rows of ``outbox`` (the notifier's own without one) with this one's hooks."""
        return Tracker(
            self._storage.open(outbox),
            self.client,
            self.channels,
            fallbacks=self._fallbacks,
            account=self.url.account,
            send=self.send,
            process=self.process,
            observe=self._status_changed,
            record=self._pipeline.record,
        )

    def _status_changed(self, receipt: Receipt, state: SmsState) -> None:
        if self.plugins.listens("devinotify_status_changed"):
            self.plugins.observe("devinotify_status_changed", receipt=receipt, state=state)

    def on_loop(self, client: AsyncClient) -> OnLoop:
        """Return what sends on the running event loop, by this client of it, where nothing on the way may block."""
        from devinotify.delivery.on_loop import OnLoop  # asyncio: not what everybody pays for

        return OnLoop(client, self._read, self.channels, self._pipeline, self.url)

    def storing(self, outbox: Outbox) -> AbstractContextManager[None]:
        """Have the steps of fallbacks written to ``outbox`` inside a block, in place of the notifier's own outbox.

        It is for a campaign, whose journal holds all that became of it; what others send with this notifier meanwhile
        stands there too.
        """
        return self._storage.lent(outbox)

    def process(self, message: Message) -> Iterator[Sequence[Outcome]]:
        """Prepare, send and record; yield one Outcome per recipient of ``message``, and of those a plugin adds.

        They come as they are known, those of each request together.
        """
        return self._pipeline.process(message)

    def send(self, message: Message, channel: Channel | None = None) -> list[Outcome]:
        """Send a message that is prepared already, and record and return one Outcome per recipient, in order.

        Without ``channel`` it goes out on the one that the message names.
        """
        return self._pipeline.send(message, channel)


class _Listeners:
    """The plugins that are told of incoming messages."""

    _HOOK = "devinotify_message_received"

    def __init__(self, plugins: PluginManager) -> None:
        self._plugins = plugins

    def names(self) -> list[str]:
        return self._plugins.observers(self._HOOK)

    def tell(self, message: IncomingSms, names: Collection[str]) -> list[str]:
        failures = self._plugins.observe(self._HOOK, only=names, message=message)
        return [name for name, failure in failures.items() if failure.retryable]


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
