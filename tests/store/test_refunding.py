"""Refunds: checked first, kept before they are asked for, given once, and followed by everything else."""

from __future__ import annotations

import sqlite3
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from kpay.domain.checkout import RawObject
from kpay.domain.order_refund import RefundDone
from kpay.domain.refunding import RefundAsk, RefundPolicy
from kpay.errors import NotFound, Refused, RemoteProblem, UsageProblem
from kpay.services import auditing
from kpay.services.intake import keep
from kpay.services.refunding import RefundWish, give_back, plan
from kpay.store.engine import Store
from tests.fakes.books import open_books
from tests.fakes.refund_desk import FakeRefundDesk
from tests.fakes.stores import digest, new_store, rows
from tests.fakes.stripe_shop import DAY, START, Sale, Shop

POLICY = RefundPolicy(days=30, allows_live=False)
ASKED_AT = START + 10 * DAY
PENDING = "SELECT count(*) FROM refund_request WHERE answered_at IS NULL"
DEEDS = "SELECT action FROM audit_entry ORDER BY id"


def at(seconds: int) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)


class Counter:
    """A shop with one sale of 29.00, its synced store, and the desk at which money is given back."""

    def __init__(self, folder: Path) -> None:
        self.store: Store = new_store(folder, "guide", "club")
        self.shop = Shop()
        self.guide = self.shop.offer("guide", 2900)
        self.sale: Sale = self.shop.sell(self.guide, START)
        self.desk = FakeRefundDesk(self.shop.provider, ASKED_AT)
        self.sync()

    def sync(self) -> None:
        """Take in everything that the provider has."""
        kinds = self.shop.provider.objects
        raws = [raw for kind in kinds if kind != "event" for raw in kinds[kind].values()]
        keep(self.store, self.desk.account(), self.desk.api_version, raws)

    def refund(self, amount: str | None = None, *, day: int = 10, **wish: object) -> RefundDone:
        now = at(START + day * DAY)
        asked = RefundWish(self.sale.charge["id"], amount, **wish)  # type: ignore[arg-type]
        return give_back(
            self.store, self.desk, plan(self.store, asked, policy=POLICY, now=now), now=now
        )

    def rows(self, query: str) -> list[tuple[object, ...]]:
        return rows(self.store, query)


@pytest.fixture
def counter(tmp_path: Path) -> Counter:
    return Counter(tmp_path)


# ---------------------------------------------------------------------- what a refund does


def test_a_whole_refund_gives_all_back_and_ends_the_right_at_once(counter: Counter) -> None:
    done = counter.refund(reason="requested_by_customer")

    assert [raw["amount"] for raw in counter.desk.refunds] == [2900]
    assert counter.desk.refunds[0]["reason"] == "requested_by_customer"
    assert (done.status, done.ended, done.left_minor) == ("succeeded", ("guide",), 0)
    assert counter.rows("SELECT amount_minor, status FROM refund") == [(2900, "succeeded")]
    assert counter.rows("SELECT end_reason FROM entitlement") == [("refund",)]
    assert counter.rows("SELECT net_minor FROM balance_transaction WHERE kind = 'refund'") == [
        (-2900,)
    ]
    assert counter.rows("SELECT refunded_minor FROM charge") == [(2900,)]


def test_a_sync_afterwards_finds_the_same(counter: Counter) -> None:
    counter.refund()
    before = digest(counter.store)

    counter.sync()

    assert digest(counter.store) == before


def test_a_part_leaves_the_right_and_two_equal_parts_are_two_refunds(counter: Counter) -> None:
    first, second = counter.refund("10"), counter.refund("10.00")

    assert (first.ended, first.left_minor, second.left_minor) == ((), 1900, 900)
    assert [raw["amount"] for raw in counter.desk.refunds] == [1000, 1000]
    assert counter.rows("SELECT ended_at FROM entitlement") == [(None,)]

    rest = counter.refund()
    assert (rest.plan.amount_minor, rest.ended) == (900, ("guide",))


