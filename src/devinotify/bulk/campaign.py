"""A campaign: one text, or one template, to all the recipients of a list, accounted for to the last one.

::

    with Campaign(url, "recipients.csv", text="The shop is open", journal="campaign.db") as campaign:
        print(campaign.plan())
        result = campaign.run(Speed(connections=16))
        print(result.end, result.tally)
"""

from __future__ import annotations

import functools
import hashlib
import logging
import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import IO, TYPE_CHECKING, Any, Self

from devinotify import text as texts
from devinotify.bulk.journal import Journal, check_retry
from devinotify.bulk.plan import Account, Count, Outlook, Plan, drawn_up
from devinotify.bulk.sending import End, Sending, Sent
from devinotify.bulk.sorting import Sorted, sort_out
from devinotify.bulk.source import Source
from devinotify.bulk.table import Table
from devinotify.bulk.template import Template, unfilled
from devinotify.channels.compose import compose
from devinotify.delivery.fallback import Fallback
from devinotify.delivery.rate_limit import Speed
from devinotify.delivery.recipients import Recipients
from devinotify.exceptions import DevinotifyError, InvalidInput, InvalidSchedule
from devinotify.gateway import checks
from devinotify.models import Message
from devinotify.notifier import Notifier
from devinotify.outbox.states import RowState

if TYPE_CHECKING:
    import os
    from collections.abc import Callable, Collection, Iterator
    from decimal import Decimal
    from types import TracebackType

    from devinotify.bulk.tally import Tally
    from devinotify.models import Outcome
    from devinotify.phones import PhoneNumber
    from devinotify.url import DevinoURL

log = logging.getLogger(__name__)

