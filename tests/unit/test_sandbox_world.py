"""The simulated people: deterministic, stoppable, and moved by mail one by one."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import replace
from datetime import date
from itertools import pairwise

import numpy as np
import pytest

from kpay.sandbox.catalogue import Appeal, Catalogue, Item, Offer
from kpay.sandbox.clock import WorldClock, instant, period_end
from kpay.sandbox.happenings import (
    CustomerErased,
    Happening,
    MembershipBilled,
    MembershipEnded,
    MembershipRecovered,
    MembershipStarted,
    NoticeGiven,
    Sale,
    taking,
)
from kpay.sandbox.mail import Mail
from kpay.sandbox.memberships import Due
from kpay.sandbox.parameters import PERSUADABLE, UNDISTURBED, Parameters
from kpay.sandbox.people import draw_people
from kpay.sandbox.season import season
from kpay.sandbox.world import World

TOPICS = ("craft", "writing", "money", "code")


def piece(place: int, *, amount: int = 1900, first_day: int = 0) -> Item:
    offer = Offer(f"plink_{place}", f"price_{place}", f"prod_{place}", amount, "usd")
    return Item(f"piece-{place}", "ebook", (TOPICS[place % 4],), first_day, (offer,))


def membership(interval: str = "month", trial_days: int | None = None) -> Item:
    offers = [Offer("plink_m", "price_m", "prod_m", 900, "usd", interval, 1, trial_days)]
    return Item("club", "membership", ("craft",), 0, tuple(offers))


CATALOGUE = Catalogue((*(piece(place) for place in range(8)), membership()))


def make_world(seed: int = 1, customers: int = 400, parameters: Parameters | None = None) -> World:
    people = draw_people(seed, customers, 540, parameters or Parameters())
    return World(people, WorldClock(date(2025, 1, 1)), people.chance, Appeal(people))


def live(
    world: World,
    days: Iterable[int],
    catalogue: Catalogue = CATALOGUE,
    mails: dict[int, list[Mail]] | None = None,
) -> list[Happening]:
    lived = (
        world.step(day, catalogue, (mails or {}).get(day, ()), is_watched=False) for day in days
    )
    return [happening for day in lived for happening in day.happenings]


def buyers(happenings: list[Happening]) -> set[int]:
    return {
        happening.buyer.person
        for happening in happenings
        if isinstance(happening, Sale | MembershipStarted) and happening.buyer.person >= 0
    }


def test_the_same_seed_lives_the_same_life() -> None:
    assert live(make_world(3), range(120)) == live(make_world(3), range(120))
    assert live(make_world(3), range(120)) != live(make_world(4), range(120))


def test_stopping_and_going_on_is_one_run() -> None:
    whole = live(make_world(), range(150))
    world = make_world()
    first = live(world, range(70))
    rest = live(world.fork(), range(70, 150))
    assert first + rest == whole


def test_a_fork_leaves_the_original_alone() -> None:
    world, untouched = make_world(), make_world()
    live(world, range(60))
    live(untouched, range(60))
    live(world.fork(), range(60, 200))
    assert live(world, range(60, 90)) == live(untouched, range(60, 90))


def test_watching_changes_nothing() -> None:
    world = make_world()
    watched = [
        happening
        for day in range(60)
        for happening in world.step(day, CATALOGUE, (), is_watched=True).happenings
    ]
    assert watched == live(make_world(), range(60))


def test_mail_moves_only_those_who_got_it() -> None:
    world = make_world(customers=1500)
    live(world, range(100))
    mailed = set(range(0, len(world.people), 2))
    mails = {100: [Mail(person, ()) for person in sorted(mailed)]}
    without = live(world.fork(), range(100, 114))
    with_mail = live(world.fork(), range(100, 114), mails=mails)

    def of_unmailed(happenings: list[Happening]) -> list[Sale]:
        return [
            happening
            for happening in happenings
            if isinstance(happening, Sale) and happening.buyer.person not in mailed
        ]

    assert of_unmailed(with_mail) == of_unmailed(without)
    assert of_unmailed(without)
    assert len(buyers(with_mail) & mailed) > len(buyers(without) & mailed)


def test_the_effect_of_mail_differs_between_people_and_can_be_negative() -> None:
    world = make_world(customers=3000)
    live(world, range(60))
    everyone = [Mail(person, ()) for person in range(len(world.people))]
    without = world.fork().no_purchase_hazard(60, 74, lambda _: CATALOGUE)
    mailed = world.fork()
    mailed.step(60, CATALOGUE, everyone, is_watched=False)
    with_mail = mailed.no_purchase_hazard(60, 74, lambda _: CATALOGUE)
    stratum = world.people.stratum
    gain = {kind: float((with_mail - without)[stratum == kind].sum()) for kind in range(4)}
    assert gain[UNDISTURBED] < 0
    assert gain[PERSUADABLE] > 3 * max(gain[kind] for kind in range(4) if kind != PERSUADABLE)


def test_tired_readers_answer_less_and_leave_more() -> None:
    def last_mail(earlier: int) -> tuple[float, int]:
        world = make_world(customers=3000)
        everyone = [Mail(person, ()) for person in range(len(world.people))]
        live(world, range(20), mails={19 - day: everyone for day in range(earlier)})
        world.state.has_opted_out[:] = False
        world.state.waves.clear()
        world.step(20, CATALOGUE, everyone, is_watched=False)
        strength = world.state.waves[-1].strength
        return float(strength[strength > 0].sum()), int(world.state.has_opted_out.sum())

    fresh, tired = last_mail(0), last_mail(10)
    assert tired[0] < 0.5 * fresh[0]
    assert tired[1] > 2 * fresh[1]


def test_a_mail_about_something_owned_is_of_no_use() -> None:
    world = make_world(customers=1500)
    live(world, range(30))
    people = np.flatnonzero(world.people.lift > 0)[:200]
    world.state.room[people, 0] = 0.0
    strengths = []
    for slug in ("piece-0", "piece-1"):
        fork = world.fork()
        mails = [Mail(int(person), (slug,)) for person in people]
        fork.step(30, Catalogue(CATALOGUE.items), mails, is_watched=False)
        strengths.append(float(fork.state.waves[0].strength.sum()))
    assert strengths[0] < 0.6 * strengths[1]


def test_a_new_piece_does_not_shift_who_buys_what_else() -> None:
    world = make_world(customers=1500)
    live(world, range(60))
    grown = Catalogue((*CATALOGUE.items, replace(piece(9), first_day=60, offers=())))
    before, after = live(world.fork(), [60]), live(world.fork(), [60], grown)
    assert before == after


def test_a_launch_sells_more_in_its_first_week_than_later() -> None:
    world = make_world(customers=3000)
    live(world, range(60))
    grown = Catalogue((*CATALOGUE.items, piece(9, first_day=60)))
    sold = [
        sum(isinstance(happening, Sale) and happening.slug == "piece-9" for happening in week)
        for week in (live(world, range(60 + 7 * n, 67 + 7 * n), grown) for n in range(4))
    ]
    assert sold[0] > 2 * sold[3] > 0


def test_what_is_dearer_sells_less() -> None:
    cheap = Catalogue(tuple(piece(place, amount=900) for place in range(6)))
    dear = Catalogue(tuple(piece(place, amount=9900) for place in range(6)))
    assert len(live(make_world(), range(120), dear)) < 0.8 * len(
        live(make_world(), range(120), cheap)
    )


def test_hardly_anybody_buys_the_same_piece_twice() -> None:
    sales = [h for h in live(make_world(customers=1000), range(300)) if isinstance(h, Sale)]
    known = [sale for sale in sales if sale.is_paid and sale.buyer.person >= 0]
    bought = Counter((sale.buyer.person, sale.slug) for sale in known)
    again = sum(count - 1 for count in bought.values())
    assert 0 < again < 0.06 * len(known)


def test_nobody_buys_where_nothing_is_for_sale() -> None:
    assert live(make_world(), range(50), Catalogue()) == []


def test_black_friday_and_august_have_their_season() -> None:
    assert season(date(2025, 11, 28)) > 1.5 * season(date(2025, 11, 14))
    assert season(date(2025, 8, 13)) < season(date(2025, 7, 16))


def test_a_sale_that_mail_caused_does_not_use_up_the_customers_life() -> None:
    world = make_world(customers=3000, parameters=replace(Parameters(), leave_b=1.0))
    live(world, range(30))
    everyone = [Mail(person, ()) for person in range(len(world.people))]

    def leaving_share(mails: list[Mail]) -> float:
        fork = world.fork()
        before = fork.state.is_alive.copy()
        bought = buyers(live(fork, [30], mails={30: mails}))
        return float((before & ~fork.state.is_alive).sum()) / len(bought)

    assert leaving_share(everyone) < 0.75 * leaving_share([])


# ---------------------------------------------------------------------- memberships


def member_life(**choices: float) -> list[Happening]:
    parameters = replace(Parameters(), **choices)
    shop = Catalogue((membership(trial_days=0),))
    return live(make_world(customers=300, parameters=parameters), range(200), shop)


def test_members_who_always_stay_are_billed_every_month_on_their_day() -> None:
    happenings = member_life(
        first_renewal_share=1.0, later_renewal_share=1.0, renewal_fails_share=0.0
    )
    started = {h.membership: h.at for h in happenings if isinstance(h, MembershipStarted)}
    bills = [h for h in happenings if isinstance(h, MembershipBilled)]
    assert bills
    assert not [h for h in happenings if isinstance(h, MembershipEnded)]
    for bill in bills:
        begun, now = instant(started[bill.membership]), instant(bill.at)
        assert now.time() == begun.time()
        assert now.day == begun.day or (
            now.day < begun.day and (instant(bill.at + 86_400).day == 1)
        )


def test_members_whose_cards_fail_are_recovered_or_lost_after_a_fortnight() -> None:
    happenings = member_life(
        first_renewal_share=1.0,
        later_renewal_share=1.0,
        renewal_fails_share=1.0,
        recovered_share=0.5,
    )
    failed = {h.membership: h.at for h in happenings if isinstance(h, MembershipBilled)}
    recovered = [h for h in happenings if isinstance(h, MembershipRecovered)]
    ended = [h for h in happenings if isinstance(h, MembershipEnded)]
    assert failed
    assert recovered
    assert ended
    assert all(h.payment_failed for h in ended)
    assert all(h.at - failed[h.membership] == 14 * 86_400 for h in ended)


def test_leavers_give_notice_or_go_at_once_and_are_never_billed_again() -> None:
    happenings = member_life(first_renewal_share=0.0)
    ended = {h.membership: h.at for h in happenings if isinstance(h, MembershipEnded)}
    noticed = {h.membership for h in happenings if isinstance(h, NoticeGiven)}
    assert noticed & set(ended)
    assert set(ended) - noticed
    assert not [h for h in happenings if isinstance(h, MembershipBilled)]


def test_a_trial_takes_no_money_until_it_ends() -> None:
    shop = Catalogue((membership(trial_days=7),))
    parameters = replace(Parameters(), trial_kept_share=1.0, renewal_fails_share=0.0)
    happenings = live(make_world(parameters=parameters), range(60), shop)
    started = [h for h in happenings if isinstance(h, MembershipStarted)]
    first_bills = {
        h.membership: h.at for h in reversed(happenings) if isinstance(h, MembershipBilled)
    }
    assert started
    assert all(taking(h) is None and h.trial_end == h.at + 7 * 86_400 for h in started)
    for begun in started:
        if begun.trial_end and begun.trial_end < instant_of_day(60):
            assert first_bills[begun.membership] == begun.trial_end


def instant_of_day(day: int) -> int:
    return WorldClock(date(2025, 1, 1)).second(day)


@pytest.mark.parametrize("trial_days", [0, 1, 7])
def test_no_membership_is_ever_forgotten(trial_days: int) -> None:
    world = make_world()
    live(world, range(150), Catalogue((membership(trial_days=trial_days),)))
    ahead = {
        task.membership
        for day, tasks in world.state.agenda.items()
        for task in tasks
        if isinstance(task, Due) and day >= 150
    }
    assert set(world.state.members) == ahead != set()
    assert min(world.state.agenda) >= 150


def test_nobody_with_a_running_membership_is_erased_at_the_provider() -> None:
    parameters = replace(Parameters(), erased_share=1.0, first_renewal_share=1.0)
    world = make_world(parameters=parameters)
    erased = 0
    for day in range(150):
        members = {member.person for member in world.state.members.values()}
        for happening in world.step(day, CATALOGUE, (), is_watched=False).happenings:
            if isinstance(happening, CustomerErased):
                assert happening.person not in members
                erased += 1
    assert erased > 0


def test_monthly_members_may_move_to_the_year_and_are_then_billed_a_year_later() -> None:
    parameters = replace(
        Parameters(),
        first_renewal_share=1.0,
        renewal_fails_share=0.0,
        yearly_renewal_share=1.0,
        upgrade_share=1.0,
    )
    yearly = replace(membership("year"), slug="club-year")
    shop = Catalogue((membership(trial_days=0), yearly))
    happenings = live(make_world(customers=200, parameters=parameters), range(430), shop)
    monthly = {
        h.membership
        for h in happenings
        if isinstance(h, MembershipStarted) and h.offer.interval == "month"
    }
    bills: dict[str, list[MembershipBilled]] = {}
    for h in happenings:
        if isinstance(h, MembershipBilled) and h.membership in monthly:
            bills.setdefault(h.membership, []).append(h)
    assert len([key for key in bills if len(bills[key]) > 1]) > 5
    for of_member in bills.values():
        assert all(bill.offer.interval == "year" for bill in of_member)
        for bill, following in pairwise(of_member):
            assert instant(following.at).year == instant(bill.at).year + 1
            assert bill.period_end == following.at


@pytest.mark.parametrize(
    ("begun", "count", "expected"),
    [
        ("2025-01-31", 1, "2025-02-28"),
        ("2025-01-31", 2, "2025-03-31"),
        ("2024-02-29", 12, "2025-02-28"),
    ],
)
def test_a_month_ends_on_the_last_day_of_a_shorter_month(
    begun: str, count: int, expected: str
) -> None:
    anchor_s = WorldClock(date.fromisoformat(begun)).start_s
    assert instant(period_end(anchor_s, "month", count)).date() == date.fromisoformat(expected)


def test_a_weighed_day_foresees_what_days_bring_on_average() -> None:
    world = make_world(customers=1500, parameters=replace(Parameters(), fraud_bursts_a_year=0.0))
    days = [world.step(day, CATALOGUE, (), is_watched=False, is_weighed=True) for day in range(120)]
    brought = sum(
        happening.offer.amount_minor
        for day in days
        for happening in day.happenings
        if isinstance(happening, Sale | MembershipStarted)
    )
    assert sum(day.expected_minor for day in days) == pytest.approx(brought, rel=0.06)


def test_a_mail_about_what_is_owned_moves_nobody() -> None:
    parameters = replace(Parameters(), lifts=(5.0,) * 4, opt_out_share=0.0)
    world = make_world(customers=1500, parameters=parameters)
    live(world, range(100))
    owners = np.flatnonzero(world.state.room[:, 0] < 0.1).tolist()
    assert len(owners) > 20
    for slug, moves in (("piece-0", False), ("piece-1", True)):
        twin = world.fork()
        twin.step(100, CATALOGUE, [Mail(person, (slug,)) for person in owners], is_watched=False)
        assert bool(twin.state.waves[-1].strength.any()) is moves
