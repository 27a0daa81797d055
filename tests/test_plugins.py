"""The plugin manager: what is loaded, what is left out, and what stands between a plugin and a send."""

from __future__ import annotations

import itertools
import logging
import subprocess
import sys
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from importlib import metadata
from types import ModuleType
from typing import TYPE_CHECKING, Any, cast

import pluggy
import pytest

from devinotify import hookimpl, make_plugin_manager, phones, text
from devinotify.channels import direct
from devinotify.channels.batch import accepted, failed
from devinotify.exceptions import (
    DevinotifyError,
    InvalidInput,
    InvalidPhoneNumber,
    NotSent,
    OutcomeUnknown,
    PluginError,
    Verdict,
)
from devinotify.limits import Limit, LimitUsage
from devinotify.models import DeliveryStatus, IncomingSms, Message, Outcome, Receipt, SmsState
from devinotify.plugins import BUILT_IN, FailedPlugin, LoadedPlugin, PluginManager
from devinotify.window import Window
from tests.distributions import install, make_site
from tests.docs import hook_reference
from tests.tables import table

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterator
    from pathlib import Path

ONE, TWO = "+79161234567", "+79161234568"
SECRET = "a secret word +79161234567"
MESSAGE = Message("Hello", (ONE, TWO))
ACCEPTED = [accepted("sms", to, Receipt(to, ("1",), 1)) for to in MESSAGE.recipients]

ARGUMENTS: dict[str, dict[str, Any]] = {
    "devinotify_register_channels": {},
    "devinotify_resolve_recipient": {"recipient": "oncall"},
    "devinotify_normalize_phone": {"raw": "8 916 123-45-67", "region": "RU"},
    "devinotify_estimate_segments": {"text": "Hello"},
    "devinotify_map_error": {"error": NotSent("refused")},
    "devinotify_prepare_message": {"message": MESSAGE},
    "devinotify_fit_window": {"message": MESSAGE, "window": Window.parse("10-20")},
    "devinotify_screen_recipients": {"message": MESSAGE},
    "devinotify_send_message": {"message": MESSAGE, "channel": direct.SMS},
    "devinotify_outcome_recorded": {"message": MESSAGE, "outcome": ACCEPTED[0]},
    "devinotify_status_changed": {
        "receipt": Receipt(ONE, ("1",), 1),
        "state": SmsState(DeliveryStatus.DELIVERED, 0),
    },
    "devinotify_message_received": {"message": IncomingSms("1", "STOP", ONE, "1234")},
    "devinotify_limit_neared": {
        "usage": LimitUsage(Limit.parse("1000/day"), Decimal(800), datetime(2036, 1, 2, tzinfo=UTC)),
    },
    "devinotify_register_commands": {"group": None},
}
"""How each hook is called here."""

RIGHT: dict[str, list[object]] = {
    "devinotify_register_channels": [[], [direct.SMS]],
    "devinotify_resolve_recipient": [None, [], ["79161234567"]],
    "devinotify_normalize_phone": [None, phones.normalize(ONE)],
    "devinotify_estimate_segments": [None, text.segment("Hello")],
    "devinotify_map_error": [None, DevinotifyError("better")],
    "devinotify_prepare_message": [None, [], [MESSAGE]],
    "devinotify_fit_window": [None, [], [MESSAGE]],
    "devinotify_screen_recipients": [None, {}, {ONE: DevinotifyError("no")}],
    "devinotify_send_message": [None, ACCEPTED],
    "devinotify_outcome_recorded": [None],
    "devinotify_status_changed": [None],
    "devinotify_message_received": [None],
    "devinotify_limit_neared": [None],
    "devinotify_register_commands": [None],
}
"""What each hook may answer."""

WRONG: dict[str, list[object]] = {
    "devinotify_register_channels": [None, direct.SMS, ["sms"]],
    "devinotify_resolve_recipient": ["79161234567", ("79161234567",), [79161234567]],
    "devinotify_normalize_phone": ["+79161234567", 7],
    "devinotify_estimate_segments": [1, "one"],
    "devinotify_map_error": [ValueError("no"), "better"],
    "devinotify_prepare_message": [
        MESSAGE,
        (MESSAGE,),
        ["Hello"],
        [replace(MESSAGE, text=cast("str", None))],
        [replace(MESSAGE, recipients=cast("Any", (None,)))],
        [replace(MESSAGE, send_at=cast("Any", "tomorrow"))],
        [replace(MESSAGE, title=cast("Any", 1))],
        [replace(MESSAGE, sender=cast("Any", b"ME"))],
        [replace(MESSAGE, channel=cast("Any", None))],
        [replace(MESSAGE, validity=cast("Any", 1.5))],
        [replace(MESSAGE, tags=cast("Any", ["urgent"]))],
        [replace(MESSAGE, tags=cast("Any", frozenset({1})))],
    ],
    "devinotify_fit_window": [MESSAGE, ["Hello"], [replace(MESSAGE, send_at=cast("Any", "tomorrow"))]],
    "devinotify_screen_recipients": [[ONE], {ONE: "no"}, {1: DevinotifyError("no")}],
    "devinotify_send_message": [
        ACCEPTED[0],
        tuple(ACCEPTED),
        [True],
        [replace(ACCEPTED[0], receipt=Receipt(ONE, cast("Any", (1,)), 1))],
    ],
    "devinotify_outcome_recorded": [1],
    "devinotify_status_changed": [True],
    "devinotify_message_received": [True],
    "devinotify_limit_neared": [True],
    "devinotify_register_commands": ["rota"],
}
"""What each hook may not answer."""

