"""One record through a real handler, and what came of it, in words and as an exit code."""

from __future__ import annotations

import logging
import sys
from typing import TYPE_CHECKING, Any

from devinotify import DevinotifyError, Verdict, mask_number, text
from devinotify.translation import N_, _, ngettext, told

from devinotify_logging.handler import DevinoHandler

if TYPE_CHECKING:
    from collections.abc import Callable

    from devinotify import Message, Outcome

EXIT_CODES = {Verdict.ACCEPTED: 0, Verdict.REJECTED: 3, Verdict.NOT_SENT: 4, Verdict.UNKNOWN: 5}
"""The codes of the other commands, as a test sees to: with several recipients the highest wins, 2 is a wrong URL."""

MEANINGS = {
    Verdict.ACCEPTED: N_("the gateway took it"),
    Verdict.REJECTED: N_("the gateway refused it"),
    Verdict.NOT_SENT: N_("nothing was sent"),
    Verdict.UNKNOWN: N_("it may or may not have been sent: look at the phone"),
}

MOST_SEGMENTS_A_DAY = 10**9
"""The daily limit of its one message: none, so that what was not heard of was not held back."""

LOGGER = "devinotify-log-test"
"""The logger of the record: not one of devinotify's own, which never become alerts."""


def run(
    url: str,
    message: str,
    level: str,
    *,
    to: str | None,
    channel: str | None,
    outbox: str | None,
    timeout: float,
    say: Callable[[str], None],
) -> int:
    """Send one record through a handler of these settings, tell what became of it, and return the exit code."""
    try:
        handler = _Telling(
            url,
            level,
            to=to,
            channel=channel,
            outbox=outbox,
            dedupe=0,
            daily_limit=MOST_SEGMENTS_A_DAY,
            flush_timeout=timeout,
        )
    except DevinotifyError as error:
        say(_("The handler refuses its configuration: {why}", why=told(error)))
        return 2
    heard: list[tuple[Message, Outcome]] = []
    handler.observe(lambda sent, outcome: heard.append((sent, outcome)))
    logger = logging.getLogger(LOGGER)
    logger.propagate, logger.handlers = False, [handler]
    logger.log(handler.level, message)
    handler.flush()
    handler.close()
    for sent in dict.fromkeys(sent for sent, _outcome in heard):
        cost = text.segment(sent.text)
        say(
            ngettext(
                "By {channel}, in {count} segment of {encoding}:",
                "By {channel}, in {count} segments of {encoding}:",
                cost.count,
                channel=sent.channel,
                encoding=cost.encoding,
            )
        )
        say("".join(f"    {line}\n" for line in sent.text.splitlines()).rstrip())
    outcomes = [outcome for _sent, outcome in heard]
    for outcome in outcomes:
        why = "" if outcome.error is None else f": {told(outcome.error)}"
        verdict = _(outcome.verdict.replace("_", " "))
        say(f"{mask_number(outcome.recipient)} {verdict}: {_(MEANINGS[outcome.verdict])}{why}")
    if outbox is not None and any(map(_is_kept, outcomes)):
        say(
            _(
                "It stays in {outbox}: a handler that has this file, or devinotify worker, tries it again.",
                outbox=outbox,
            )
        )
    known = {str(outcome.error) for outcome in outcomes}
    for fault in dict.fromkeys(str(fault) for fault in handler.faults):
        if fault not in known:
            say(_("The handler reports: {fault}", fault=told(fault)))
    if not heard:
        say(_("Nothing came back within {timeout:g} seconds.", timeout=timeout))
        return EXIT_CODES[Verdict.UNKNOWN]
    return max(EXIT_CODES[outcome.verdict] for outcome in outcomes)


class _Telling(DevinoHandler):
    """A handler that keeps the errors that others print, and takes nothing from the limits of real alerts."""

    _is_trial = True

    def __init__(self, url: str, level: str, **settings: Any) -> None:  # noqa: ANN401 - the handler's own types
        self.faults: list[BaseException] = []
        super().__init__(url, level, **settings)

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802, ARG002 - logging's signature
        """Keep the error."""
        error = sys.exception()
        if error is not None:
            self.faults.append(error)


def _is_kept(outcome: Outcome) -> bool:
    return outcome.verdict is Verdict.NOT_SENT and outcome.error is not None and outcome.error.retryable
