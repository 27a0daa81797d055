"""What the outcomes of one batch mean for what is still queued, as a table. Pure.

Most errors are a recipient's affair and are settled. Some are the account's or the gateway's: the next batch would
meet them too, and nothing is lost by waiting, so the rows are put back as they were.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType
from typing import TYPE_CHECKING

from devinotify import exceptions as errors
from devinotify.accepted import Accepted, has_accepted
from devinotify.channels.batch import blames_a_recipient, is_of_account
from devinotify.exceptions import DevinotifyError, Verdict
from devinotify.limits import Limit, Scope

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from devinotify.models import Outcome


class Cause(StrEnum):
    """Why nothing goes out for the moment, although it is queued and due."""

    CREDITS = "credits"
    LOGIN = "login"
    REFUSED = "refused"
    PLUGIN = "plugin"
    FAILING = "failing"
    OVER_LIMIT = "over_limit"


CAUSES: Mapping[Cause, str] = MappingProxyType(
    {
        Cause.CREDITS: "the account has not enough credits",
        Cause.LOGIN: "the gateway refused the login",
        Cause.REFUSED: "the gateway refuses the account",
        Cause.PLUGIN: "a plugin lets nothing be sent",
        Cause.FAILING: "the gateway keeps failing or cannot be reached",
        Cause.OVER_LIMIT: "a limit on what may be sent is used up",
    }
)
"""What each cause says to a person."""


class Meaning(StrEnum):
    """What an error is about."""

    RECIPIENT = "recipient"
    """The recipient, or the message: final."""
    NOBODY = "nobody"
    """No recipient by name: perhaps one of them all the same, perhaps the account."""
    CREDITS = "credits"
    """The account's balance."""
    SENDER = "sender"
    """The sender that the account sends from."""
    ACCOUNT = "account"
    """The account, by a word that says so."""
    SESSION = "session"
    """A wrong password, or a session that ended once more right after the login."""
    OVER = "over"
    """A limit of the account's, a sender's or a tag's that leaves no room for now."""
    ENOUGH = "enough"
    """A limit of the recipient's that does."""
    BUSY = "busy"
    """A refusal that passes, such as a 429."""
    UNREACHED = "unreached"
    """It did not leave, and may yet."""
    DOUBT = "doubt"
    """It may have left."""


@dataclass(frozen=True, slots=True)
class Effect:
    """What a meaning comes to: ``puts_back`` the rows, is ``trouble`` for the pace, is the cause of a ``stop``."""

    puts_back: bool = False
    trouble: bool = False
    stop: Cause | None = None
    refused: Cause | None = None


EFFECTS: Mapping[Meaning, Effect] = MappingProxyType(
    {
        Meaning.RECIPIENT: Effect(),
        Meaning.NOBODY: Effect(),  # of a whole batch: see ``read``
        Meaning.CREDITS: Effect(puts_back=True, stop=Cause.CREDITS),
        Meaning.SENDER: Effect(puts_back=True, stop=Cause.REFUSED),
        Meaning.ACCOUNT: Effect(puts_back=True, stop=Cause.REFUSED),
        Meaning.OVER: Effect(puts_back=True, stop=Cause.OVER_LIMIT),
        Meaning.ENOUGH: Effect(puts_back=True),
        Meaning.SESSION: Effect(puts_back=True, trouble=True, refused=Cause.LOGIN),
        Meaning.BUSY: Effect(puts_back=True, trouble=True),
        Meaning.UNREACHED: Effect(trouble=True),  # the outbox queues it again by itself, after a backoff
        Meaning.DOUBT: Effect(trouble=True),
    }
)
"""What follows from each meaning."""

KINDS: Mapping[type[DevinotifyError], Meaning] = MappingProxyType(
    {
        errors.NotEnoughCredits: Meaning.CREDITS,
        errors.InvalidSender: Meaning.SENDER,
        errors.Unauthorized: Meaning.SESSION,
        errors.InvalidSession: Meaning.SESSION,
    }
)
"""The errors that are the account's by their class, where nothing was sent."""

OWN: frozenset[Meaning] = frozenset({Meaning.SENDER})
"""What is a message's own affair where messages of all kinds are queued: it may name a sender of its own."""