FIRST_RESULT = [name for name in ARGUMENTS if hook_reference.kind(hook_reference.hooks()[name]).startswith("first")]
NO_WRAPPERS = [name for name in ARGUMENTS if name not in FIRST_RESULT]
WITH_DEFAULT = [
    name
    for name in FIRST_RESULT
    if name not in {"devinotify_resolve_recipient", "devinotify_map_error", "devinotify_fit_window"}
]


def plugin_of(name: str, function: Callable[..., object], **options: bool) -> ModuleType:
    """Return a plugin that implements one hook with a function that takes no arguments."""
    module = ModuleType("mine")
    setattr(module, name, hookimpl(**options, specname=name)(function))  # type: ignore[call-overload]  # options vary
    return module


def answering(name: str, answer: object) -> ModuleType:
    """Return a plugin that answers one hook so."""
    return plugin_of(name, lambda: answer)


def raising(name: str, error: BaseException) -> ModuleType:
    """Return a plugin that raises in one hook."""

    def fail() -> None:
        raise error

    return plugin_of(name, fail)


def manager_with(*plugins: object) -> PluginManager:
    """Return a manager with the built-ins and these plugins, whatever is installed."""
    return make_plugin_manager(*plugins, discover=False)


def call(manager: PluginManager, name: str) -> Any:  # noqa: ANN401 - as the hook answers
    """Call a hook with arguments that fit."""
    return getattr(manager.hook, name)(**ARGUMENTS[name])


def direct_call(plugin: object, name: str) -> object:
    """Call the one implementation of a hook that a plugin has, as the manager guards it."""
    manager = PluginManager()
    manager.register(plugin, "mine")
    (implementation,) = getattr(manager.hook, name).get_hookimpls()
    return cast("object", implementation.function())


def test_the_tables_have_every_hook() -> None:
    """The tests of this module walk through all hooks."""
    assert list(hook_reference.hooks()) == list(ARGUMENTS) == list(RIGHT) == list(WRONG)


# --- what an implementation answers


@table("name, answer", [(name, answer) for name in RIGHT for answer in RIGHT[name]])
def test_a_right_answer_counts(name: str, answer: object) -> None:
    """An answer of the hook's type passes."""
    assert answer is direct_call(answering(name, answer), name)


@table("name, answer", [(name, answer) for name in WRONG for answer in WRONG[name]])
def test_a_wrong_answer_is_a_plugin_error(name: str, answer: object) -> None:
    """An answer of another type is an error that names plugin and hook and says what was expected."""
    with pytest.raises(PluginError, match=f"^the plugin mine answered .* in place of .* in {name}$") as caught:
        direct_call(answering(name, answer), name)
    assert ("mine", name, Verdict.NOT_SENT) == (caught.value.plugin, caught.value.hook, caught.value.verdict)


@table("name", ARGUMENTS)
def test_what_is_raised_is_a_plugin_error(name: str) -> None:
    """Whatever an implementation raises names plugin and hook, has its cause, and shows none of its words."""
    cause = ValueError(SECRET)
    with pytest.raises(PluginError) as caught:
        direct_call(raising(name, cause), name)
    assert f"the plugin mine raised ValueError in {name}" == str(caught.value)
    assert ("mine", name, Verdict.NOT_SENT, cause) == (
        caught.value.plugin,
        caught.value.hook,
        caught.value.verdict,
        caught.value.__cause__,
    )


@table("name", ARGUMENTS)
def test_a_plugin_error_keeps_its_words(name: str) -> None:
    """What a plugin says on purpose is shown, and plugin and hook are added."""
    with pytest.raises(PluginError, match=r"^ten to eight is no night$") as caught:
        direct_call(raising(name, PluginError("ten to eight is no night", verdict=Verdict.ACCEPTED)), name)
    assert ("mine", name, Verdict.NOT_SENT if "send" not in name else Verdict.UNKNOWN) == (
        caught.value.plugin,
        caught.value.hook,
        caught.value.verdict,
    )


def test_interrupts_pass() -> None:
    """Ctrl-C is no fault of a plugin's."""
    with pytest.raises(KeyboardInterrupt):
        direct_call(raising("devinotify_prepare_message", KeyboardInterrupt()), "devinotify_prepare_message")


@table("error", [InvalidInput("no"), InvalidPhoneNumber("no")])
def test_a_refused_number_is_an_answer(error: InvalidInput) -> None:
    """An InvalidInput from a reader of numbers is its answer, not its fault."""
    with pytest.raises(InvalidInput) as caught:
        direct_call(raising("devinotify_normalize_phone", error), "devinotify_normalize_phone")
    assert error is caught.value


