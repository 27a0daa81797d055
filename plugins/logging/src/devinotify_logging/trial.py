"""One record through a real handler, and what came of it, in words and as an exit code."""

from __future__ import annotations

import logging
import sys
from typing import TYPE_CHECKING, Any

from devinotify import DevinotifyError, Verdict, mask_number, text

from devinotify_logging.handler import DevinoHandler

if TYPE_CHECKING:
    from collections.abc import Callable

    from devinotify import Message, Outcome

EXIT_CODES = {Verdict.ACCEPTED: 0, Verdict.REJECTED: 3, Verdict.NOT_SENT: 4, Verdict.UNKNOWN: 5}
"""The codes of the other commands: with several recipients the highest wins, and 2 is a wrong URL."""

MEANINGS = {
    Verdict.ACCEPTED: "the gateway took it",
    Verdict.REJECTED: "the gateway refused it",
    Verdict.NOT_SENT: "nothing was sent",
    Verdict.UNKNOWN: "it may or may not have been sent: look at the phone",
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
        say(f"The handler refuses its configuration: {error}")
        return 2
    heard: list[tuple[Message, Outcome]] = []
    handler.observe(lambda sent, outcome: heard.append((sent, outcome)))
    logger = logging.getLogger(LOGGER)
    logger.propagate, logger.handlers = False, [handler]
    logger.log(handler.level, message)
    handler.flush()
    handler.close()
    for sent in dict.fromkeys(sent for sent, _ in heard):
        cost = text.segment(sent.text)
        plural = "" if cost.count == 1 else "s"
        say(f"By {sent.channel}, in {cost.count} segment{plural} of {cost.encoding}:")
        say("".join(f"    {line}\n" for line in sent.text.splitlines()).rstrip())
    for _, outcome in heard:
        why = "" if outcome.error is None else f": {outcome.error}"
        say(f"{mask_number(outcome.recipient)} {outcome.verdict.replace('_', ' ')}: {MEANINGS[outcome.verdict]}{why}")
    if outbox is not None and any(_is_kept(outcome) for _, outcome in heard):
        say(f"It stays in {outbox}: a handler that has this file, or devinotify worker, tries it again.")
    told = {str(outcome.error) for _, outcome in heard}
    for fault in dict.fromkeys(str(fault) for fault in handler.faults):
        if fault not in told:
            say(f"The handler reports: {fault}")
    if not heard:
        say(f"Nothing came back within {timeout:g} seconds.")
        return EXIT_CODES[Verdict.UNKNOWN]
    return max(EXIT_CODES[outcome.verdict] for _, outcome in heard)


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
