"""What a subscription was for while its plan changed."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import permutations

from kpay.domain.tenure import Bill, Tenure, tenures, widest

START = datetime(2026, 6, 1, tzinfo=UTC)
CLUB, CIRCLE, EXTRA = 1, 2, 3


def day(number: int) -> datetime:
    return START + timedelta(days=number)


def bill(number: int, *contents: int) -> Bill:
    return Bill(f"ch_{number}", day(number), frozenset(contents))


def found(bills: list[Bill], *current: int) -> dict[int, Tenure]:
    return tenures(bills, current, started_at=START, changed_at=day(45))


def test_without_a_change_it_is_for_one_thing_from_its_beginning() -> None:
    assert found([], CLUB) == {CLUB: Tenure(START)}
    assert found([bill(7, CLUB), bill(37, CLUB)], CLUB) == {CLUB: Tenure(START)}


def test_a_change_ends_one_and_begins_the_other_with_its_bill_in_any_order() -> None:
    bills = [bill(0, CLUB), bill(30, CLUB), bill(60, CIRCLE)]

    for some in permutations(bills):
        assert found(list(some), CIRCLE) == {
            CIRCLE: Tenure(day(60)),
            CLUB: Tenure(START, day(60)),
        }


def test_a_change_that_no_bill_shows_yet_is_dated_by_the_subscription() -> None:
    assert found([bill(0, CLUB)], CIRCLE) == {
        CIRCLE: Tenure(day(45)),
        CLUB: Tenure(START, day(45)),
    }


def test_coming_back_to_a_plan_takes_its_right_up_again() -> None:
    bills = [bill(0, CLUB), bill(30, CIRCLE), bill(60, CLUB)]

    assert found(bills, CLUB) == {CLUB: Tenure(START), CIRCLE: Tenure(day(30), day(60))}


def test_what_is_billed_beside_the_plan_is_not_what_it_replaced() -> None:
    assert found([bill(0, CLUB, EXTRA)], CLUB) == {CLUB: Tenure(START)}


def test_a_piece_that_both_plans_include_goes_on() -> None:
    held = {CIRCLE: Tenure(day(30)), CLUB: Tenure(START, day(30))}

    assert widest(held, {CLUB: (EXTRA,), CIRCLE: (EXTRA,)}) == {**held, EXTRA: Tenure(START)}
    gone = {CIRCLE: Tenure(day(30), day(60)), CLUB: Tenure(START, day(30))}
    assert widest(gone, {CLUB: (EXTRA,), CIRCLE: (EXTRA,)})[EXTRA] == Tenure(START, day(60))
