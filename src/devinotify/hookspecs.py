"""Every hook of devinotify: this module is their documentation.

A plugin is a module or an object with functions of these names, marked with ``devinotify.hookimpl`` and
offered under the entry-point group ``devinotify``; a function takes as many of the named arguments as it needs.
``Notifier`` and the command line call hooks; ``Client`` and the pure modules never do.

Three kinds of hook:

- *first result*: implementations are asked in turn, the last registered first, until one answers something
  other than ``None``. Where there is a built-in answer it is asked last (``trylast``).
- *first result with wrappers*: the same, and ``@hookimpl(wrapper=True)`` generators stand around it.
- *all* and *observers*: every implementation is called, an observer apart from the others.

An implementation that raises, or answers with the wrong type, becomes a ``PluginError`` that names plugin and
hook. Before the send it makes the recipients ``not_sent``; after the send it is logged and changes nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pluggy

if TYPE_CHECKING:
    from click import Group

    from devinotify.exceptions import DevinotifyError
    from devinotify.models import Channel, Message, Outcome, Receipt, SmsState
    from devinotify.phones import PhoneNumber
    from devinotify.text import Segmentation

PROJECT = "devinotify"
"""The name under which pluggy knows our markers, and the entry-point group of hook plugins."""

hookspec = pluggy.HookspecMarker(PROJECT)
hookimpl = pluggy.HookimplMarker(PROJECT)
"""Marks a function as the implementation of the hook of its name; takes ``tryfirst``, ``trylast`` and ``wrapper``."""


@hookspec
def devinotify_register_channels() -> list[Channel]:
    """Bring new channels, to be used by their names; called once for each Notifier. All answers count.

    The built-in channels come in this way too; a name that is taken already is an error of the plugin that
    comes later, which is left out.

    >>> @hookimpl
    ... def devinotify_register_channels():
    ...     return [PagerChannel()]
    """
    return []


@hookspec(firstresult=True)
def devinotify_resolve_recipient(recipient: str) -> list[str] | None:
    """Return the recipients that an alias or a group stands for, or ``None`` where it is none of yours.

    Called for each recipient as it was given, before it is read as a number; members may be aliases in turn.
    First result.

    >>> @hookimpl
    ... def devinotify_resolve_recipient(recipient):
    ...     return ROTA.get(recipient)  # {"oncall": ["79161234567"]}
    """
    return None


@hookspec(firstresult=True)
def devinotify_normalize_phone(raw: str, region: str) -> PhoneNumber | None:
    """Return the number that ``raw`` means in ``region``, or ``None`` to leave it to the next.

    First result; the built-in one is ``devinotify.phones.normalize``. An ``InvalidPhoneNumber`` that you raise is an
    answer, not a fault: the recipient is refused with it.

    >>> @hookimpl
    ... def devinotify_normalize_phone(raw, region):
    ...     return phones.normalize("+7916000" + raw) if len(raw) == 4 else None  # extensions of the office
    """
    return None


@hookspec(firstresult=True)
def devinotify_estimate_segments(text: str) -> Segmentation | None:
    """Return what ``text`` costs in segments, or ``None`` to leave it to the next.

    Called where a budget of segments has to be kept. First result; the built-in one is
    ``devinotify.text.segment``.

    >>> @hookimpl
    ... def devinotify_estimate_segments(text):
    ...     return devinotify.text.segment(text, limits=SegmentLimits(gsm7=(140, 134)))
    """
    return None


@hookspec(firstresult=True)
def devinotify_map_error(error: DevinotifyError) -> DevinotifyError | None:
    """Return a more telling error in place of ``error``, or ``None`` to leave it.

    Called for the error of each attempt before its outcome is recorded. The verdict stays the core's: it is carried
    over to what you return, and with ``unknown`` comes ``retryable = False``. First result.

    >>> @hookimpl
    ... def devinotify_map_error(error):
    ...     if isinstance(error, NotEnoughCredits):
    ...         return TopUpNeeded("top up at https://pay.example.com")
    """
    return None


@hookspec(firstresult=True)
def devinotify_prepare_message(message: Message) -> list[Message] | None:
    """Return the messages to send in place of ``message``: the place to change a text or a sender, split, delay, drop.

    Called once for each ``notify``, after aliases are resolved and numbers normalised. First result with wrappers: the
    built-in one answers ``[message]``, and a wrapper changes the list that comes back from it. A recipient who
    is in no message of the result is ``not_sent``; one who is in two of them is a ``PluginError``.

    >>> @hookimpl(wrapper=True)
    ... def devinotify_prepare_message(message):
    ...     prepared = yield
    ...     return [dataclasses.replace(one, text=f"[staging] {one.text}") for one in prepared]
    """
    return None


@hookspec(firstresult=True)
def devinotify_send_message(message: Message, channel: Channel) -> list[Outcome] | None:
    """Send ``message`` and return one Outcome per recipient, or ``None`` to leave it to the next.

    First result with wrappers; the built-in one sends, last. To answer in its place (dry run, deduplication,
    rate limit) implement it with ``tryfirst``; to watch it (metrics, tracing) write a wrapper.

    >>> @hookimpl(wrapper=True)
    ... def devinotify_send_message(message, channel):
    ...     with tracer.start_as_current_span("devinotify.send"):
    ...         return (yield)
    """
    return None


@hookspec
def devinotify_outcome_recorded(message: Message, outcome: Outcome) -> None:
    """Take note of what became of a message for one recipient: audit, metrics.

    Called after the send, once for each recipient and step. Observer: one that raises is logged and breaks nothing.

    >>> @hookimpl
    ... def devinotify_outcome_recorded(message, outcome):
    ...     audit.info("%s %s", outcome.verdict, outcome.channel)
    """


@hookspec
def devinotify_status_changed(receipt: Receipt, state: SmsState) -> None:
    """Take note of the new delivery state of an accepted message.

    Called when ``Notifier.wait`` or the worker sees a state other than the last one it saw. Observer: one that raises
    is logged and breaks nothing.

    >>> @hookimpl
    ... def devinotify_status_changed(receipt, state):
    ...     DELIVERIES.labels(state.status).inc()
    """


@hookspec
def devinotify_register_commands(group: Group) -> None:
    """Add click commands to the ``devinotify`` command line; called once when it starts. All are called.

    >>> @hookimpl
    ... def devinotify_register_commands(group):
    ...     group.add_command(rota)
    """