@table("error", [OutcomeUnknown("no answer"), DevinotifyError("what now")])
def test_a_sender_may_say_that_it_may_have_sent(error: DevinotifyError) -> None:
    """An implementation of the send that raises an error of unknown outcome leaves the outcome unknown."""
    with pytest.raises(PluginError) as caught:
        direct_call(raising("devinotify_send_message", error), "devinotify_send_message")
    assert Verdict.UNKNOWN is caught.value.verdict


def test_arguments_are_taken_by_name() -> None:
    """An implementation takes as many of the arguments as it needs, in any order."""
    module = ModuleType("mine")

    def devinotify_normalize_phone(region: str, raw: str) -> None:
        seen.append((raw, region))

    seen: list[tuple[str, str]] = []
    setattr(module, "devinotify_normalize_phone", hookimpl(devinotify_normalize_phone))  # noqa: B010 - a module's attribute
    manager_with(module).hook.devinotify_normalize_phone(raw=ONE, region="KZ")
    assert [(ONE, "KZ")] == seen


# --- first result, built-ins last


@table("name", FIRST_RESULT)
def test_the_last_registered_is_asked_first(name: str) -> None:
    """Of two answers that of the plugin registered later counts."""
    one, other = RIGHT[name][-1], RIGHT[name][-2] if RIGHT[name][-2] is not None else RIGHT[name][-1]
    assert other is call(manager_with(answering(name, one), answering(name, other)), name)


@table("name", FIRST_RESULT)
def test_none_leaves_it_to_the_next(name: str) -> None:
    """A plugin that answers None is passed over."""
    answer = RIGHT[name][-1]
    assert answer is call(manager_with(answering(name, answer), answering(name, None)), name)


@table("name", FIRST_RESULT)
def test_nobody_else_is_asked(name: str) -> None:
    """Once there is an answer, nobody else is asked, not even one that would raise."""
    answer = RIGHT[name][-1]
    assert answer is call(manager_with(raising(name, ValueError()), answering(name, answer)), name)


@table("name", [name for name in WITH_DEFAULT if name != "devinotify_send_message"])
def test_the_built_in_is_asked_last(name: str) -> None:
    """Where no plugin has an answer, the core has."""
    assert call(manager_with(answering(name, None)), name) is not None


@table("name", ["devinotify_resolve_recipient", "devinotify_map_error"])
def test_where_nothing_is_built_in(name: str) -> None:
    """Without a plugin there is no answer."""
    assert call(manager_with(), name) is None


# --- wrappers


def wrapper_of(name: str, *, before: BaseException | None = None, after: object = "as it is") -> ModuleType:
    """Return a plugin that wraps a hook; ``before`` and ``after`` are raised, or returned, at their place."""

    def wrap() -> Generator[None, Any, Any]:
        if before is not None:
            raise before
        result = yield
        if isinstance(after, BaseException):
            raise after
        return result if after == "as it is" else after

    return plugin_of(name, wrap, wrapper=True)


@table("name", FIRST_RESULT)
def test_a_wrapper_passes_the_answer_on(name: str) -> None:
    """A wrapper that returns what came back changes nothing."""
    answer = RIGHT[name][-1]
    assert answer is call(manager_with(answering(name, answer), wrapper_of(name)), name)


@table("name", [name for name in WITH_DEFAULT if name != "devinotify_send_message"])
def test_a_wrapper_changes_the_answer(name: str) -> None:
    """What a wrapper returns is the answer."""
    answer = RIGHT[name][-1]
    assert answer is call(manager_with(wrapper_of(name, after=answer)), name)


@table("name", NO_WRAPPERS)
def test_no_wrapper_where_all_are_called(name: str) -> None:
    """A hook whose implementations are called apart takes no wrappers."""
    with pytest.raises(PluginError, match=f"{name} takes no wrappers"):
        manager_with(wrapper_of(name))


@table("name", FIRST_RESULT)
def test_a_wrapper_that_raises_before(name: str) -> None:
    """Before its yield nothing was sent, and the error says so."""
    with pytest.raises(PluginError, match=f"^the plugin mine raised ValueError in {name}$") as caught:
        call(manager_with(wrapper_of(name, before=ValueError(SECRET))), name)
    assert Verdict.NOT_SENT is caught.value.verdict


@table("name", [name for name in FIRST_RESULT if name != "devinotify_send_message"])
def test_a_wrapper_that_raises_after(name: str) -> None:
    """Where nothing is sent yet, a wrapper that raises after its yield fails like any other."""
    with pytest.raises(PluginError, match=f"^the plugin mine raised ValueError in {name}$"):
        call(manager_with(wrapper_of(name, after=ValueError(SECRET))), name)


@table("name", [name for name in WITH_DEFAULT if name != "devinotify_send_message"])
def test_a_wrapper_that_forgets_to_return(name: str) -> None:
    """Where there is a built-in answer, None is none, and the error says what was expected."""
    with pytest.raises(PluginError, match="answered NoneType in place of"):
        call(manager_with(wrapper_of(name, after=None)), name)