def test_everything_is_audited_without_naming_anybody(counter: Counter) -> None:
    counter.refund("10")

    assert counter.rows(DEEDS) == [("refund.asked",), ("refund.answered",)]
    [(subjects,)] = counter.rows("SELECT group_concat(subject || detail) FROM audit_entry")
    assert "ana" not in str(subjects)
    assert counter.sale.charge["id"] in str(subjects)
    assert auditing.verify(counter.store).is_sound


def test_the_provider_s_clock_may_be_ahead(counter: Counter) -> None:
    counter.desk.at += 90

    assert counter.refund().ended == ("guide",)


def test_a_refund_that_is_on_its_way_says_so_and_counts(counter: Counter) -> None:
    counter.desk.status = "pending"

    done = counter.refund()

    assert "is on its way back" in done.to_document().title
    assert done.ended == ("guide",)


def test_a_refund_that_fails_at_once_is_an_error_and_ends_nothing(counter: Counter) -> None:
    counter.desk.status = "failed"

    with pytest.raises(RemoteProblem, match="it failed"):
        counter.refund()

    assert counter.rows("SELECT ended_at FROM entitlement") == [(None,)]
    assert counter.rows(PENDING) == [(0,)]


# ---------------------------------------------------------------------- cut off


@pytest.mark.parametrize("lost", ["silence", "deafness"])
def test_a_request_without_an_answer_is_finished_by_the_same_command(
    counter: Counter, lost: str
) -> None:
    setattr(counter.desk, lost, 1)
    with pytest.raises(RemoteProblem, match="not known yet"):
        counter.refund()
    assert counter.rows(PENDING) == [(1,)]

    done = counter.refund()

    assert [raw["amount"] for raw in counter.desk.refunds] == [2900]
    assert done.was_made is (lost == "silence")
    assert len({ask.key for ask in counter.desk.asked}) == 1
    assert counter.rows(PENDING) == [(0,)]
    assert counter.rows(DEEDS) == [("refund.asked",), ("refund.answered",)]
    with pytest.raises(Refused, match="given back already"):
        counter.refund()


def test_a_run_that_dies_with_the_answer_in_its_hands_is_finished(counter: Counter) -> None:
    class Dying(FakeRefundDesk):
        def aftermath(self, refund: object) -> list[dict[str, object]]:
            raise KeyboardInterrupt

    alive = counter.desk
    counter.desk = Dying(counter.shop.provider, ASKED_AT)
    with pytest.raises(KeyboardInterrupt):
        counter.refund()
    assert counter.rows("SELECT count(*) FROM refund") == [(0,)]
    counter.desk = alive

    done = counter.refund()

    assert (done.was_made, done.ended) == (True, ("guide",))
    assert len(counter.desk.refunds) == 1


def test_a_run_that_dies_before_the_answer_is_noted_is_finished(counter: Counter) -> None:
    counter.refund()
    connection = sqlite3.connect(counter.store.path)
    connection.execute("UPDATE refund_request SET answered_at = NULL, refund_external_id = NULL")
    connection.commit()
    connection.close()

    done = counter.refund()

    assert (done.was_made, done.left_minor) == (True, 0)
    assert len(counter.desk.refunds) == 1
    assert counter.rows(PENDING) == [(0,)]


def test_a_sync_in_between_changes_nothing_about_that(counter: Counter) -> None:
    counter.desk.silence = 1
    with pytest.raises(RemoteProblem):
        counter.refund()
    counter.sync()

    done = counter.refund()

    assert (done.was_made, done.left_minor) == (True, 0)
    assert len(counter.desk.refunds) == 1


def test_an_old_request_is_finished_even_when_its_sale_has_grown_too_old(counter: Counter) -> None:
    counter.desk.deafness = 1
    with pytest.raises(RemoteProblem):
        counter.refund("10")

    counter.refund("10", day=60)

    assert [raw["amount"] for raw in counter.desk.refunds] == [1000]