ROUND_TRIP = 0.2
"""Seconds that a request is taken to last where the gateway could not be asked for the balance."""


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a run is, in recipients: ``phase`` is ``reading`` (rows of the input, into the journal) or ``sending``.

    ``done`` of ``total`` are dealt with, those of earlier runs included; the verdicts and ``segments`` are this run's.
    ``rate`` is in recipients a second, ``remaining`` in seconds or ``None`` while nothing can be said. ``cost`` is that
    of the accepted segments, ``None`` without a price. ``connections`` is how many are used at the moment. Where
    nothing goes out, ``error`` tells why, and ``next_try`` in how many seconds it is tried again.
    """

    phase: str
    done: int
    total: int
    accepted: int = 0
    rejected: int = 0
    not_sent: int = 0
    unknown: int = 0
    segments: int = 0
    rate: float = 0.0
    remaining: float | None = None
    cost: Decimal | None = None
    connections: int = 0
    error: DevinotifyError | None = None
    next_try: float | None = None


@dataclass(frozen=True, slots=True)
class Result:
    """How a run ended: why, where every row of the input stands now, what this run did, in how many seconds.

    ``error`` is the last error that stopped or slowed it, ``recovered`` how many recipients a killed run left unknown.
    """

    end: End
    tally: Tally
    sent: Sent
    seconds: float
    cost: Decimal | None = None
    error: DevinotifyError | None = None
    recovered: int = 0


class Campaign:
    """A campaign over ``source``, a file's path or a binary stream; a context manager.

    ``account`` is a ``devino://`` URL or a Notifier. Either ``text`` is the same for all, or ``template`` has columns
    of the input in braces. ``journal`` is the file that remembers it all (``None``: it can be planned but not run).
    ``channel`` is the URL's unless given. ``send_at``: aware is an instant, naive the recipient's own wall clock, a
    timedelta so long from now, unless the journal has the instant of the campaign already: that one is kept.
    ``column`` names the numbers, ``format`` is one of ``csv``, ``tsv``, ``jsonl``, ``lines``, ``encoding`` one of
    Python's: all found out where not given. ``other_account`` lets a campaign go on with another account than the one
    it was begun with. ``price`` is that of one segment (of one message on Viber).

    Nothing is sent, and nothing written, before ``run``. Raises InvalidInput for an input that cannot be read, a bad
    template, a missing column, and a journal of another campaign.
    """

    def __init__(
        self,
        account: str | DevinoURL | Notifier,
        source: str | os.PathLike[str] | IO[bytes],
        *,
        text: str | None = None,
        template: str | None = None,
        journal: str | os.PathLike[str] | None = None,
        channel: str | None = None,
        send_at: datetime | timedelta | None = None,
        column: str | None = None,
        format: str | None = None,  # noqa: A002 - what it is called
        encoding: str | None = None,
        price: Decimal | int | str | None = None,
        other_account: bool = False,
    ) -> None:
        if (text is None) == (template is None):
            raise InvalidInput("a campaign has either a text or a template")
        self._owned = not isinstance(account, Notifier)
        self.notifier = account if isinstance(account, Notifier) else Notifier(account)
        self._source: Source | None = None
        self._path = journal
        self._other_account = other_account
        self._count: Count | None = None
        self._sending: Sending | None = None
        self._stopped = False
        self._warned = False
        try:
            self.price = None if price is None else _price(price)
            instant, self.keeps_instant = self._instant(send_at) if isinstance(send_at, timedelta) else (send_at, False)
            self._set_up(text, template, channel, instant)
            self._source = Source(source, encoding)
            self.table = Table(
                self._source, column=column, format_=format, region=self.notifier.url.region, read=self._reading()
            )
            if self.template is not None:
                self.template.check(self.table.columns)
            # A campaign that has begun may go on after its time; a new one would be sent at once, at any hour.
            if not self._begun() and instant is not None and checks.has_passed(instant, datetime.now(UTC)):
                raise InvalidSchedule("the time of sending has passed")
        except BaseException:
            self.close()
            raise

    def _set_up(self, text: str | None, template: str | None, channel: str | None, send_at: datetime | None) -> None:
        self.channel = channel or self.notifier.url.channel
        self._channel = self.notifier.channel(self.channel)
        if isinstance(self._channel, Fallback):
            raise InvalidInput(f"a campaign goes out on one channel; {self.channel} is for single messages")
        self._channel.check_sender(self.notifier.url.sender)
        if send_at is not None and not self._channel.schedulable:
            raise InvalidSchedule(f"the channel {self.channel} cannot send later")
        self.send_at = send_at
        self._original = template if text is None else text
        self.template: Template | None = None
        shared = text
        if template is not None:
            parsed = Template(template)
            if parsed.fields:
                self.template = parsed
            else:
                shared = parsed.render({})
        self.text = None if self.template is not None or shared is None else self._shape(shared)

    def _instant(self, span: timedelta) -> tuple[datetime, bool]:
        """Return the instant that the journal has, or so long from now, and whether it is the journal's."""
        if self._path is not None and Journal.exists(self._path):
            with Journal(self._path) as journal:
                known = (journal.identity or {}).get("send_at")
            if known is not None and (kept := datetime.fromisoformat(known)).tzinfo is not None:
                return kept, True
        return (datetime.now(UTC) + span).replace(microsecond=0), False

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"<Campaign {self.channel} {'template' if self.template else 'text'}>"

    def close(self) -> None:
        """Close the input, and the notifier where this campaign made it."""
        if self._source is not None:
            self._source.close()
        if self._owned:
            self.notifier.close()

    @functools.cached_property
    def identity(self) -> dict[str, Any]:
        """What the journal knows the campaign by: digests of input and text, and how they are read and sent."""
        assert self._source is not None  # noqa: S101 - set on construction
        url = self.notifier.url
        return {
            "input": self._source.digest,
            "text": hashlib.sha256(f"{self.template is None} {self._original}".encode(errors="replace")).hexdigest(),
            "channel": self.channel,
            "send_at": None if self.send_at is None else self.send_at.isoformat(),
            "sender": url.sender,
            "column": self.table.column,
            "format": str(self.table.format),
            "encoding": self._source.encoding,
            "region": url.region,
            "shape": f"{url.transliterate} {url.max_segments}",
        }

    def plan(
        self,
        speed: Speed | None = None,
        *,
        resend_unknown: bool = False,
        retry: Collection[RowState] = (),
        ask: bool = True,
    ) -> Plan:
        """Return what there is to send, to whom, for how much; the whole input is read, and nothing is sent.

        Requests, cost and time are those of the next run with this speed, its limit included, and with
        ``resend_unknown`` and ``retry`` or not. Without ``ask`` the gateway is not asked for the balance. Raises
        InvalidInput where the input cannot be read to its end, or a row lacks a column of the template.
        """
        return drawn_up(
            self._counted(),
            speed or Speed(),
            self._account() if ask else Account(None, ROUND_TRIP),
            done=self._known(),
            retry=retry,
            resend_unknown=resend_unknown,
            personal=self.template is not None,
            segmented=self._segmented,
            price=self.price,
            channel=self.channel,
            source=self.table.description,
            outlook=self._outlook(self._counted()),
            unfilled=unfilled(self._original or "", self.table.columns) if self.template is None else (),
        )

    def test(self, number: str) -> Outcome:
        """Send the text of the first recipient to ``number`` alone, now, and return what became of it."""
        sample = self._counted().sample
        if sample is None:
            raise InvalidInput("there is no text to try: the input has no recipient")
        return self.notifier.notify(sample, to=number, channel=self.channel)[0]

    def run(
        self,
        speed: Speed | None = None,
        *,
        resend_unknown: bool = False,
        retry: Collection[RowState] = (),
        fail_fast: bool = False,
        observe: Callable[[Progress], None] | None = None,
    ) -> Result:
        """Send to everybody who has not been sent to, and return how that ended; run again, it goes on.

        The input is read to its end before anything is sent. ``resend_unknown`` sends to those again who may have got
        the message already, ``retry`` to those that were ``rejected`` or ``not_sent`` for another reason than their
        number. ``fail_fast`` ends the run at once where the gateway cannot be reached. ``observe`` is told of the
        progress about twice a second, in the caller's thread. Raises InvalidInput for an input that cannot be read, and
        DevinotifyError where the journal cannot be written.
        """
        check_retry(retry)
        if self._path is None:
            raise InvalidInput("a campaign is not sent without a journal: name its file")
        began = time.monotonic()
        try:
            if self.template is not None:
                self._counted()  # a row without a column of the template is told before a journal is begun
            with Journal(self._path) as journal:
                if not self._feed(journal, observe):
                    return Result(End.STOPPED, journal.tally(), Sent(), time.monotonic() - began)
                again = {*retry, *((RowState.UNKNOWN,) if resend_unknown else ())}
                return self._send(journal, speed or Speed(), began, observe, again=again, fail_fast=fail_fast)
        finally:
            self._stopped, self._sending = False, None

    def _send(
        self,
        journal: Journal,
        speed: Speed,
        began: float,
        observe: Callable[[Progress], None] | None,
        *,
        again: Collection[RowState],
        fail_fast: bool,
    ) -> Result:
        count = self._counted()
        recovered = journal.outbox.recover()
        journal.send_again(again)
        already = count.recipients - journal.outbox.counts()[RowState.QUEUED]
        sending = self._sending = Sending(
            self.notifier, journal.outbox, speed, personal=self.template is not None, fail_fast=fail_fast
        )
        if self._stopped:
            sending.stop()
        began_sending = time.monotonic()
        if observe is None:
            end = sending.run()
        else:
            end = sending.run(functools.partial(self._tell, observe, already, count, began_sending))
        # Of another process on this journal that was killed meanwhile.
        recovered += journal.outbox.recover()
        tally = journal.tally()
        if end is End.DONE and tally.in_flight:
            end = End.ELSEWHERE
        sent = sending.sent
        error = None if end in (End.DONE, End.ELSEWHERE) else sending.error
        return Result(end, tally, sent, time.monotonic() - began, self._cost(sent), error, recovered)

    def stop(self) -> None:
        """End ``run`` after the batches under way; from any thread or signal handler."""
        self._stopped = True
        if self._sending is not None:
            self._sending.stop()

    def invalid(self) -> Iterator[tuple[int, str, DevinotifyError]]:
        """Yield what cannot be sent to: the row of the input (from 1, the header apart), what stands there, and why."""
        for page in self._sorted():
            yield from page.refused

    def tally(self) -> Tally | None:
        """Return where every row of the input stands, or ``None`` where the journal has not begun."""
        return self._known()

    # --- the parts

    @property
    def _segmented(self) -> bool:
        return self._channel.segmented

    def _shape(self, text: str) -> str:
        """Return the text as it will be sent; raises InvalidText."""
        url = self.notifier.url
        hook = self.notifier.plugins.hook.devinotify_estimate_segments
        shaped = compose(
            Message(text, ()),
            transliterate=url.transliterate and self._segmented,
            max_segments=url.max_segments if self._segmented else None,
            estimate=lambda of: hook(text=of),
            warn=self._warn,
        ).text
        texts.check(shaped, self._channel.max_length)
        return shaped

    def _warn(self, why: str) -> None:
        """Log what a text has lost, once for all of them."""
        if not self._warned:
            self._warned = True
            log.warning(why)

    def _sorted(self) -> Iterator[Sorted]:
        return sort_out(
            self.table,
            region=self.notifier.url.region,
            template=self.template,
            shape=self._shape,
            read=self._reading(),
        )

    def _reading(self) -> Callable[[str], PhoneNumber] | None:
        """Return what reads a number where a plugin has a say in that."""
        numbers = Recipients(self.notifier.plugins, self.notifier.url.region)
        return numbers.phone if numbers.customised else None

    def _counted(self) -> Count:
        if self._count is None:
            count = Count()
            for _ in self._counting(count):
                pass
            self._finish(count)
            return count
        return self._count

    def _counting(self, count: Count) -> Iterator[Sorted]:
        """Yield the input, sorted out, and count it on the way."""
        for page in self._sorted():
            count.add(page, self.text)
            yield page
        if self._source is not None and self._source.changed():
            raise InvalidInput("the input has changed since it was opened: this run sends nothing of it")

    def _finish(self, count: Count) -> None:
        if self.text is not None:
            count.share(self.text)
        self._count = count

    def _known(self) -> Tally | None:
        """Return what the journal tells, where there is one; raises InvalidInput where it is another campaign's."""
        if self._path is None or not Journal.exists(self._path):
            return None
        with Journal(self._path) as journal:
            self._check(journal)
            return None if journal.fed is None else journal.tally()

    def _begun(self) -> bool:
        """Return whether the whole input is in the journal; raises InvalidInput where it is another campaign's."""
        if self._path is None or not Journal.exists(self._path):
            return False
        with Journal(self._path) as journal:
            self._check(journal)
            return journal.fed is not None

    def _check(self, journal: Journal) -> None:
        """Raise InvalidInput where it is the journal of another campaign, or of another account that is not let on."""
        journal.check(self.identity)
        if not self._other_account:
            journal.check_account(self.notifier.url.account)

    def _feed(self, journal: Journal, observe: Callable[[Progress], None] | None) -> bool:
        """Put the input into the journal, and return whether it is all there: ``stop`` ends it at a page."""
        message = Message(self._original or "", (), channel=self.channel, send_at=self.send_at)
        if self.text is not None:
            message = Message(self.text, (), channel=self.channel, send_at=self.send_at)
        journal.begin(message, self.identity, self.notifier.url.account)
        journal.use(self.notifier.url.account, other=self._other_account)
        if journal.fed is not None:
            return True
        known = self._count
        count = Count()
        for rows in journal.feed(self._counting(count), message, personal=self.template is not None):
            if observe is not None:
                observe(Progress("reading", rows, rows if known is None else known.rows))
            if self._stopped:
                return False
        self._finish(count)
        return True

    def _outlook(self, count: Count) -> Outlook:
        """Return what plugins that prepare messages would do to the first recipients, if they were sent to now."""
        plugins = self.notifier.plugins
        if not count.first or not plugins.listens("devinotify_prepare_message", outside=True):
            return Outlook()
        message = Message(count.sample or "", tuple(count.first), channel=self.channel, send_at=self.send_at)
        try:
            prepared = plugins.hook.devinotify_prepare_message(message=message)
        except DevinotifyError as error:
            return Outlook(refused=error)
        later = [one.send_at for one in prepared if one.send_at is not None and one.send_at != message.send_at]
        if later and not self._channel.schedulable:
            return Outlook(refused=InvalidSchedule(f"it would be held back now, and {self.channel} cannot send later"))
        return Outlook(max(later, key=lambda held: held.astimezone(UTC), default=None))

    def _account(self) -> Account:
        try:
            balance = self.notifier.client.user.balance()
            began = time.monotonic()
            self.notifier.client.user.balance()
        except DevinotifyError as error:
            return Account(None, ROUND_TRIP, error)
        return Account(balance, time.monotonic() - began)

    def _cost(self, sent: Sent) -> Decimal | None:
        billed = sent.segments if self._segmented else sent.accepted
        return None if self.price is None else self.price * billed

    def _tell(self, observe: Callable[[Progress], None], already: int, count: Count, began: float, sent: Sent) -> None:
        total = count.recipients
        done = already + sent.done
        seconds = time.monotonic() - began
        rate = sent.done / seconds if seconds > 0 else 0.0
        observe(
            Progress(
                "sending",
                done,
                total,
                sent.accepted,
                sent.rejected,
                sent.not_sent,
                sent.unknown,
                sent.segments,
                rate,
                (total - done) / rate if rate else None,
                self._cost(sent),
                self._sending.connections if self._sending else 0,
                *(self._sending.trouble() if self._sending else ()),
            )
        )


def _price(given: Decimal | int | str) -> Decimal:
    try:
        return texts.estimate_cost("1", 1, given)
    except (TypeError, ValueError) as error:
        raise InvalidInput(str(error)) from None