@table("name", FIRST_RESULT)
def test_a_wrapper_that_does_not_yield(name: str) -> None:
    """A wrapper that returns at once is an error."""

    def wrap() -> Generator[None, Any, Any]:
        return RIGHT[name][-1]
        yield

    with pytest.raises(PluginError, match=f"^the plugin mine did not yield in {name}$"):
        call(manager_with(plugin_of(name, wrap, wrapper=True)), name)


def test_a_wrapper_that_yields_twice() -> None:
    """A wrapper yields once."""

    def wrap() -> Generator[None, Any, Any]:
        yield
        yield

    name = "devinotify_prepare_message"
    with pytest.raises(PluginError, match="yielded twice"):
        call(manager_with(plugin_of(name, wrap, wrapper=True)), name)


def test_a_wrapper_refuses_a_number() -> None:
    """A wrapper round the reading of numbers may refuse one too."""
    refused = InvalidPhoneNumber("on the blocklist")
    manager = manager_with(
        answering("devinotify_normalize_phone", phones.normalize(ONE)),
        wrapper_of("devinotify_normalize_phone", after=refused),
    )
    with pytest.raises(InvalidPhoneNumber) as caught:
        call(manager, "devinotify_normalize_phone")
    assert refused is caught.value


def test_an_error_passes_through_a_wrapper() -> None:
    """A wrapper sees what was raised inside it, and what it raises again comes out as it was."""
    seen: list[BaseException] = []

    def wrap() -> Generator[None, Any, Any]:
        try:
            return (yield)
        except DevinotifyError as error:
            seen.append(error)
            raise

    name = "devinotify_prepare_message"
    manager = manager_with(raising(name, ValueError()), plugin_of(name, wrap, wrapper=True))
    with pytest.raises(PluginError, match="raised ValueError") as caught:
        call(manager, name)
    assert [caught.value] == seen


def test_a_wrapper_may_answer_for_what_failed() -> None:
    """A wrapper may catch what a plugin inside it broke, before anything is sent."""

    def wrap() -> Generator[None, Any, Any]:
        try:
            return (yield)
        except DevinotifyError:
            return [MESSAGE]

    name = "devinotify_prepare_message"
    assert [MESSAGE] == call(manager_with(raising(name, ValueError()), plugin_of(name, wrap, wrapper=True)), name)


SEND = "devinotify_send_message"


@table(
    "after, said",
    [
        (ValueError(SECRET), "raised ValueError"),
        (PluginError("quota"), "quota"),
        (OutcomeUnknown("no answer"), "raised OutcomeUnknown"),
        (None, "answered NoneType"),
        ("accepted", "answered str"),
        ([], "took back what was sent"),
        (ACCEPTED[:1], "took back what was sent"),
        ([ACCEPTED[0], failed("sms", TWO, NotSent("no"))], "took back what was sent"),
        ([*ACCEPTED[:1], accepted("sms", "+79161234569", Receipt(TWO, (), 1))], "took back what was sent"),
    ],
)
def test_after_a_send_nothing_is_taken_back(after: object, said: str, caplog: pytest.LogCaptureFixture) -> None:
    """Whatever a wrapper does after the send, the outcomes stay as they were, and it is logged without its words."""
    caplog.clear()
    manager = manager_with(answering(SEND, ACCEPTED), wrapper_of(SEND, after=after))
    assert ACCEPTED is call(manager, SEND)
    (record,) = caplog.records
    assert (logging.ERROR, True, False) == (
        record.levelno,
        said in record.getMessage(),
        "secret" in record.getMessage(),
    )


@table(
    "wrong, said",
    [
        ([], "took back what was sent"),
        ([ACCEPTED[0], failed("sms", TWO, NotSent("no"))], "took back what was sent"),
        ([ACCEPTED[0], True], "answered list"),
    ],
)
def test_nothing_is_taken_back_in_place(wrong: list[object], said: str, caplog: pytest.LogCaptureFixture) -> None:
    """A wrapper that changes the very list that it was given takes nothing back either."""
    caplog.clear()

    def wrap() -> Generator[None, Any, Any]:
        outcomes = yield
        outcomes[:] = wrong
        return outcomes

    manager = manager_with(answering(SEND, list(ACCEPTED)), plugin_of(SEND, wrap, wrapper=True))
    assert ACCEPTED == call(manager, SEND)
    assert said in caplog.text


def test_what_a_wrapper_adds_in_place_is_checked() -> None:
    """A wrapper that puts something of the wrong type into the list that it was given answers wrongly."""

    def wrap() -> Generator[None, Any, Any]:
        prepared = yield
        prepared.append("Hello")
        return prepared

    manager = manager_with(plugin_of("devinotify_prepare_message", wrap, wrapper=True))
    with pytest.raises(PluginError, match="answered list in place of a list of messages"):
        call(manager, "devinotify_prepare_message")


def test_a_wrapper_yields_twice_after_a_send(caplog: pytest.LogCaptureFixture) -> None:
    """A wrapper that yields twice round a send is logged, too."""

    def wrap() -> Generator[None, Any, Any]:
        yield
        yield

    assert ACCEPTED is call(manager_with(answering(SEND, ACCEPTED), plugin_of(SEND, wrap, wrapper=True)), SEND)
    assert "yielded twice in devinotify_send_message; the outcomes stay as they were" in caplog.text