def test_another_amount_waits_until_the_first_is_known(counter: Counter) -> None:
    counter.desk.deafness = 1
    with pytest.raises(RemoteProblem):
        counter.refund("10")

    for amount in ("5", None):
        with pytest.raises(Refused, match="finish that one first") as refusal:
            counter.refund(amount)
        assert (refusal.value.hint or "").endswith("--amount 10.00")

    assert counter.desk.refunds == []


def test_a_no_closes_the_request(counter: Counter) -> None:
    provider = counter.shop.provider
    provider.change(counter.sale.charge, ASKED_AT, None, amount_refunded=2900)

    with pytest.raises(RemoteProblem, match="greater than 0"):
        counter.refund()

    assert counter.rows(PENDING) == [(0,)]
    [(refund, refusal)] = counter.rows("SELECT refund_external_id, refusal FROM refund_request")
    assert refund is None
    assert "greater than 0" in str(refusal)
    assert counter.rows(DEEDS) == [("refund.asked",), ("refund.refused",)]


def test_two_runs_at_once_give_back_once(counter: Counter) -> None:
    now = at(ASKED_AT)
    asked = RefundWish(counter.sale.charge["id"])
    one, other = (plan(counter.store, asked, policy=POLICY, now=now) for _ in range(2))
    give_back(counter.store, counter.desk, one, now=now)

    with pytest.raises(Refused, match="changed meanwhile"):
        give_back(counter.store, counter.desk, other, now=now)

    assert len(counter.desk.refunds) == 1


def test_a_run_that_is_overtaken_by_the_same_command_gives_back_once(counter: Counter) -> None:
    class Overtaken(FakeRefundDesk):
        is_first = True

        def ask(self, wish: RefundAsk) -> RawObject:
            if self.is_first:
                self.is_first = False
                assert counter.refund().left_minor == 0
            return super().ask(wish)

    counter.desk = Overtaken(counter.shop.provider, ASKED_AT)

    assert counter.refund().left_minor == 0

    assert [raw["amount"] for raw in counter.desk.refunds] == [2900]
    assert counter.rows(DEEDS) == [("refund.asked",), ("refund.answered",)]


def test_what_hangs_on_a_refund_may_come_later(counter: Counter) -> None:
    class Hurried(FakeRefundDesk):
        def aftermath(self, refund: object) -> list[dict[str, object]]:
            raise RemoteProblem("the line is dead", "kpay doctor")

    counter.desk = Hurried(counter.shop.provider, ASKED_AT)

    done = counter.refund()

    assert not done.is_whole_news
    assert counter.rows("SELECT end_reason FROM entitlement") == [("refund",)]
    assert counter.rows(PENDING) == [(0,)]


# ---------------------------------------------------------------------- what may not be


def refusal(counter: Counter, amount: str | None = None, *, day: int = 10) -> str:
    before = digest(counter.store)
    with pytest.raises(Refused) as refused:
        counter.refund(amount, day=day)
    assert digest(counter.store) == before
    assert counter.desk.asked == []
    assert refused.value.hint
    return refused.value.message


def test_more_than_is_left_is_refused(counter: Counter) -> None:
    assert "$29.01 is more than what is left" in refusal(counter, "29.01")


@pytest.mark.parametrize("amount", ["0", "-5", "ten", "1.005"])
def test_what_is_no_amount_is_a_question_of_usage(counter: Counter, amount: str) -> None:
    with pytest.raises(UsageProblem):
        counter.refund(amount)


def test_an_old_sale_is_refused_unless_one_insists(counter: Counter) -> None:
    assert "31 days ago, and refund_days is 30" in refusal(counter, day=31)

    done = counter.refund(day=31, is_despite_policy=True)

    assert done.left_minor == 0
    [(detail,)] = counter.rows("SELECT detail FROM audit_entry WHERE action = 'refund.asked'")
    assert "is_despite_policy" in str(detail)


def test_the_last_day_of_the_policy_is_inside_it(counter: Counter) -> None:
    assert counter.refund(day=30).left_minor == 0


