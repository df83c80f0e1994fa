"""How much may be given back of an order, when, and how that is said."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from kpay.domain.checkout import Account
from kpay.domain.order_refund import RefundDone, RefundPlan
from kpay.domain.refunding import RefundableOrder, why_impossible, why_too_much, why_too_old

SOLD_AT = datetime(2026, 6, 1, 9, tzinfo=UTC)
ORDER = RefundableOrder(
    id=7,
    name="ch_1",
    source="stripe",
    account=Account("acct_1", livemode=False),
    status="paid",
    charge="ch_1",
    ordered_at=SOLD_AT,
    currency="jpy",
    total_minor=500,
    refunded_minor=200,
)
PLAN = RefundPlan(ORDER, 100, "ana@example.com", "guide")


def test_what_is_left_is_paid_less_given_back_less_held_by_the_bank() -> None:
    assert ORDER.left_minor == 300
    assert replace(ORDER, held_minor=100).left_minor == 200
    assert replace(ORDER, held_minor=500).left_minor == 0


@pytest.mark.parametrize(
    ("order", "said"),
    [
        (replace(ORDER, source="import"), "was imported"),
        (replace(ORDER, status="pending"), "was never paid"),
        (replace(ORDER, total_minor=0, charge=None, refunded_minor=0), "cost nothing"),
        (replace(ORDER, dispute="dp_1", held_minor=500), "dispute dp_1"),
        (replace(ORDER, refunded_minor=500), "given back already"),
    ],
)
def test_what_cannot_be_given_back_is_named(order: RefundableOrder, said: str) -> None:
    assert said in (why_impossible(order) or "")


def test_a_paid_order_with_something_left_may_be_given_back() -> None:
    assert why_impossible(ORDER) is None
    assert why_too_much(ORDER, 300) is None
    assert why_too_much(ORDER, 301) == "¥301 is more than what is left of ch_1: ¥300"


def test_a_sale_is_too_old_the_second_after_its_days() -> None:
    last = SOLD_AT + timedelta(days=30)

    assert why_too_old(ORDER, 30, last) is None
    assert "refund_days is 30" in (why_too_old(ORDER, 30, last + timedelta(seconds=1)) or "")
    assert why_too_old(ORDER, 0, SOLD_AT) is None


def test_the_question_says_mode_amount_person_piece_and_what_ends() -> None:
    assert PLAN.question == (
        "TEST refund: give ¥100 of ¥500 back to ana@example.com for guide (ch_1, sold 2026-06-01)?"
    )
    live = replace(ORDER, account=Account("acct_1", livemode=True))
    whole = replace(PLAN, order=live, ends=("guide", "录音"), unanswered=3)
    assert whole.question.startswith("LIVE refund: finish giving")
    assert whole.question.endswith(", which ends the right to guide, 录音?")


def test_the_command_that_goes_on_gives_the_same_amount() -> None:
    assert PLAN.command == "kpay order refund ch_1 --amount 100"
    assert replace(PLAN, amount_minor=300).command == "kpay order refund ch_1"
    assert replace(PLAN, is_despite_policy=True).command.endswith("--despite-policy")


def test_a_subscription_s_refund_says_that_the_subscription_goes_on() -> None:
    plan = replace(PLAN, subscription="sub_1")
    done = RefundDone(plan, "re_1", "succeeded", ("club",), 200)

    for document in (plan.to_document(), done.to_document()):
        assert "goes on at Stripe until it is cancelled there" in str(document.blocks)
    assert done.to_document().payload["ends"] == ["club"]
    assert done.to_document().payload["left_minor"] == 200