def test_unknown_cannot_be_softened() -> None:
    """A wrapper cannot turn an unknown outcome into a refusal."""
    unknown = [failed("sms", to, OutcomeUnknown("no answer")) for to in MESSAGE.recipients]
    softened = [failed("sms", to, NotSent("it was nothing")) for to in MESSAGE.recipients]
    assert unknown is call(manager_with(answering(SEND, unknown), wrapper_of(SEND, after=softened)), SEND)


def test_what_was_not_sent_may_be_sent_by_a_wrapper() -> None:
    """A wrapper may send by another way what was provably not sent."""
    nothing = [failed("sms", to, NotSent("no")) for to in MESSAGE.recipients]
    assert ACCEPTED is call(manager_with(answering(SEND, nothing), wrapper_of(SEND, after=ACCEPTED)), SEND)


def test_a_wrapper_may_say_more() -> None:
    """A wrapper may replace outcomes by ones of the same verdicts."""
    better = [replace(outcome, channel="mine") for outcome in ACCEPTED]
    assert better is call(manager_with(answering(SEND, ACCEPTED), wrapper_of(SEND, after=better)), SEND)


@table("answer", [ValueError("no"), [failed("sms", to, NotSent("no")) for to in MESSAGE.recipients]])
def test_an_unknown_error_cannot_be_softened(answer: object) -> None:
    """Where an implementation says by an error that it may have sent, no wrapper turns that into something else."""

    def wrap() -> Generator[None, Any, Any]:
        try:
            return (yield)
        except DevinotifyError:
            if isinstance(answer, Exception):
                raise answer from None
            return answer

    manager = manager_with(raising(SEND, OutcomeUnknown("no answer")), plugin_of(SEND, wrap, wrapper=True))
    with pytest.raises(PluginError, match="raised OutcomeUnknown") as caught:
        call(manager, SEND)
    assert Verdict.UNKNOWN is caught.value.verdict


def test_a_refusal_may_be_refused_in_other_words() -> None:
    """What an implementation refuses before the send, a wrapper may refuse by its own error."""

    def wrap() -> Generator[None, Any, Any]:
        try:
            return (yield)
        except DevinotifyError:
            raise PluginError("too many messages a minute") from None

    manager = manager_with(raising(SEND, ValueError()), plugin_of(SEND, wrap, wrapper=True))
    with pytest.raises(PluginError, match="too many messages a minute"):
        call(manager, SEND)


# --- observers

OBSERVERS = [
    "devinotify_outcome_recorded",
    "devinotify_status_changed",
    "devinotify_message_received",
    "devinotify_register_commands",
]


@table("name", OBSERVERS)
def test_one_that_raises_does_not_silence_the_next(name: str, caplog: pytest.LogCaptureFixture) -> None:
    """Observers are called apart: each is called, whatever the others do."""
    caplog.clear()
    called: list[str] = []
    manager = PluginManager()
    manager.register(plugin_of(name, lambda: called.append("first")), "first")
    manager.register(raising(name, ValueError(SECRET)), "broken")
    manager.register(plugin_of(name, lambda: called.append("last")), "last")
    manager.observe(name, **ARGUMENTS[name])
    assert ["last", "first"] == called
    assert [f"the plugin broken raised ValueError in {name}"] == [r.getMessage() for r in caplog.records]


@table("name", OBSERVERS)
def test_an_observer_that_answers_is_logged(name: str, caplog: pytest.LogCaptureFixture) -> None:
    """An observer has no say: its answer is an error that is logged."""
    caplog.clear()
    manager = PluginManager()
    manager.register(answering(name, 1), "mine")
    manager.observe(name, **ARGUMENTS[name])
    assert "answered int in place of nothing" in caplog.text


# --- registering


def test_a_hook_that_there_is_not() -> None:
    """A marked function of an unknown name does not validate, so that a typing error shows."""
    module = ModuleType("mine")
    setattr(module, "devinotify_prepare_mesage", hookimpl(lambda: None))  # noqa: B010 - a module's attribute
    with pytest.raises(
        PluginError, match=r"^the plugin mine does not validate: there is no hook devinotify_prepare_mesage$"
    ):
        manager_with(module)


def test_an_optional_hook_may_be_missing() -> None:
    """A hook of another plugin's may be implemented with ``optionalhook``."""
    module = ModuleType("mine")
    setattr(module, "other_hook", hookimpl(optionalhook=True)(lambda: None))  # noqa: B010 - a module's attribute
    assert manager_with(module).has_plugin("mine")


def test_an_argument_that_there_is_not() -> None:
    """An implementation that takes an argument the hook does not have does not validate."""
    module = ModuleType("mine")

    def devinotify_map_error(fault: object) -> None:
        """Do nothing."""

    setattr(module, "devinotify_map_error", hookimpl(devinotify_map_error))  # noqa: B010 - a module's attribute
    manager = manager_with()
    with pytest.raises(PluginError, match="does not validate"):
        manager.register(module)
    assert not manager.has_plugin("mine")