@dataclass(slots=True)
class Reading:
    """What the outcomes of one batch mean: what to settle, whose rows to put back, and what it says of the gateway.

    ``held`` are the outcomes that were refused for no recipient's sake where nobody passed. ``doubt``: some are
    unknown. ``over`` are the outcomes of those who wait until a limit has room again. ``stop`` is the cause where no
    other batch can pass; ``refused`` is the cause that it comes to where the next batches are refused like it.
    ``retry_after`` is in seconds, as the gateway asked for.
    """

    settle: Sequence[Outcome] = ()
    release: set[str] = field(default_factory=set)
    over: list[Outcome] = field(default_factory=list)
    held: list[Outcome] = field(default_factory=list)
    doubt: bool = False
    stop: Cause | None = None
    error: DevinotifyError | None = None
    trouble: bool = False
    retry_after: float | None = None
    refused: Cause | None = None

    @property
    def passed(self) -> bool:
        """Whether some of what is settled was accepted."""
        return has_accepted(self.settle)

    @property
    def gives_back(self) -> bool:
        """Whether what had taken a limit's room did not leave, and has given it back."""
        return (self.trouble or bool(self.held)) and not self.doubt


def meaning(error: DevinotifyError, verdict: Verdict) -> Meaning:
    """Return what an error is about that a recipient's send ended in with ``verdict``."""
    if verdict is Verdict.UNKNOWN:
        return Meaning.DOUBT
    if isinstance(error, errors.LimitExceeded):
        if error.resets_at is None:
            return Meaning.RECIPIENT  # it never has room
        return Meaning.ENOUGH if Limit.parse(error.limit).scope is Scope.RECIPIENT else Meaning.OVER
    known = next((KINDS[kind] for kind in type(error).__mro__ if kind in KINDS), None)
    if known is not None:
        return known
    if is_of_account(error):
        return Meaning.ACCOUNT
    if error.retryable:
        return Meaning.BUSY if verdict is Verdict.REJECTED else Meaning.UNREACHED
    # What did not leave and is not to be tried again was given up: that is this message's affair.
    if blames_a_recipient(error) or isinstance(error, errors.InvalidInput | errors.NotSent):
        return Meaning.RECIPIENT
    return Meaning.NOBODY


def read(outcomes: Sequence[Outcome], *, alike: bool = True) -> Reading:
    """Return what the outcomes of a batch mean for what is still queued.

    ``alike``: all that is queued is of one campaign, so that what refuses one message for the message's sake, a plugin
    for one, refuses all of them. Otherwise that is settled.
    """
    if isinstance(outcomes, Accepted):  # nearly always, and a campaign has a million of them
        return Reading(settle=outcomes)
    settled: list[Outcome] = []
    reading = Reading(settle=settled)
    refusals: list[Outcome] = []
    for outcome in outcomes:
        error = outcome.error
        if error is None:
            settled.append(outcome)
            continue
        about = meaning(error, outcome.verdict)
        if not alike and (about in OWN or isinstance(error, errors.PluginError)) and about is not Meaning.DOUBT:
            about = Meaning.RECIPIENT
        if not alike and about is Meaning.OVER:
            about = Meaning.ENOUGH  # what is queued beside it may be another sender's
        effect = EFFECTS[about]
        if about is Meaning.NOBODY:
            refusals.append(outcome)
        elif about in (Meaning.OVER, Meaning.ENOUGH):
            reading.over.append(outcome)
        elif effect.puts_back:
            reading.release.add(outcome.recipient)
        else:
            settled.append(outcome)
        if about not in (Meaning.RECIPIENT, Meaning.ENOUGH) and not (about is Meaning.OVER and reading.trouble):
            reading.error = error
        reading.stop = effect.stop or reading.stop
        reading.refused = effect.refused or reading.refused
        reading.doubt |= about is Meaning.DOUBT
        if effect.trouble:
            reading.trouble = True
            reading.retry_after = max(reading.retry_after or 0.0, error.retry_after or 0.0) or None
    if reading.doubt or reading.passed:
        settled += refusals  # somebody has passed, or may have: the account may send
    elif refusals:
        by_plugins = all(isinstance(outcome.error, errors.PluginError) for outcome in refusals)
        reading.held, reading.refused = refusals, Cause.PLUGIN if by_plugins else Cause.REFUSED
    if reading.gives_back and reading.stop is Cause.OVER_LIMIT:
        reading.stop = None
    return reading
