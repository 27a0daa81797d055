"""A campaign: one text, or one template, to all the recipients of a list, accounted for to the last one.

::

    with Campaign(url, "recipients.csv", text="The shop is open", journal="campaign.db") as campaign:
        print(campaign.plan())
        result = campaign.run(Speed(connections=16))
        print(result.end, result.tally)

More than 400 lines: it is all that can be done with a campaign, most of it in words; each step of it is another's.
"""

from __future__ import annotations

import functools
import itertools
import logging
import time
from contextlib import nullcontext
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import IO, TYPE_CHECKING, Any

from devinotify import phones
from devinotify import text as texts
from devinotify.bulk.appending import check_grown
from devinotify.bulk.intake import Intake
from devinotify.bulk.journal import INPUT, STEPS, Journal, check_retry
from devinotify.bulk.leaving_out import leave_out
from devinotify.bulk.outlook import Account, Outlook, Screening, first_of, foresee, pace_of
from devinotify.bulk.outlook import ask as ask_account
from devinotify.bulk.plan import Count, Plan, make_plan
from devinotify.bulk.progress import Progress, Result, Teller
from devinotify.bulk.sending import End, Sending, Sent
from devinotify.bulk.sorting import Refusals, Sorted, sort_out
from devinotify.bulk.source import Source
from devinotify.bulk.table import PAGE, Table
from devinotify.bulk.tally import Tally
from devinotify.bulk.windowing import Windowing, checked_window
from devinotify.bulk.wording import Wording
from devinotify.channels.protocol import billed_as
from devinotify.closing import Closable, close_all
from devinotify.delivery.daily_window import WINDOW
from devinotify.delivery.rate_limit import Speed
from devinotify.delivery.recipients import Recipients
from devinotify.exceptions import DevinotifyError, InvalidInput, InvalidPhoneNumber, InvalidSchedule, PluginError
from devinotify.gateway import checks
from devinotify.models import Message
from devinotify.notifier import Notifier
from devinotify.outbox.states import RowState
from devinotify.phones.number import is_e164
from devinotify.phones.refusal import mask

if TYPE_CHECKING:
    import os
    from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
    from decimal import Decimal

    from devinotify.bulk.exclusion import Exclusion
    from devinotify.bulk.numbering import Numbering
    from devinotify.channels.protocol import Channel
    from devinotify.models import Outcome
    from devinotify.phones import PhoneNumber
    from devinotify.url import DevinoURL
    from devinotify.window import Window

log: logging.Logger = logging.getLogger(__name__)