def test_an_old_wrapper() -> None:
    """Wrappers of pluggy's old style are refused, and the error says what to write."""
    module = ModuleType("mine")

    def devinotify_prepare_message() -> Generator[None, Any, None]:
        yield

    setattr(module, "devinotify_prepare_message", hookimpl(hookwrapper=True)(devinotify_prepare_message))  # noqa: B010
    with pytest.raises(PluginError, match="write wrapper=True"):
        manager_with(module)


class _Class:
    @hookimpl
    def devinotify_map_error(self) -> None:
        """Do nothing."""


@table("plugin", [_Class, None])
def test_what_is_no_plugin(plugin: object) -> None:
    """A class in place of its instance would fail at the first message, so it is refused at once."""
    with pytest.raises(PluginError, match="offer a module or an object"):
        manager_with().register(plugin, "mine")


def test_twice() -> None:
    """A plugin that is registered already is refused, and stays registered."""
    plugin = _Class()
    manager = manager_with(plugin)
    with pytest.raises(PluginError, match="it is registered already, as _Class"):
        manager.register(plugin, "other")
    assert manager.is_registered(plugin)


def test_a_name_that_is_taken() -> None:
    """Two plugins cannot have one name."""
    with pytest.raises(PluginError, match="there is another plugin of this name"):
        manager_with().register(_Class(), "sms")


def test_a_name_that_is_blocked() -> None:
    """pluggy's own way to keep a plugin out is said, not passed over."""
    manager = manager_with()
    manager.set_blocked("mine")
    with pytest.raises(PluginError, match="it is blocked"):
        manager.register(_Class(), "mine")


def test_names_of_plugins_given_in_code() -> None:
    """A plugin without a name is called after its module or class, and each apart."""
    manager = manager_with(_Class(), _Class(), ModuleType("mine"))
    assert ["_Class", "_Class-2", "mine"] == [plugin.name for plugin in manager.loaded()][-3:]


def test_attributes_that_raise() -> None:
    """A plugin whose attributes cannot even be listed is refused as one that does not validate."""

    class Broken:
        def __dir__(self) -> list[str]:
            raise RuntimeError("broken")

    with pytest.raises(PluginError, match="does not validate: broken"):
        manager_with(Broken())


