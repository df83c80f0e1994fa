"""How much hangs on few, by hand."""

from __future__ import annotations

import pytest

from kpay.domain.concentration import concentration
from kpay.domain.person_shown import masked, person_shown


def test_tops_are_whole_people_and_undefined_below_one() -> None:
    spread = concentration([*range(1, 101)])
    assert [top.people for top in spread.tops] == [1, 5, 10, 20]
    assert spread.tops[2].amount_minor == sum(range(91, 101))
    assert spread.tops[2].revenue_share == pytest.approx(955 / 5050)
    few = concentration([5, 3, 1])
    assert [(top.people, top.revenue_share) for top in few.tops] == [(None, None)] * 4


def test_gini_is_nought_for_equals_and_one_for_a_single_payer() -> None:
    assert concentration([7, 7, 7]).gini == pytest.approx(0)
    assert concentration([1, 10**9]).gini == pytest.approx(1, abs=1e-6)
    assert concentration([1, 3]).gini == pytest.approx(0.5)
    assert concentration([4]).gini is None


def test_half_and_alike() -> None:
    spread = concentration([50, 30, 20, 0, -5])
    assert (spread.people, spread.total_minor, spread.half_people) == (3, 100, 1)
    assert spread.largest_share == 0.5
    assert spread.alike_people == pytest.approx(1 / 0.38)


def test_nobody_is_no_concentration() -> None:
    spread = concentration([])
    assert (spread.people, spread.largest_share, spread.half_people, spread.gini) == (
        0,
        None,
        None,
        None,
    )


def test_a_person_is_named_and_never_by_a_whole_address_unless_asked() -> None:
    assert person_shown("Ada", "ada@lovelace.org", shows_emails=False) == "Ada"
    assert person_shown("", "ada@lovelace.org", shows_emails=False) == "a***@l***.org"
    assert person_shown("ada@lovelace.org", "ada@lovelace.org", shows_emails=False) == masked(
        "ada@lovelace.org"
    )
    assert person_shown("Ada", "ada@lovelace.org", shows_emails=True) == "ada@lovelace.org"
    assert person_shown("", None, shows_emails=True) == ""