class Campaign(Closable):
    """A campaign over ``source``, a file's path or a binary stream; a context manager.

    ``account`` is a ``devino://`` URL or a Notifier. Either ``text`` is the same for all, or ``template`` has columns
    of the input in braces. ``journal`` is what remembers it all (``None``: it can be planned but not run): a file,
    or ``postgresql://…?campaign=NAME``, which several machines may work on.
    ``channel`` is the URL's unless given. ``send_at``: aware is an instant, naive the recipient's own wall clock, a
    timedelta so long from now, unless the journal has the instant of the campaign already: that one is kept.
    ``column`` names the numbers, ``format`` is one of ``csv``, ``tsv``, ``jsonl``, ``lines``, ``encoding`` one of
    Python's: all found out where not given. ``other_account`` lets a campaign go on with another account than the one
    it was begun with, and ``append`` with a list that has grown at its end: its new rows are sent to.
    ``price`` is that of one segment (of one message on Viber); on a fallback such as ``sms-viber`` it is that of the
    first step, and ``second_price`` that of the second; where none is given, the URL's. Nothing gets who is in one of
    the lists ``exclude``, or whom the journal of another campaign (``exclude_journals``) has reached, may have or is to
    reach: ``not_sent``, with Suppressed.
    ``window`` (a Window, or ``10-20``) is of the recipients' own clocks: who is out of it gets the message when it
    opens, which takes a plugin such as ``devinotify-quiet-hours``. ``tags`` are the messages', for limits and plugins.

    On a fallback ``run`` takes the first step for each recipient, and the second where the first is refused at once.
    The later ones are taken by ``devinotify bulk status --watch`` (``devinotify.bulk.deliveries``).

    Nothing is sent, and nothing written, before ``run``. Raises InvalidInput for an input that cannot be read, a bad
    template, a missing column, a window that is wrong or that no plugin keeps, and a journal of another campaign.
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
        second_price: Decimal | int | str | None = None,
        other_account: bool = False,
        append: bool = False,
        window: Window | str | None = None,
        tags: str | Iterable[str] = (),
        exclude: Iterable[str | os.PathLike[str]] = (),
        exclude_journals: Iterable[str | os.PathLike[str]] = (),
    ) -> None:
        self._owned = not isinstance(account, Notifier)
        self.notifier: Notifier = account if isinstance(account, Notifier) else Notifier(account)
        self._source: Source | None = None
        self._path = journal
        self._other_account = other_account
        self._append = append
        self._added: int | None = None
        self._refusals = Refusals()
        self._exclusion: Exclusion | None = None
        self._windowing: Windowing | None = None
        self._sending: Sending | None = None
        self._stopped = False
        try:
            self.price: Decimal | None = None if price is None else _price(price)
            self.second_price: Decimal | None = None if second_price is None else _price(second_price)
            self.keeps_instant: bool
            instant, self.keeps_instant = self._instant(send_at) if isinstance(send_at, timedelta) else (send_at, False)
            self.tags: frozenset[str] = _tags(tags)
            self.window: Window | None = None if window is None else checked_window(window, self.notifier)
            self._set_up(channel, instant)
            self._wording = Wording(text, template, self._channel, self.notifier)
            self._source = Source(source, encoding)
            self.table: Table = Table(
                self._source, column=column, format_=format, region=self.notifier.url.region, read=self._reading()
            )
            if self._wording.template is not None:
                self._wording.template.check(self.table.columns)
            self._exclusion = leave_out(self.notifier, exclude, exclude_journals, self._reading(), journal)
            if self.window is not None:
                self._windowing = Windowing(self.window, self.notifier, self._exclusion)
            sort = functools.partial(self._sorted, exclusion=self._exclusion)
            self._intake = Intake(self._source, sort, self._wording.text, self._wording.segmentation)
            if append and not (journal is not None and Journal.exists(journal)):
                raise InvalidInput("there is no journal to append to: a campaign that begins takes its whole list")
            # A campaign that has begun may go on after its time; a new one would be sent at once, at any hour.
            if not self._begun() and instant is not None and checks.has_passed(instant, datetime.now(UTC)):
                raise InvalidSchedule("the time of sending has passed")
        except BaseException:
            self.close()
            raise

    def _set_up(self, channel: str | None, send_at: datetime | None) -> None:
        self.channel: str = channel or self.notifier.url.channel
        # By its name it would open the notifier's own outbox, and the steps of a campaign stand in its journal.
        self._fallback = self.notifier.fallback(self.channel)
        self._channel = self._fallback or self.notifier.channel(self.channel)
        self._steps = self._priced_steps()
        second = self._steps[1]
        if self.second_price is not None and second is None:
            raise InvalidInput(f"{self.channel} has no second step, and so no price of one")
        if (prices := self.notifier.url.price) is not None:
            self.price = prices.of(self._steps[0].name) if self.price is None else self.price
            if second is not None and self.second_price is None:
                self.second_price = prices.of(second.name)
        self._channel.check_sender(self.notifier.url.sender)
        if send_at is not None and not self._channel.schedulable:
            raise InvalidSchedule(f"the channel {self.channel} cannot send later")
        self.send_at = send_at

    def _priced_steps(self) -> tuple[Channel, Channel | None]:
        """Return the channel of what is paid for each recipient, and of what may be paid for besides."""
        if self._fallback is not None:
            return self._fallback.first, self._fallback.second
        prices, billed = self.notifier.url.price, billed_as(self._channel)
        billed = billed if prices is None else prices.steps(self.channel, billed)
        if billed is None:
            return self._channel, None
        return self.notifier.channel(billed[0]), self.notifier.channel(billed[1])

    def _instant(self, span: timedelta) -> tuple[datetime, bool]:
        """Return the instant that the journal has, or so long from now, and whether it is the journal's."""
        if self._path is not None and Journal.exists(self._path):
            with Journal(self._path) as journal:
                known = (journal.identity or {}).get("send_at")
            if known is not None and (kept := datetime.fromisoformat(known)).tzinfo is not None:
                return kept, True
        return (datetime.now(UTC) + span).replace(microsecond=0), False

    def __repr__(self) -> str:
        return f"<Campaign {self.channel} {'text' if self._wording.template is None else 'template'}>"

    def close(self) -> None:
        """Close the input, and the notifier where this campaign made it.

        Where this fails while an exception is being handled, the failure is logged and that exception goes on.
        """
        close_all(
            log,
            "the campaign",
            *([] if self._source is None else [self._source.close]),
            *([] if self._exclusion is None else [self._exclusion.withdraw]),
            *([self.notifier.close] if self._owned else []),
        )

    @functools.cached_property
    def identity(self) -> dict[str, Any]:
        """What the journal knows the campaign by: digests of input and text, and how they are read and sent."""
        assert self._source is not None  # noqa: S101 - set on construction
        url = self.notifier.url
        return {
            "input": self._source.digest,
            "text": self._wording.digest,
            "channel": self.channel,
            "send_at": None if self.send_at is None else self.send_at.isoformat(),
            "sender": url.sender,
            "column": self.table.column,
            "format": str(self.table.format),
            "encoding": self._source.encoding,
            "region": url.region,
            "shape": f"{url.transliterate} {url.max_segments}",
            WINDOW: None if self.window is None else str(self.window),
            "tags": sorted(self.tags) or None,
            STEPS: None if self._fallback is None else [self._fallback.first.name, self._fallback.second.name],
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
        count = self._intake.counted()
        speed, done = speed or Speed(), self._known(count)
        again = {*retry, *((RowState.UNKNOWN,) if resend_unknown else ())}
        pages = self._intake.numbers() if done is None else self._left(again)
        message = replace(self._message(count.sample or ""), recipients=tuple(count.first))
        return make_plan(
            count,
            speed,
            ask_account(self.notifier.client) if ask else Account(),
            pace=pace_of(self._path, self.notifier.url.account),
            done=done,
            retry=retry,
            undecided=self._undecided() if done is not None and RowState.FAILED in retry else 0,
            resend_unknown=resend_unknown,
            personal=self._personal,
            channel=self._channel,
            steps=self._steps,
            price=self.price,
            second_price=self.second_price,
            source=self.table.description,
            outlook=self._asked(self._foreseen(message), message, count, pages, speed.limit),
            unfilled=self._wording.unfilled(self.table.columns),
            added=self._added or 0,
        )

    def _undecided(self) -> int:
        """Return how many deliveries are still looked at, and may have failed since the last look."""
        assert self._path is not None  # noqa: S101 - the campaign has begun
        with Journal(self._path) as journal:
            accepted = journal.outbox.rows(states={RowState.ACCEPTED})
            return sum(row.next_poll_at is not None for row in accepted)

    def _left(self, again: Collection[RowState]) -> Iterator[Sequence[str]]:
        """Yield whom a campaign that has begun still sends to, by pages."""
        assert self._path is not None  # noqa: S101 - it has begun
        with Journal(self._path) as journal:
            rows = (row.recipient for row in journal.rows({RowState.QUEUED, *again}) if is_e164(row.recipient))
            while page := list(itertools.islice(rows, PAGE)):
                yield page

    def _asked(
        self, outlook: Outlook, message: Message, count: Count, pages: Iterable[Sequence[str]], most: int | None
    ) -> Outlook:
        """Return the outlook with whom plugins refuse and which limits have no room, as each send would be told."""
        plugins = self.notifier.plugins
        if not (self.notifier.url.limit or plugins.listens("devinotify_screen_recipients")):
            return outlook
        screening = Screening(plugins, message)
        channel = self._channel if self._fallback is None else self._fallback.first
        segments = -(-count.segments // count.recipients) if count.recipients and channel.segmented else 1
        left = first_of(screening.left(pages), most)
        with nullcontext() if self._exclusion is None else self._exclusion.asked():
            try:
                reached = self.notifier.limits_reached(message, channel, left, segments)
                for _ in left:  # without limits nobody has gone through them
                    pass
            except PluginError as error:
                return outlook._replace(refused=error)
        return outlook._replace(suppressed=screening.refused, reached=reached)

    def _foreseen(self, message: Message) -> Outlook:
        """Return what plugins would do to the first recipients, and whom of all the window holds."""
        if self._windowing is None:
            return foresee(self.notifier.plugins, message, self._channel)
        try:
            outlook = foresee(self.notifier.plugins, message, self._channel, self._windowing.fit)
            return outlook._replace(outside=self._windowing.outside(message, self._intake.numbers()))
        except PluginError as error:
            return Outlook(refused=error)

    def test(self, number: str) -> Outcome:
        """Send the text of the first recipient to ``number`` alone, now, and return what became of it."""
        sample = self._intake.counted().sample
        if sample is None:
            raise InvalidInput("there is no text to try: the input has no recipient")
        with nullcontext() if self._exclusion is None else self._exclusion.asked():
            return self.notifier.notify(sample, to=number, channel=self.channel, tags=self.tags)[0]

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

        The input is read to its end before anything is sent, unless ``plan`` has done so; the numbers of a new campaign
        of one text are sorted out beside its sending. ``resend_unknown`` sends to those again who may have got the
        message already, ``retry`` to those that were ``rejected`` or ``not_sent`` for another reason than their number.
        ``fail_fast`` ends the run at once where the gateway cannot be reached.
        ``observe`` is told of the progress about twice a second, in the caller's thread. Raises InvalidInput for an
        input that cannot be read, and DevinotifyError where the journal cannot be written.
        """
        check_retry(retry)
        if self._path is None:
            raise InvalidInput("a campaign is not sent without a journal: name its file")
        began = time.monotonic()
        try:
            # Of a campaign that has begun all is counted, to tell what is left; a new one only has to be readable.
            pages = None if Journal.exists(self._path) else (len(page.raws) for page in self.table.pages())
            if not self._intake.read(observe, lambda: self._stopped, pages):
                return Result(End.STOPPED, self._known() or Tally(), Sent(), time.monotonic() - began)
            with Journal(self._path) as journal, self.notifier.storing(journal.outbox):
                message = self._begin(journal)
                # Who observes outcomes hears of those, too, that a killed run has left.
                self.notifier.following(journal.outbox)
                again = {*retry, *((RowState.UNKNOWN,) if resend_unknown else ())}
                return self._send(journal, message, speed or Speed(), began, observe, again=again, fail_fast=fail_fast)
        finally:
            self._stopped, self._sending = False, None

    def _send(
        self,
        journal: Journal,
        message: Message,
        speed: Speed,
        began: float,
        observe: Callable[[Progress], None] | None,
        *,
        again: Collection[RowState],
        fail_fast: bool,
    ) -> Result:
        """Send what is queued, while what is not yet in the journal is put into it: the list can be read to its end."""
        recovered = journal.recover()
        journal.outbox.hurry()
        journal.send_again(again)
        personal = self._personal
        feed = None if journal.fed else journal.feed(self._intake.pages, message, personal=personal)
        known = journal.recipients() if feed else self._intake.counted().recipients
        already = known - journal.counts().queued
        sending = self._sending = Sending(
            self.notifier,
            journal.outbox,
            speed,
            personal=personal,
            feed=feed,
            fallback=self._fallback,
            fail_fast=fail_fast,
            sender=self._windowing or self._exclusion,
        )
        if self._windowing is not None:
            self._windowing.note = journal.hold
        if self._stopped:
            sending.stop()
        if observe is None:
            end = sending.run()
        else:
            teller = Teller(observe, already, lambda: self._intake.expected)
            end = sending.run(lambda sent: teller.tell(sent, self._cost(sent), sending.connections, sending.trouble()))
        # Of another process on this journal that was killed meanwhile.
        recovered += journal.recover()
        tally = journal.tally()
        if end is End.DONE and tally.in_flight:
            end = End.ELSEWHERE
        sent = sending.sent
        error = None if end in (End.DONE, End.ELSEWHERE) else sending.error
        reasons = journal.reasons() if tally.rejected or tally.not_sent > tally.waiting else {}
        return Result(
            end=end,
            tally=tally,
            sent=sent,
            seconds=time.monotonic() - began,
            cost=self._cost(sent),
            error=error,
            recovered=recovered,
            to_come=journal.to_come(),
            reasons=reasons,
            held=journal.held,
            suppressed=dict(journal.suppressed().most_common()) if tally.not_sent > tally.waiting else {},
        )

    def stop(self) -> None:
        """End ``run`` after the batches under way; from any thread or signal handler."""
        self._stopped = True
        if self._sending is not None:
            self._sending.stop()

    @functools.cached_property
    def _numbering(self) -> Numbering:
        return self.table.numbering()

    def line(self, row: int) -> int:
        """Return the line of the file in which a row begins, as an editor or a spreadsheet shows it.

        Of a JSON array, and of vCards, it is which of them it is.
        """
        return self._numbering.line(row)

    def invalid(self) -> Iterator[tuple[int, str, DevinotifyError]]:
        """Yield what cannot be sent to: the row of the input (from 1, the header apart), what stands there, and why."""
        for page in self._sorted(exclusion=self._exclusion):
            for row, raw, error in page.refused:
                # All that are refused alike share one.
                if isinstance(error, InvalidPhoneNumber) and error.masked == "***":
                    yield row, raw, InvalidPhoneNumber(str(error), reason=error.reason, masked=mask(raw))
                else:
                    yield row, raw, error

    def tally(self) -> Tally | None:
        """Return where every row of the input stands, or ``None`` where the journal has not begun."""
        return self._known()

    @property
    def _personal(self) -> bool:
        return self._wording.template is not None

    def _sorted(self, *, exclusion: Exclusion | None) -> Iterator[Sorted]:
        return sort_out(
            self.table,
            region=self.notifier.url.region,
            template=self._wording.template,
            shape=self._wording.shape,
            read=self._reading(),
            refusals=self._refusals,
            exclusion=exclusion,
        )

    def _reading(self) -> Callable[[str], PhoneNumber] | None:
        """Return what reads a number where a plugin has a say in that."""
        numbers = Recipients(self.notifier.plugins, self.notifier.url.region)
        return numbers.phone if numbers.customised else None

    def _known(self, count: Count | None = None) -> Tally | None:
        """Return what the journal tells, where there is one; raises InvalidInput where it is another campaign's.

        With ``count``, recipients of it that are not in a journal yet, as its run ended before that, wait as well.
        """
        if self._path is None or not Journal.exists(self._path):
            return None
        with Journal(self._path) as journal:
            self._check(journal)
            tally = journal.tally()
            if journal.fed is not None and not self._added:
                return tally
            if count is not None:
                missing = max(count.recipients - journal.recipients(), 0)
                tally = replace(tally, waiting=tally.waiting + missing, not_sent=tally.not_sent + missing)
            return tally if journal.counts().total else None

    def _begun(self) -> bool:
        """Return whether any of it may have been sent; raises InvalidInput where the journal is another campaign's."""
        if self._path is None or not Journal.exists(self._path):
            return False
        with Journal(self._path) as journal:
            self._check(journal)
            return journal.fed is not None or journal.recipients() > journal.counts().queued

    def _check(self, journal: Journal) -> None:
        """Raise InvalidInput where it is the journal of another campaign, or of another account that is not let on."""
        if not (self._append and journal.differences(self.identity) == [INPUT]):
            journal.check(self.identity)
        elif self._added is None:
            pages = self._sorted(exclusion=None)
            read = self._reading() or (lambda raw: phones.normalize(raw, region=self.notifier.url.region))
            self._added = check_grown(journal, pages, lambda raw: read(raw).e164, self.line, personal=self._personal)
        if not self._other_account:
            journal.check_account(self.notifier.url.account, otherwise=", or --other-account to go on with this one")

    def _begin(self, journal: Journal) -> Message:
        """Make it this campaign's journal, and return the message that its rows are of."""
        text = self._wording.original if self._wording.text is None else self._wording.text
        message = self._message(text)
        self._check(journal)
        if self._added is not None and journal.differences(self.identity):
            journal.append(self.identity)
        journal.begin(message, self.identity, self.notifier.url.account)
        journal.use(self.notifier.url.account, other=self._other_account)
        journal.note(self._intake.source, self.price if self._steps[1] is None else None)
        return message

    def _message(self, text: str) -> Message:
        return Message(text, (), channel=self.channel, send_at=self.send_at, tags=self.tags)

    def _cost(self, sent: Sent) -> Decimal | None:
        if self.price is None:
            return None
        if (steps := self._fallback) is not None:
            first = sent.segments if steps.first.segmented else sent.first
            return self.price * first + (self.second_price or 0) * sent.second
        if self._steps[1] is not None:  # which of the two was paid for, the gateway tells later
            return None
        return self.price * (sent.segments if self._channel.segmented else sent.accepted)


def _tags(given: str | Iterable[str]) -> frozenset[str]:
    tags = frozenset((given,) if isinstance(given, str) else given)
    if not all(tag.strip() for tag in tags):
        raise InvalidInput("a tag has a name: it is not empty")
    return tags


def _price(given: Decimal | int | str) -> Decimal:
    try:
        return texts.estimate_cost("1", 1, given)
    except (TypeError, ValueError) as error:
        raise InvalidInput(str(error)) from None
