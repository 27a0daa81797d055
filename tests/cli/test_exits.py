"""The table of exit codes."""

from __future__ import annotations

from devinotify import exceptions as errors
from devinotify.cli.exits import BY_VERDICT, MEANINGS, ExitCode, of_error, worst
from devinotify.exceptions import Verdict
from tests.tables import table


def test_every_code_has_a_meaning() -> None:
    """The table of meanings names every code once."""
    assert list(ExitCode) == list(MEANINGS)


def test_every_verdict_has_a_code() -> None:
    """No verdict is without a code."""
    assert set(Verdict) == set(BY_VERDICT)


@table(
    "error, expected",
    [
        (errors.InvalidURL("x"), 2),
        (errors.InvalidPhoneNumber("x"), 4),
        (errors.NotEnoughCredits("x"), 3),
        (errors.Unauthorized("x"), 3),
        (errors.Unauthorized("x", verdict=Verdict.NOT_SENT), 4),
        (errors.GatewayFailure("x"), 5),
        (errors.UnexpectedResponse("x"), 5),
        (errors.UnexpectedResponse("x", verdict=Verdict.REJECTED), 3),
        (errors.NotSent("x"), 4),
        (errors.OutcomeUnknown("x"), 5),
        (errors.PluginError("x"), 4),
    ],
)
def test_an_error_has_the_code_of_its_verdict(error: errors.DevinotifyError, expected: int) -> None:
    """The verdict decides, but a wrong URL is a usage error."""
    assert expected == of_error(error)


@table(
    "codes, expected",
    [([], 0), ([0, 0], 0), ([0, 6], 6), ([6, 3], 3), ([3, 4, 0], 4), ([4, 5, 3, 6], 5), ([5, 2], 2)],
)
def test_the_worst_code_wins(codes: list[int], expected: int) -> None:
    """Several results have the code of the worst, in the order 5, 4, 3, 6, 0; a wrong URL is the whole command's."""
    assert expected == worst(map(ExitCode, codes))
