"""What stands between pluggy and one implementation of a hook.

What it raises becomes a PluginError that names plugin and hook, what it answers is checked against the hook's rule,
and what goes wrong after a send is logged and leaves the outcomes as they are.
"""

from __future__ import annotations

import functools
import logging
from collections.abc import Callable, Generator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from devinotify.exceptions import DevinotifyError, PluginError, Verdict
from devinotify.plugins.rules import STANDS, is_the_same, keeps_verdicts

if TYPE_CHECKING:
    import pluggy

    from devinotify.plugins.rules import Rule

log: logging.Logger = logging.getLogger(__name__)


def guarded(
    implementation: pluggy.HookImpl, hook: str, rule: Rule, inside: Callable[..., Any] | None = None
) -> Callable[..., Any]:
    """Return what is called in place of an implementation: the same, with its errors and answers seen to.

    ``inside`` calls what it is given with its arguments, in whatever the implementation is to find around it.
    """
    function = implementation.function
    guard = _Guard(implementation.plugin_name, hook, rule, inside)
    if implementation.wrapper:
        return functools.wraps(function)(functools.partial(guard.wrap, function))
    return functools.wraps(function)(functools.partial(guard.call, function))


@dataclass(frozen=True, slots=True)
class _Guard:
    """Stands between pluggy and one implementation."""

    plugin: str
    hook: str
    rule: Rule
    inside: Callable[..., Any] | None

    def call(self, function: Callable[..., Any], *arguments: object) -> Any:  # noqa: ANN401 - as the hook has it
        try:
            answer = function(*arguments) if self.inside is None else self.inside(function, *arguments)
            fits = (answer is None and self.rule.may_pass) or self.rule.accepts(answer)
        except self.rule.may_raise:
            raise
        except Exception as error:  # noqa: BLE001 - raised again, by another name
            failure = self._failed(error)
            raise failure from failure.__cause__
        if not fits:
            raise self._wrong(answer)
        return answer

    def wrap(self, function: Callable[..., Any], *arguments: object) -> Generator[None, Any, Any]:
        try:
            generator = function(*arguments)
            self._go(next, generator)
        except StopIteration:
            raise self._error("did not yield") from None
        except Exception as error:  # noqa: BLE001 - raised again, by another name
            failure = self._failed(error)
            raise failure from failure.__cause__
        try:
            result = yield
        except Exception as inner:  # noqa: BLE001 - handed on to the wrapper, which may raise it again
            return self._resume(functools.partial(generator.throw, inner), inner, None)
        return self._resume(functools.partial(generator.send, result), None, result)

    def _go(self, step: Callable[..., object], *arguments: object) -> None:
        """Take a step of a wrapper."""
        if self.inside is None:
            step(*arguments)
        else:
            self.inside(step, *arguments)

    def _resume(self, resume: Callable[[], object], inner: Exception | None, result: object) -> object:
        """Let the wrapper go on after its ``yield``; where the send is done, its own failure changes nothing."""
        before = tuple(result) if isinstance(result, list) else None
        try:
            self._go(resume)
        except StopIteration as stop:
            answer = stop.value
            if is_the_same(answer, before):
                return answer
            if not self._ends(answer):
                failure = self._wrong(answer)
            elif self.rule.after_send and not keeps_verdicts(before, answer):
                failure = self._error("took back what was sent")
            elif _is_unknown(inner) and self.rule.after_send:
                failure = self._error("answered for a send of unknown outcome")
            else:
                return answer
        except Exception as error:
            # Passed on as it came, or a refusal: with a send behind it, no wrapper may refuse.
            if error is inner or (inner is None and isinstance(error, self.rule.may_raise)):
                raise
            failure = self._failed(error)
        else:
            failure = self._error("yielded twice")
        if not self.rule.after_send or (inner is not None and not _is_unknown(inner)):
            raise failure
        log.error("%s; the outcomes stay as they were", failure)
        if inner is not None:
            raise inner
        if isinstance(result, list) and before is not None:
            result[:] = before  # the wrapper may have changed the very list
        return result

    def _ends(self, answer: object) -> bool:
        return (answer is None and self.rule.may_end) or self.rule.accepts(answer)

    def _failed(self, error: Exception) -> PluginError:
        if isinstance(error, PluginError):  # raised on purpose, in words that are meant to be shown
            failure = error
            failure.plugin, failure.hook = failure.plugin or self.plugin, failure.hook or self.hook
        else:
            # The exception's own words may hold a text or a number; its type and the chained cause tell enough.
            failure = self._error(f"raised {type(error).__name__}")
            failure.__cause__ = error
        # An implementation that sends may say itself that it has, or may have.
        sent = self.rule.after_send and _is_unknown(error)
        failure.verdict = Verdict.UNKNOWN if sent else Verdict.NOT_SENT
        return failure

    def _wrong(self, answer: object) -> PluginError:
        return self._error(f"answered {type(answer).__name__} in place of {self.rule.expects}")

    def _error(self, what: str) -> PluginError:
        return PluginError(
            f"the plugin {self.plugin} {what} in {self.hook}",
            plugin=self.plugin,
            hook=self.hook,
            verdict=Verdict.NOT_SENT,
        )


def _is_unknown(error: BaseException | None) -> bool:
    """Whether an error says that something was sent, or may have been."""
    return isinstance(error, DevinotifyError) and error.verdict in STANDS