def test_half_way(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where pluggy gives up in the middle, nothing of the plugin stays behind."""
    manager = manager_with()
    register = pluggy.PluginManager.register

    def give_up(self: PluginManager, plugin: object, name: str | None = None) -> None:
        register(self, plugin, name)
        raise ValueError("no")

    monkeypatch.setattr(pluggy.PluginManager, "register", give_up)
    plugin = _Class()
    with pytest.raises(PluginError):
        manager.register(plugin, "mine")
    assert not manager.is_registered(plugin)


def test_loaded() -> None:
    """What is in use is listed with its origin and hooks, in order."""
    loaded = manager_with(_Class()).loaded()
    assert LoadedPlugin("phones", BUILT_IN, ("devinotify_normalize_phone",)) == loaded[0]
    assert LoadedPlugin("_Class", "given in code", ("devinotify_map_error",)) == loaded[-1]


def test_listens() -> None:
    """The manager knows who listens, and forgets it when that changes."""
    manager = manager_with()
    before = manager.listens("devinotify_map_error")
    plugin = _Class()
    manager.register(plugin)
    during = manager.listens("devinotify_map_error", outside=True)
    manager.unregister(plugin)
    assert (False, True, False) == (before, during, manager.listens("devinotify_map_error", outside=True))


def test_built_ins_are_not_outside() -> None:
    """The core's own answers do not count as a plugin's."""
    manager = manager_with()
    name = "devinotify_normalize_phone"
    assert (True, False) == (manager.listens(name), manager.listens(name, outside=True))


# --- channels


class Pager:
    """A channel of a third party's."""

    max_length = 100
    segmented = True
    schedulable = True

    def __init__(self, name: str | None = "pager") -> None:
        self.name = cast("str", name)

    def check_sender(self, sender: str) -> None:
        """Take every sender."""

    def send(self, message: Message, client: object) -> list[Outcome]:
        """Send nothing."""
        return []

    def state(self, receipt: Receipt, client: object) -> SmsState:
        """Know nothing."""
        return SmsState(DeliveryStatus.UNKNOWN, 255)


def bringing(*channels: object) -> ModuleType:
    """Return a plugin that brings channels."""
    return answering("devinotify_register_channels", list(channels))


def test_register_channels() -> None:
    """A third party's channel is there by its name, after the built-in ones."""
    pager = Pager()
    channels = manager_with(bringing(pager)).channels()
    assert ["sms", "viber", "sms-viber", "viber-sms", "null", "pager"] == list(channels)
    assert channels["pager"] is pager


@table(
    "plugin, reason",
    [
        (bringing(Pager("sms")), "ValueError: there is a channel named sms already"),
        (bringing(Pager(), Pager()), "ValueError: there is a channel named pager already"),
        (bringing(Pager("Pager")), "ValueError: a channel's name is of lower-case letters"),
        (bringing(Pager(None)), "ValueError: a channel's name is of lower-case letters"),
        (bringing("pager"), "the plugin mine answered list in place of a list of channels"),
        (raising("devinotify_register_channels", ValueError()), "the plugin mine raised ValueError"),
    ],
)
def test_register_channels_that_cannot_be(plugin: object, reason: str) -> None:
    """A plugin whose channels cannot be used is left out as a whole and reported; the others work."""
    manager = manager_with(plugin)
    channels = manager.channels()
    assert (5, False) == (len(channels), manager.has_plugin("mine"))
    (failure,) = manager.failures
    assert ("mine", "given in code", True) == (failure.name, failure.origin, failure.reason.startswith(reason))


def test_register_channels_first_come_first_served() -> None:
    """Of two plugins with one channel name the earlier has it, whatever trylast says."""
    first, second = Pager(), Pager()
    one = plugin_of("devinotify_register_channels", lambda: [first])
    manager = PluginManager()
    manager.register(one, "one")
    manager.register(plugin_of("devinotify_register_channels", lambda: [second], trylast=True), "two")
    assert manager.channels()["pager"] is first
    assert ["two"] == [failure.name for failure in manager.failures]


def test_register_channels_of_our_own_never_fail() -> None:
    """A fault of the core's is not hidden."""
    manager = PluginManager()
    manager.register(bringing(Pager("Sms")), "sms", BUILT_IN)
    with pytest.raises(ValueError, match="a channel's name"):
        manager.channels()


# --- installed plugins

GOOD = """
from devinotify import hookimpl

@hookimpl
def devinotify_resolve_recipient(recipient):
    return ["79161234567"] if recipient == "oncall" else None
"""
TAKES_SMS = """
from devinotify import hookimpl
from devinotify.channels import direct

@hookimpl
def devinotify_register_channels():
    return [direct.SMS]
"""
BROKEN = {
    "does_not_import": ("import there_is_no_such_module", "ModuleNotFoundError: No module named"),
    "raises_on_import": ("raise RuntimeError('out of order')", "RuntimeError: out of order"),
    "exits_on_import": ("raise SystemExit('bye')", "SystemExit: bye"),
    "has_no_attribute": ("", "AttributeError"),
    "is_a_class": ("class plugin_class: pass\nplugin = plugin_class", "offer a module or an object"),
    "has_no_such_hook": (
        "from devinotify import hookimpl\n@hookimpl\ndef devinotify_nothing(): pass",
        "there is no hook devinotify_nothing",
    ),
    "raises_in_register": (
        "class Broken:\n    def __dir__(self):\n        raise RuntimeError('no')\nplugin = Broken()",
        "does not validate: no",
    ),
}


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Return a folder on the path to install distributions in."""
    monkeypatch.delenv("DEVINOTIFY_DISABLE_PLUGINS", raising=False)  # what is left out is told of, too
    yield from make_site(tmp_path, monkeypatch)


def test_an_installed_plugin(site: Path) -> None:
    """A distribution with an entry point is loaded, under its name and with its version."""
    install(site, "devinotify_good", GOOD, entry_points={"rota": "devinotify_good"})
    manager = make_plugin_manager()
    assert LoadedPlugin("rota", "devinotify_good 1.2", ("devinotify_resolve_recipient",)) in manager.loaded()
    assert ["79161234567"] == manager.hook.devinotify_resolve_recipient(recipient="oncall")


@pytest.mark.parametrize("module", BROKEN)
def test_a_broken_plugin_is_left_out(module: str, site: Path, caplog: pytest.LogCaptureFixture) -> None:
    """Whatever is wrong with an installed plugin, it is reported, logged, and the others work."""
    source, reason = BROKEN[module]
    point = f"{module}:missing" if module == "has_no_attribute" else None
    install(site, module, source, entry_points={module: point} if point else None)
    install(site, "devinotify_good", GOOD)
    manager = make_plugin_manager()
    (failure,) = [failure for failure in manager.failures if failure.name == module]
    assert (f"{module} 1.2", True) == (failure.origin, reason in failure.reason)
    assert (True, False) == (manager.has_plugin("devinotify_good"), manager.has_plugin(module))
    assert f"the plugin {module} ({module} 1.2) is left out" in caplog.text


def test_a_secret_in_a_reason_is_hidden(site: Path) -> None:
    """What a plugin says when it fails is shown without numbers and passwords."""
    install(site, "devinotify_talks", f"raise RuntimeError({SECRET + ' password=hunter2'!r})")
    (failure,) = [failure for failure in make_plugin_manager().failures if failure.name == "devinotify_talks"]
    assert "RuntimeError: a secret word +7916***4567 password=***" == failure.reason


def test_two_entry_points_for_one_plugin(site: Path) -> None:
    """The second one is left out, and the first one works."""
    install(site, "devinotify_good", GOOD, entry_points={"a": "devinotify_good", "b": "devinotify_good"})
    manager = make_plugin_manager()
    assert (True, ["b"]) == (manager.has_plugin("a"), [failure.name for failure in manager.failures])


def test_two_distributions_with_one_name(site: Path) -> None:
    """One of two plugins that have one name is left out."""
    install(site, "devinotify_one", GOOD, entry_points={"rota": "devinotify_one"})
    install(site, "devinotify_two", GOOD, entry_points={"rota": "devinotify_two"})
    manager = make_plugin_manager()
    assert (True, ["rota"]) == (manager.has_plugin("rota"), [failure.name for failure in manager.failures])


def test_a_channel_that_is_taken(site: Path) -> None:
    """An installed plugin that brings a channel whose name is taken is left out and reported."""
    install(site, "devinotify_rude", TAKES_SMS)
    manager = make_plugin_manager()
    assert direct.SMS is manager.channels()["sms"]
    assert ["devinotify_rude"] == [failure.name for failure in manager.failures]


@pytest.mark.parametrize("value", ["devinotify_good", " devinotify_good , other", ",devinotify_good,"])
def test_disabled(value: str, site: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The variable names plugins to leave out; they are not even imported."""
    install(site, "devinotify_good", "raise RuntimeError('imported')")
    monkeypatch.setenv("DEVINOTIFY_DISABLE_PLUGINS", value)
    assert [
        FailedPlugin("devinotify_good", "devinotify_good 1.2", "left out by DEVINOTIFY_DISABLE_PLUGINS", disabled=True)
    ] == make_plugin_manager().failures


def test_built_ins_cannot_be_disabled(monkeypatch: pytest.MonkeyPatch) -> None:
    """The variable is about installed plugins."""
    monkeypatch.setenv("DEVINOTIFY_DISABLE_PLUGINS", "sms")
    assert "sms" in make_plugin_manager().channels()


def test_nothing_is_discovered_where_that_is_asked_for(site: Path) -> None:
    """Without discovery the installed plugins are left alone."""
    install(site, "devinotify_good", GOOD)
    assert not make_plugin_manager(discover=False).has_plugin("devinotify_good")


def test_the_order_is_that_of_the_names(site: Path) -> None:
    """Installed plugins are registered in the order of their names, after the built-ins, before those given in code."""
    install(site, "devinotify_z", GOOD, entry_points={"b": "devinotify_z"})
    install(site, "devinotify_a", GOOD, entry_points={"c": "devinotify_a"})
    install(site, "devinotify_m", GOOD, entry_points={"a": "devinotify_m"})
    expected = ["null", "a", "b", "c", "mine"]
    loaded = [plugin.name for plugin in make_plugin_manager(ModuleType("mine")).loaded()]
    assert expected == [name for name in loaded if name in expected]  # others may be installed beside them


def test_a_broken_distribution_stops_nothing(site: Path) -> None:
    """Where the metadata of some distribution cannot be read, the built-ins work and the reason is told."""
    install(site, "devinotify_good", GOOD)
    (site / "devinotify_good-1.2.dist-info" / "entry_points.txt").write_text("[devinotify]\nno equals sign\n", "utf-8")
    manager = make_plugin_manager()
    assert (5, ["?"]) == (len(manager.channels()), [failure.name for failure in manager.failures])


def test_a_distribution_without_metadata(site: Path) -> None:
    """A plugin whose distribution cannot even tell its name is loaded all the same, and named by what it loads."""
    install(site, "devinotify_good", GOOD)
    (site / "devinotify_good-1.2.dist-info" / "METADATA").unlink()
    loaded = {plugin.name: plugin.origin for plugin in make_plugin_manager().loaded()}
    assert "devinotify_good" == loaded["devinotify_good"]


def test_a_distribution_that_cannot_be_read(monkeypatch: pytest.MonkeyPatch) -> None:
    """The same where reading the metadata fails, as it does on some Pythons where they are missing."""

    class Unreadable(metadata.Distribution):
        def read_text(self, filename: str) -> str:
            raise OSError("no")

        def locate_file(self, path: object) -> Any:  # noqa: ANN401 - differs from Python to Python
            raise OSError("no")

    point = metadata.EntryPoint("mine", "there_is_no_such_module", "devinotify")
    vars(point)["dist"] = Unreadable()
    monkeypatch.setattr(metadata, "entry_points", lambda **_: metadata.EntryPoints([point]))
    (failure,) = make_plugin_manager().failures
    assert "there_is_no_such_module" == failure.origin


def test_a_point_without_a_distribution(monkeypatch: pytest.MonkeyPatch) -> None:
    """An entry point that belongs to no distribution is named by what it loads."""
    point = metadata.EntryPoint("mine", "there_is_no_such_module", "devinotify")
    monkeypatch.setattr(metadata, "entry_points", lambda **_: metadata.EntryPoints([point]))
    (failure,) = make_plugin_manager().failures
    assert "there_is_no_such_module" == failure.origin


def test_nothing_is_loaded_on_import(site: Path) -> None:
    """Importing devinotify and its Notifier loads no plugin."""
    install(site, "devinotify_loud", "print('loaded')")
    code = f"import sys; sys.path.insert(0, {str(site)!r}); import devinotify; devinotify.Notifier; devinotify.Client"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    assert "" == done.stdout


def test_managers_share_nothing() -> None:
    """Each manager has plugins of its own."""
    one, other = manager_with(), manager_with(_Class())
    assert (False, True) == (one.has_plugin("_Class"), other.has_plugin("_Class"))
    names = itertools.chain(*[[plugin.name for plugin in manager.loaded()] for manager in (one, other)])
    assert 1 == list(names).count("_Class")
