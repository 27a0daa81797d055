"""By operator or country, where the numbers tell."""

from __future__ import annotations

from devinotify.bulk.language import Language
from devinotify.bulk.ranges import MOST, Ranges, Share

EN, RU = Language("en"), Language("ru")
BEELINE, MEGAFON, UNTOLD = "+7903111", "+7999111", "+7916111"


def counted(*numbers: str, delivered: int = 0) -> Ranges:
    """Return the ranges of some numbers, of which the first so many were reached."""
    ranges = Ranges()
    ranges.add(numbers, numbers[:delivered])
    return ranges


def test_operators_of_one_country() -> None:
    """The largest first, in the language of the report, with those whose number tells nothing."""
    ranges = counted(*[f"{BEELINE}000{n}" for n in range(3)], f"{MEGAFON}0000", f"{UNTOLD}0000", delivered=2)
    assert ("operator", [Share("Beeline", 3, 2), Share("MegaFon", 1, 0), Share("not told by the number", 1, 0)]) == (
        ranges.shares(EN)
    )
    names = [share.name for share in ranges.shares(RU)[1]]
    # The second one's name in Russian comes and goes with the releases of phonenumbers.
    assert (3, "Билайн", "по номеру не определить") == (len(names), names[0], names[-1])


def test_operators_of_several_countries_name_theirs() -> None:
    """Beeline is one in Russia and another in Kazakhstan."""
    kind, shares = counted(f"{BEELINE}0000", "+77051112233").shares(EN)
    assert ("operator", {"Russia · Beeline", "Kazakhstan · Beeline"}) == (kind, {share.name for share in shares})


def test_countries_where_operators_are_not_told() -> None:
    """Most of the numbers tell none; a country without a name here is told by its code."""
    kind, shares = counted("+79161110000", "+79161110001", "+12015550123", "+29712345678").shares(EN)
    assert ("country", [2, 1, 1]) == (kind, [share.recipients for share in shares])
    assert {"Russia", "United States", "+297"} == {share.name for share in shares}


def test_one_group_tells_nothing() -> None:
    """Neither does none."""
    assert ((), ()) == (counted(f"{BEELINE}0000").shares(EN)[1], counted().shares(EN)[1])


def test_many_groups_are_added_up() -> None:
    """Ten at most, the last for all others, and nobody is lost."""
    codes = (7903, 380, 375, 998, 996, 992, 994, 995, 374, 371, 370, 372, 49, 33)
    _, shares = counted(*(f"+{code}5011112233"[:13] for code in codes)).shares(EN)
    assert (MOST, "all others", len(codes)) == (len(shares), shares[-1].name, sum(each.recipients for each in shares))