@pytest.mark.parametrize("status", ["needs_response", "under_review", "lost"])
def test_disputed_money_is_refused(counter: Counter, status: str) -> None:
    dispute = counter.shop.dispute(counter.sale, START + 2 * DAY, status=status)
    counter.sync()

    said = refusal(counter)

    assert dispute["id"] in said
    assert "bank holds the money" in said


def test_a_dispute_that_was_won_stands_in_nobody_s_way(counter: Counter) -> None:
    dispute = counter.shop.dispute(counter.sale, START + 2 * DAY)
    counter.shop.provider.change(dispute, START + 9 * DAY, None, status="won")
    counter.sync()
    asked = RefundWish(counter.sale.charge["id"])

    planned = plan(counter.store, asked, policy=POLICY, now=at(ASKED_AT))

    assert planned.amount_minor == 2900


def test_an_imported_order_is_refused_with_a_sentence(tmp_path: Path) -> None:
    with open_books(tmp_path) as books:
        order = books.order("2026-06-01", 900)
        with pytest.raises(Refused, match="was imported"):
            plan(books.store, RefundWish(str(order)), policy=POLICY, now=at(START))


def test_an_order_that_does_not_exist_is_not_found(counter: Counter) -> None:
    with pytest.raises(NotFound):
        plan(counter.store, RefundWish("ch_nothing"), policy=POLICY, now=at(START))


def test_another_account_s_key_gives_nothing_back(counter: Counter) -> None:
    counter.shop.provider.account = "acct_other"

    assert "acct_other" in refusal(counter)


def test_a_new_key_of_an_account_without_a_name_gives_back_what_is_its_own(
    counter: Counter,
) -> None:
    """A provider that does not name the account would refuse the charge of another."""
    counter.shop.provider.account = None

    assert counter.refund().left_minor == 0


def test_live_money_moves_only_when_that_is_allowed(tmp_path: Path) -> None:
    counter = Counter.__new__(Counter)
    counter.store = new_store(tmp_path, "guide")
    counter.shop = Shop()
    counter.sale = counter.shop.sell(counter.shop.offer("guide", 2900), START)
    counter.desk = FakeRefundDesk(counter.shop.provider, ASKED_AT, livemode=True)
    counter.sync()
    assert "LIVE money, and live = true is not set" in refusal(counter)
    allowed = replace(POLICY, allows_live=True)
    asked = RefundWish(counter.sale.charge["id"])

    planned = plan(counter.store, asked, policy=allowed, now=at(ASKED_AT))

    assert planned.question.startswith("LIVE refund: give $29.00 of $29.00 back to ana@example.com")
    done = give_back(counter.store, counter.desk, planned, now=at(ASKED_AT))
    assert done.left_minor == 0


# ---------------------------------------------------------------------- members


def test_a_member_s_last_period_given_back_ends_the_right_and_says_what_goes_on(
    counter: Counter,
) -> None:
    club = counter.shop.offer("club", 900, "eur", interval="month")
    ana = counter.shop.customer("ana@example.com", START)
    member = counter.shop.subscribe(club, START, ana)
    assert member.subscription
    later = counter.shop.bill(
        member.subscription, club[1], START + 5 * DAY, ana, "subscription_cycle", 900
    )
    counter.sync()

    counter.sale = member
    first = counter.refund()
    assert (first.plan.ends, first.ended) == ((), ())

    counter.sale = later
    last = counter.refund()

    assert (last.plan.ends, last.ended) == (("club",), ("club",))
    assert "The subscription itself goes on at Stripe" in str(last.to_document().blocks)
    assert counter.rows("SELECT end_reason FROM entitlement WHERE source = 'subscription'") == [
        ("refund",)
    ]


def test_a_plan_changes_nothing_and_says_what_to_type(counter: Counter) -> None:
    before = digest(counter.store)
    asked = RefundWish(counter.sale.charge["id"], "10")

    planned = plan(counter.store, asked, policy=POLICY, now=at(ASKED_AT))

    document = planned.to_document()
    assert digest(counter.store) == before
    assert document.payload["status"] == "dry_run"
    assert document.next_steps == (f"kpay order refund {counter.sale.charge['id']} --amount 10.00",)
