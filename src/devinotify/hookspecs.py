"""Every hook of devinotify: this module is their documentation.

A plugin is a module or an object with functions of these names, marked with ``devinotify.hookimpl`` and
offered under the entry-point group ``devinotify``, or given to ``make_plugin_manager``. A function takes as many of
the named arguments as it needs. ``Notifier`` and the command line call hooks; ``Client`` and the pure modules never do.

Each hook is of one kind:

- *First result*: implementations are asked in turn, the last registered first, until one answers something
  other than ``None``. Where there is a built-in answer it is asked last (``trylast``).
- *First result with wrappers*: the same, and made for ``@hookimpl(wrapper=True)`` generators, which stand around
  all the others, ``yield`` once, and return what came back or something in its place.
- *All*: every implementation is called, and every answer counts.
- *Observer*: every implementation is called, apart from the others, and none has a say.

An implementation that raises, or answers with the wrong type, becomes a ``PluginError`` that names plugin and
hook. Before the send it makes the recipients ``not_sent``; after the send it is logged and changes nothing. The words
of an exception are not shown, since they may hold a number or a text; those of a ``PluginError`` that a plugin raises
itself are.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pluggy

if TYPE_CHECKING:
    from click import Group

    from devinotify.channels.protocol import Channel
    from devinotify.exceptions import DevinotifyError
    from devinotify.limits import LimitUsage
    from devinotify.models import IncomingSms, Message, Outcome, Receipt, SmsState
    from devinotify.phones import PhoneNumber
    from devinotify.text import Segmentation
    from devinotify.window import Window

PROJECT = "devinotify"
"""The name under which pluggy knows our markers, and the entry-point group of hook plugins."""

hookspec: pluggy.HookspecMarker = pluggy.HookspecMarker(PROJECT)
"""Marks a function as the specification of a hook, for a plugin that opens hooks of its own."""
hookimpl: pluggy.HookimplMarker = pluggy.HookimplMarker(PROJECT)
"""Marks a function as the implementation of the hook of its name; takes ``tryfirst``, ``trylast`` and ``wrapper``."""


@hookspec
def devinotify_register_channels() -> list[Channel]:  # type: ignore[empty-body]  # a specification has no body
    """Bring new channels, to be used by their names.

    Called once for each Notifier, when it is made. Return the channels, an empty list for none. A channel has what
    the protocol ``devinotify.Channel`` names, each with an answer of its own; its name is of lower-case letters,
    digits, ``-`` and ``_``, as a URL has it. ``Fallback(name, first, second)`` makes a channel of two others.

    All. The built-in channels come in this way too. Who comes first has the name: a plugin that brings a channel
    whose name is taken, or that lacks something, or raises here, is left out as a whole, and ``devinotify plugins``
    says so.

    Example::

        @hookimpl
        def devinotify_register_channels():
            return [PagerChannel()]  # Notifier("devino://…?channel=pager")
    """


@hookspec(firstresult=True)
def devinotify_resolve_recipient(recipient: str) -> list[str] | None:
    """Name the recipients that an alias or a group stands for.

    Called for each recipient as it was given, before it is read as a number, and for the members in turn, which may
    be aliases themselves, up to 20 deep. Return the members, or ``None`` where it is none of yours. A member that
    is the alias itself is read as a number. An alias that stands for nobody is a recipient that is ``not_sent``.

    First result. With ``aliases=yes`` on the URL, as a profile's has it, the built-in answer, asked last, is that of
    ``[aliases]`` in the configuration files.

    Example::

        @hookimpl
        def devinotify_resolve_recipient(recipient):
            return ROTA.get(recipient)  # {"oncall": ["79161234567", "backup"], "backup": ["79161234568"]}
    """


@hookspec(firstresult=True)
def devinotify_normalize_phone(raw: str, region: str) -> PhoneNumber | None:
    """Read what was given as a phone number.

    Called for each recipient that is not an alias; ``region`` is the URL's, an ISO 3166 code. Return the number that
    ``raw`` means there, or ``None`` to leave it to the next. An ``InvalidInput`` that you raise (an
    ``InvalidPhoneNumber`` is one) is an answer, not a fault: the recipient is refused with it. The client looks at
    the number once more, so one that the core knows to be no mobile is still refused.

    First result. The built-in answer, asked last, is ``devinotify.phones.normalize``.

    Example::

        @hookimpl
        def devinotify_normalize_phone(raw, region):
            if len(raw) == 4:  # an extension of the office
                return phones.normalize(f"+7916000{raw}")
    """


@hookspec(firstresult=True)
def devinotify_estimate_segments(text: str) -> Segmentation | None:
    """Tell what a text costs in segments.

    Called where a budget of segments has to be kept (``max_segments``), once or several times for a text, until
    it is short enough; where limits count; and where it is told before what a message or a campaign will cost.
    Return a ``Segmentation``, or ``None`` to leave it to the next.

    First result. The built-in answer, asked last, is ``devinotify.text.segment``.

    Example::

        @hookimpl
        def devinotify_estimate_segments(text):
            return devinotify.text.segment(text, SegmentLimits(gsm7=140, gsm7_part=134))  # a gateway that bills octets
    """


@hookspec(firstresult=True)
def devinotify_map_error(error: DevinotifyError) -> DevinotifyError | None:
    """Put a more telling error in the place of one.

    Called for the error of each attempt, before its outcome is recorded; once where recipients share it. Return
    the error to show, or ``None`` to leave it. The verdict stays the core's: it is carried over to what you return,
    and what is ``unknown`` is never ``retryable``. The error that you were given becomes the cause of yours.

    First result. Nothing is built in. Where an implementation fails, the error stays as it was.

    Example::

        class TopUpNeeded(NotEnoughCredits):
            "The account is empty."

        @hookimpl
        def devinotify_map_error(error):
            if isinstance(error, NotEnoughCredits):
                return TopUpNeeded("top up at https://pay.example.com", code=error.code)
    """


@hookspec(firstresult=True)
def devinotify_prepare_message(message: Message) -> list[Message] | None:
    """Make of a message what is to be sent: change its text or sender, split it, delay it, drop it.

    Called once for each ``notify``, after aliases are resolved and numbers read, and for each message that the worker
    takes from the outbox. Messages are frozen: use ``dataclasses.replace``. A recipient who is in no message of the
    result is ``not_sent``; where one is in two of them, nothing is sent at all. A recipient that was added is read
    as a number, and has an outcome of its own.

    First result with wrappers. The built-in answer, asked last, is ``[message]``; a wrapper changes the list that
    comes back from it, and is the way for plugins to work together.

    Example::

        @hookimpl(wrapper=True)
        def devinotify_prepare_message(message):
            prepared = yield
            return [dataclasses.replace(one, text=f"[staging] {one.text}") for one in prepared]
    """


@hookspec(firstresult=True)
def devinotify_fit_window(message: Message, window: Window) -> list[Message] | None:
    """Put off, for a campaign with a daily window, what would arrive outside it by the recipient's own clock.

    Called for each prepared message of such a campaign, for each later step of a fallback before it is sent, and where
    the plan counts who is out of the window. Return
    the message for those who are in the window, and others with a ``send_at`` when it opens for the rest: each
    recipient in exactly one of them, or nothing is sent. ``None`` leaves it to the next. It sends nothing itself.

    First result. Nothing is built in: ``devinotify-quiet-hours`` answers it, and a window without an implementation
    is refused before anything is sent.

    Example::

        @hookimpl
        def devinotify_fit_window(message, window):
            if datetime.now().time() in window:  # all are where we are
                return [message]
            opens = datetime.combine(date.today() + timedelta(days=1), window.opens)  # naive: the recipient's clock
            return [dataclasses.replace(message, send_at=opens)]
    """


@hookspec
def devinotify_screen_recipients(message: Message) -> dict[str, DevinotifyError] | None:
    """Refuse recipients with a reason before anything is sent: opt-outs, caps.

    Called for each prepared message before the first of them is sent, for what a worker takes from the outbox when it
    takes it, and again before the later step of a fallback. Return the error by recipient, as the message has it, for
    those who must not get it: ``devinotify.Suppressed`` for one who has opted out. An empty dict or ``None`` refuses
    nobody. Their outcome is ``not_sent`` with that error, whatever the error itself says; the others get the message.

    All. Each may refuse, and none can let pass whom another refuses; of several errors for one recipient the one of
    the plugin that was registered last counts. An implementation that raises refuses the whole message.

    Example::

        @hookimpl
        def devinotify_screen_recipients(message):
            left = Suppressed("has opted out", reason="opted_out")
            return {to: left for to in message.recipients if to in OPTED_OUT}
    """


@hookspec(firstresult=True)
def devinotify_send_message(message: Message, channel: Channel) -> list[Outcome] | None:
    """Send a message on a channel.

    Called for each prepared message, its title already part of the text. Return one Outcome per recipient; those that
    an answer leaves out are ``unknown``. To answer in place of the send (dry run, deduplication, rate limit) implement
    it with ``tryfirst`` and return ``None`` to let the send go on. To watch it (metrics, tracing) write a wrapper.
    An implementation that raises refuses the send: what it has sent already belongs into outcomes, or at least
    into an ``OutcomeUnknown``. A wrapper may look at the outcomes and name them better, but ``accepted`` and
    ``unknown`` stand.

    First result with wrappers. The built-in answer, asked last, sends.

    Example::

        @hookimpl(wrapper=True)
        def devinotify_send_message(message, channel):
            with tracer.start_as_current_span("devinotify.send"):
                return (yield)
    """


@hookspec
def devinotify_outcome_recorded(message: Message, outcome: Outcome) -> None:
    """Take note of what became of a message for one recipient: audit, metrics.

    Called after the send, once for each recipient, with the message as it was sent; also for recipients that were
    refused before it, and for rows of an outbox that expired or were given up: a process that finds one tells its own
    plugins. The later step of a fallback has an outcome of its own. Return nothing.

    Observer. One that raises is logged and breaks nothing.

    Example::

        @hookimpl
        def devinotify_outcome_recorded(message, outcome):
            audit.info("%s %s", outcome.verdict, outcome.channel)
    """


@hookspec
def devinotify_status_changed(receipt: Receipt, state: SmsState) -> None:
    """Take note of the new delivery state of an accepted message.

    Called when ``Notifier.wait`` or the worker sees a status other than the last one it saw; ``state`` is that of the
    whole message, the worst of its segments. Return nothing.

    Observer. One that raises is logged and breaks nothing.

    Example::

        @hookimpl
        def devinotify_status_changed(receipt, state):
            DELIVERIES.labels(state.whole_status).inc()
    """


@hookspec
def devinotify_message_received(message: IncomingSms) -> None:
    """Take note of an SMS that a subscriber sent to one of the account's numbers: replies, opt-outs.

    Called once for each message that is new to ``Notifier.incoming``, ``devinotify incoming --new`` or ``--follow``, or
    a worker with ``--incoming``: by one of all who share the outbox. Where that one died while it was told of, a
    message comes again, with the same ``id``. What ``devinotify incoming`` lists is told too, as often as it is listed.
    Return nothing.

    Observer. One that raises is logged and breaks nothing; where it raises a ``PluginError`` with ``retryable=True``,
    for what it could not write down by now, the message comes again to it alone, from the next reading on, and what
    came later waits for that. Whom a message is owed to is kept by the plugin's name.

    Example::

        @hookimpl
        def devinotify_message_received(message):
            if message.text.strip().upper() == "STOP":
                OPTED_OUT.add(message.sender)
    """


@hookspec
def devinotify_limit_neared(usage: LimitUsage) -> None:
    """Take note that a limit on what may be sent is used to four fifths.

    Called before the message goes out that takes it so far, once for each limit and period, by one of all who share the
    outbox; for limits on each recipient it is not called. ``usage`` has the ``limit``, what is ``used`` and ``left``,
    and when it ``resets_at``. Return nothing.

    Observer. One that raises is logged and breaks nothing. The built-in one logs a warning.

    Example::

        @hookimpl
        def devinotify_limit_neared(usage):
            oncall.tell(f"{usage.limit}: {usage.left} left until {usage.resets_at}")
    """


@hookspec
def devinotify_register_commands(group: Group) -> None:
    """Add commands to the ``devinotify`` command line.

    Called once in a process, with the click group of all commands, when somebody asks for a command that is none of
    our own, or for the list of them. Return nothing. A name that is taken is an error of the plugin that comes later.

    All, each apart from the others: what one of them breaks is told on stderr, and the others work.

    Example::

        @hookimpl
        def devinotify_register_commands(group):
            group.add_command(rota)
    """
