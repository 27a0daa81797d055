"""``DevinoHandler``: what stands in a logging configuration."""

from __future__ import annotations

import logging
import sys
import weakref
from typing import TYPE_CHECKING, Any

from devinotify import DevinotifyError, InvalidInput, PluginError

from devinotify_logging import settings
from devinotify_logging.loop import is_sender
from devinotify_logging.masking import mask
from devinotify_logging.records import freeze
from devinotify_logging.sender import Sender
from devinotify_logging.stderr import report, say

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from devinotify import Message, Outcome

    from devinotify_logging.counters import Counters
    from devinotify_logging.records import Event

IGNORED = frozenset({"devinotify", "devinotify_logging", "requests", "urllib3"})
"""First parts of the names of loggers whose records never become alerts: a failing send would log its own failure."""


class DevinoHandler(logging.Handler):
    """A logging handler that sends records to a phone, by SMS or Viber, a few of a storm and never more than allowed.

    Every argument may be a plain string or number, so that it can stand in a dict or an ini file. ``url`` is a
    ``devino://`` URL; ``to`` (numbers or aliases, separated by commas) and ``channel`` come before its own.
    ``max_segments`` bounds one alert, ``rate`` and ``burst`` how many go out at a time, ``daily_limit`` the segments
    of a day (this machine's) over all recipients. Equal records within ``dedupe`` are one alert. ``queue_size``
    records wait at most. ``outbox`` is the path of a file that keeps alerts until they are sent. ``flush_timeout``
    (seconds) bounds ``flush`` and the end of the interpreter.

    Raises InvalidInput, a ValueError, that names the bad argument.
    """

    _is_trial = False  # its record is a test, which costs the alerts of the account nothing

    def __init__(
        self,
        url: str,
        level: int | str = logging.ERROR,
        *,
        to: str | int | Sequence[str | int] | None = None,
        channel: str | None = None,
        max_segments: int | str = 2,
        rate: str = "5/min",
        burst: int | str = 3,
        dedupe: float | str = "60s",
        daily_limit: int | str = 100,
        queue_size: int | str = 1000,
        outbox: str | None = None,
        flush_timeout: float | str = 5.0,
    ) -> None:
        given = settings.read(
            to=to,
            channel=channel,
            max_segments=max_segments,
            rate=rate,
            burst=burst,
            dedupe=dedupe,
            daily_limit=daily_limit,
            queue_size=queue_size,
            outbox=outbox,
            flush_timeout=flush_timeout,
        )
        try:
            super().__init__(settings.level(level))
        except (TypeError, ValueError):
            raise InvalidInput(f"bad value {level!r:.40} for level: a name such as ERROR, or a number") from None
        me = weakref.ref(self)  # the sender must not keep a handler alive that nobody else wants

        def complain(event: Event | None, error: BaseException) -> None:
            handler = me()
            if handler is not None:
                handler._complain(event, error)

        self._sender = Sender(url, given, complain, trial=self._is_trial)
        weakref.finalize(self, self._sender.hand_over).atexit = False
        self._leave_target = weakref.finalize(self, self._sender.target.leave)
        self._leave_target.atexit = False

    # Of the class, since the names of this module may be gone when the last objects of a program are.
    _is_finalizing = staticmethod(sys.is_finalizing)
    _say = staticmethod(say)

    @property
    def counters(self) -> Counters:
        """What became of records and messages so far, in this process."""
        return self._sender.counters()

    def handle(self, record: logging.LogRecord) -> Any:  # noqa: ANN401 - a bool or a record, by the version of Python
        """Take a record if the filters let it pass, like any handler, but without its lock.

        Two threads can spoil nothing here, and where many log none has to wait for another.
        """
        passed = self.filter(record)
        if passed:
            self.emit(passed if isinstance(passed, logging.LogRecord) else record)
        return passed

    def emit(self, record: logging.LogRecord) -> None:
        """Take a record and return; it is sent by another thread. Never raises, and never waits for the network."""
        if self._is_finalizing():
            self._lose(record)
            return
        try:
            if is_sender() or record.name.partition(".")[0] in IGNORED or self._is_taken(record):
                self._sender.ignore()
                return
            formatted = None if self.formatter is None else self.format(record)
            self._sender.put(freeze(record, formatted))
        except Exception:  # noqa: BLE001 - logging must not break what logs
            self._emit_odd(record)

    def flush(self) -> None:
        """Wait until what was logged is sent, written down or held back, for at most ``flush_timeout`` seconds.

        Returns at once where this thread holds the lock of the logging module, as ``dictConfig`` does.
        """
        if is_sender() or self._is_finalizing() or not hasattr(self, "_sender"):
            return
        if _configuring():
            self._sender.wake()
        else:
            self._sender.flush(self._sender.flush_timeout)

    def close(self) -> None:
        """Hand what is queued to the sender, which ends when it has sent it, and return at once."""
        if hasattr(self, "_sender") and not self._is_finalizing():  # not where the configuration was refused
            self._sender.hand_over()
            self._leave_target()
        super().close()

    def observe(self, observer: Callable[[Message, Outcome], None]) -> None:
        """Tell ``observer`` of each try from now on, one call for each recipient, in the thread that made it."""
        self._sender.observe(observer)

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802 - logging's name
        """Name an error of devinotify's (a gateway that is away, a wrong password) in one line; others as logging does.

        Where one was raised is nobody's affair but devinotify's; that of a plugin is its author's.
        """
        error = sys.exception()
        if isinstance(error, DevinotifyError) and not isinstance(error, PluginError):
            report(error)
        else:
            super().handleError(record)

    def _is_taken(self, record: logging.LogRecord) -> bool:
        """Whether another handler alerts the same people of this record; without dedupe each alerts for itself."""
        return self._sender.dedupes and not self._sender.target.takes(record)

    def _lose(self, record: logging.LogRecord) -> None:
        """Say in one line that an alert is lost: no thread can be started any more, and nothing imported.

        No lock is taken here: a thread that holds it may have been stopped for good.
        """
        try:  # noqa: SIM105 - contextlib may be gone as well
            self._say(f"an alert is lost, logged while Python was shutting down: {record.levelname} of {record.name}")
        except Exception:  # noqa: BLE001, S110 - nobody is left to tell, and the modules' names may be gone
            pass

    def _emit_odd(self, record: logging.LogRecord) -> None:
        """Send a record that cannot be formatted as it stands, and report that, as logging does."""
        try:
            self.handleError(record)
            self._sender.put(freeze(_with_message(record)))
        except Exception:  # noqa: BLE001, S110 - there is nobody left to tell
            pass

    def _complain(self, event: Event | None, error: BaseException) -> None:
        """Report what went wrong in the sender in the usual way of logging, which ``logging.raiseExceptions`` rules."""
        told = "an alert" if event is None else mask(event.message)
        record = logging.LogRecord(__name__, logging.ERROR, __file__, 0, told, None, None)
        try:
            raise error
        except type(error):
            self.handleError(record)


def _with_message(record: logging.LogRecord) -> logging.LogRecord:
    """Return a copy of a record whose arguments do not fit, with its template as the message."""
    try:
        message = str(record.msg)
    except Exception:  # noqa: BLE001 - an object that cannot even be shown
        message = f"<{type(record.msg).__name__} that cannot be shown>"
    return logging.makeLogRecord({**record.__dict__, "msg": message, "args": None})


def _configuring() -> bool:
    """Whether this thread holds the lock of the logging module: waiting for another thread then stops them both."""
    lock = getattr(logging, "_lock", None)  # private, and the same in 3.11 to 3.13; nothing public tells
    owned: Callable[[], bool] | None = getattr(lock, "_is_owned", None)
    return owned is not None and owned()
