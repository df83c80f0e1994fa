"""Groups of customers: rules that can be said in a sentence, and ways of buying that come out again."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from kpay.domain.behaviours import Difference, name_of
from kpay.domain.customer_groups import RFM_GROUPS
from kpay.ml import behaviours, groups
from kpay.ml.frames import purchases
from kpay.ml.history import History
from tests.fakes.ml_worlds import END, bg_nbd_orders, orders
from tests.fakes.shop_worlds import weekend_course_one_ebook_many_articles

SUNDAY = END.weekday()


def group_of(*days_ago: float, amount: int = 1000) -> str:
    """Return the group of one customer among many who buy every 40 days, for 1000 each time."""
    rows = [(0, 364.9 - ago, amount, "usd", "a") for ago in days_ago]
    for other in range(1, 41):
        rows += [(other, day + other / 100, 1000, "usd", "a") for day in (200.0, 240, 280, 320)]
    found = groups.rfm(purchases(orders(sorted(rows, key=lambda row: row[1])), END), 0)
    assert found.usual_gap_days == 40
    return groups.NAMES[found.group[0]]


@pytest.mark.parametrize(
    ("days_ago", "group"),
    [
        ((10,), "new"),
        ((60,), "new"),
        ((62,), "hibernating"),
        ((239,), "hibernating"),
        ((242,), "lost"),
        ((50, 10), "promising"),
        ((90, 50, 10), "loyal"),
        ((160, 120, 80), "needs attention"),
        ((240, 200, 160), "at risk"),
        ((360, 320, 280), "lost"),
    ],
)
def test_everybody_is_in_the_group_whose_rule_holds(
    days_ago: tuple[float, ...], group: str
) -> None:
    assert group_of(*days_ago) == group


def test_who_spends_most_and_is_not_late_is_a_champion() -> None:
    assert group_of(90, 50, 10, amount=5000) == "champions"
    assert group_of(360, 320, 280, amount=5000) == "lost"


def test_late_is_late_for_oneself() -> None:
    """A customer of every 100 days is in time after 100; one of every 10 days is long overdue."""
    assert group_of(300, 200, 100) == "loyal"
    assert group_of(120, 110, 100) == "at risk"


def test_groups_know_nothing_later_than_their_day() -> None:
    frame = bg_nbd_orders(300, seed=3)
    cut = frame[frame["at"] < END - np.timedelta64(90, "D")]
    whole, past = purchases(frame, END), purchases(cut, END)
    then, alone = groups.rfm(whole, -90), groups.rfm(past, -90)
    assert np.array_equal(whole.customer_ids[then.customer], past.customer_ids[alone.customer])
    assert np.array_equal(then.group, alone.group)
    assert not np.array_equal(groups.rfm(whole, 0).group[: len(then.group)], then.group)


def test_groups_further_down_buy_less_afterwards() -> None:
    frame = bg_nbd_orders(3000, seed=4)
    known = purchases(frame, END)
    found = groups.rfm(known, -60)
    after = np.isin(found.customer, known.customer[known.day >= -60])
    share = {name: after[found.group == place].mean() for place, name in enumerate(groups.NAMES)}
    assert share["champions"] > share["needs attention"] > share["at risk"] > share["lost"]
    assert share["new"] > share["hibernating"]


def test_the_gap_is_assumed_until_enough_have_come_back() -> None:
    few = groups.rfm(purchases(bg_nbd_orders(15, seed=1), END), 0)
    many = groups.rfm(purchases(bg_nbd_orders(300, seed=1), END), 0)
    assert few.is_assumed
    assert few.usual_gap_days == groups.ASSUMED_GAP_DAYS
    assert not many.is_assumed


def test_nobody_known_is_nobody_grouped() -> None:
    assert len(groups.rfm(purchases(orders([]), END), 0).group) == 0
    assert behaviours.behaviours(History(purchases(orders([]), END)), 0, SUNDAY) is None


def test_ways_of_buying_are_found_and_named_by_what_sets_them_apart() -> None:
    found = behaviours.behaviours(weekend_course_one_ebook_many_articles(80), 0, SUNDAY)
    assert found is not None
    way = found.customer // 80
    names = [{found.names[group] for group in found.group[way == one]} for one in range(3)]
    assert [len(each) for each in names] == [1, 1, 1]
    assert names[0] != names[1] != names[2]
    said = [each.pop() for each in names]
    assert "weekend" in said[0] or "of courses" in said[0]
    assert said[1] == "one-time buyers of e-books"
    assert said[2] == "small-spending buyers of articles"
    assert set(said) == set(found.names)


def test_the_same_history_is_told_apart_in_the_same_way() -> None:
    first, second = (
        behaviours.behaviours(weekend_course_one_ebook_many_articles(60), 0, SUNDAY)
        for _ in range(2)
    )
    assert first is not None
    assert second is not None
    assert np.array_equal(first.group, second.group)
    assert first.names == second.names
    assert first.differences == second.differences


def test_ways_of_buying_know_nothing_later_than_their_day() -> None:
    world = weekend_course_one_ebook_many_articles(60)
    whole = behaviours.traits_of(world, -60, SUNDAY)
    alone = behaviours.traits_of(world.before(-60), -60, SUNDAY)
    assert np.array_equal(whole.matrix, alone.matrix)


def test_one_purchase_at_a_weekend_makes_no_weekend_buyer() -> None:
    rows = [(one, 300.0 + one % 7, 1000, "usd", "a") for one in range(140)]
    traits = behaviours.traits_of(History(purchases(orders(rows), END)), 0, SUNDAY)
    assert list(traits.standard) == ["weekend"]
    assert traits.standard["weekend"].max() < 1.5


def test_too_few_customers_have_no_ways_of_buying() -> None:
    assert behaviours.behaviours(weekend_course_one_ebook_many_articles(30), 0, SUNDAY) is None


def test_what_does_not_come_out_twice_is_not_named() -> None:
    luck = np.random.default_rng(1)
    matrix = luck.normal(size=(400, 8))
    traits = behaviours.Traits(
        np.arange(400),
        dict(enumerate(matrix.T)),
        {f"t{k}": matrix[:, k] for k in range(8)},  # type: ignore[arg-type]
    )
    assert behaviours._stability(traits.matrix, 4) < behaviours.STABLE


def test_alike_is_one_for_renamed_groups_and_about_zero_for_chance() -> None:
    luck = np.random.default_rng(2)
    first = luck.integers(0, 3, 900)
    assert behaviours.alike(first, (first + 1) % 3) == pytest.approx(1)
    assert abs(behaviours.alike(first, luck.integers(0, 3, 900))) < 0.02


def difference(trait: str, by: float) -> Difference:
    return Difference(trait, by, 0.5, 0.2)


def test_a_name_has_the_two_largest_differences_in_the_order_of_a_sentence() -> None:
    found = [difference("kind course", 1.2), difference("weekend", 0.9), difference("value", 0.5)]
    assert name_of(found) == "weekend buyers of courses"
    assert name_of(found, ["weekend buyers of courses"]) == "big-spending weekend buyers of courses"
    assert name_of([difference("clicks", -0.8)]) == "buyers who ignore mails"


def test_names_are_never_shared() -> None:
    assert name_of([difference("once", 0.1)]) == "all other buyers"
    assert name_of([], ["all other buyers"]) == "all other buyers 2"
    assert name_of([], ["all other buyers", "all other buyers 2"]) == "all other buyers 3"


def test_every_group_has_a_meaning_and_a_name_that_can_be_typed() -> None:
    assert tuple(RFM_GROUPS) == groups.NAMES
    assert all(name == name.casefold() and "'" not in name for name in RFM_GROUPS)
    assert all(meaning for meaning in RFM_GROUPS.values())


def test_a_history_of_purchases_alone_is_enough() -> None:
    world = replace(weekend_course_one_ebook_many_articles(60))
    bare = behaviours.behaviours(History(world.purchases), 0, SUNDAY)
    assert bare is not None
    assert not any("of " in name for name in bare.names)
