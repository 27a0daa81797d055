"""How large the next batch is after something went wrong, and who is to blame for a refusal."""

from __future__ import annotations

from devinotify.delivery.batch_size import ALONE, Caution


def test_batches_double_back_to_their_size() -> None:
    """After a doubt the next one goes alone, and each success doubles."""
    caution = Caution(5)
    caution.doubt(caution.begin())
    sizes = [caution.size]
    for _ in range(4):
        caution.well(caution.begin())
        sizes.append(caution.size)
    assert [1, 2, 4, 5, 5] == sizes


def test_doubts_count_until_batches_have_their_size() -> None:
    """A gateway that takes single messages and fails on every batch is not taken for one that has recovered."""
    caution = Caution(4)
    for _ in range(3):
        caution.doubt(caution.begin())
        caution.well(caution.begin())
    assert 3 == caution.doubts
    for _ in range(2):
        caution.well(caution.begin())
    assert 0 == caution.doubts


def test_what_was_under_way_is_no_further_trouble() -> None:
    """Batches that began before a refusal or a doubt meet it too, and count as one."""
    caution = Caution(10)
    marks = [caution.begin() for _ in range(4)]
    for mark in marks:
        caution.refused(mark, ["a", "b"])
    assert 1 == caution.refusals
    marks = [caution.begin() for _ in range(4)]
    for mark in marks:
        caution.doubt(mark)
    assert 1 == caution.doubts


def test_whoever_is_refused_alone_while_others_pass_is_to_blame() -> None:
    """A success that began after the refusal shows that it was not the account."""
    caution = Caution(10)
    assert not caution.refused(caution.begin(), ["a", "b"])
    caution.well(caution.begin())
    assert caution.refused(caution.begin(), ["a"])
    assert 0 == caution.refusals


def test_an_older_success_shows_nothing() -> None:
    """What began before the refusal may have passed before the account was refused."""
    caution = Caution(10)
    older = caution.begin()
    assert not caution.refused(older, ["a", "b"])
    caution.well(older)
    assert not caution.refused(caution.begin(), ["a"])


def test_an_account_that_never_sent_is_to_blame_itself() -> None:
    """Nobody is blamed where nothing ever passed, however often one is refused alone."""
    caution = Caution(1)
    assert [False] * 10 == [caution.refused(caution.begin(), ["a"]) for _ in range(10)]
    assert 10 == caution.refusals


def test_the_last_one_is_to_blame_in_the_end() -> None:
    """Where others passed before and nobody is left to be tried, being refused alone again and again is enough."""
    caution = Caution(1)
    caution.well(caution.begin())
    assert [False] * (ALONE - 1) + [True] == [caution.refused(caution.begin(), ["a"]) for _ in range(ALONE)]
