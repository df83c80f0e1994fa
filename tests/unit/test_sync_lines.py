"""What a log keeps of a sync: one line, and one more for each trouble."""

from __future__ import annotations

from kpay.domain.checkout import Account
from kpay.domain.enums import ResourceStatus
from kpay.domain.sync_report import Delivered, SyncReport, Tally
from kpay.domain.verified import Verified

ACCOUNT = Account("acct_1", False)


def test_a_quiet_day_is_one_line() -> None:
    report = SyncReport(ACCOUNT, {"charges": Tally(seen=9, unchanged=9)}, {}, 18, 0.94)

    assert report.to_lines() == ("kpay sync: nothing new, nothing to do (18 requests, 0.9 s)",)


def test_sales_are_one_line() -> None:
    tallies = {"charges": Tally(created=3), "refunds": Tally(updated=1)}
    report = SyncReport(ACCOUNT, tallies, {}, 1200, 12.3, new_orders=1)

    assert report.to_lines() == (
        "kpay sync: 4 objects new or changed, 1 new order (1,200 requests, 12.3 s)",
    )


def test_each_trouble_has_a_line_and_the_first_step_follows() -> None:
    tallies = {
        "charges": Tally(created=1),
        "disputes": Tally(ResourceStatus.FORBIDDEN, reason="no permission"),
    }
    report = SyncReport(ACCOUNT, tallies, {}, 18, 1.0, new_orders=1, notes=("Something else.",))

    assert report.to_lines()[1:] == (
        "kpay sync: disputes forbidden: no permission",
        "kpay sync: Something else.",
        "next: kpay sync",
    )


def test_money_that_agrees_is_said_in_the_same_line_and_every_difference_in_its_own() -> None:
    whole = SyncReport(ACCOUNT, {}, {}, 18, 1.0, checked=Verified({}, {}))
    other = SyncReport(
        ACCOUNT, {}, {}, 18, 1.0, checked=Verified({}, {}, differences=("txn_1 is", "txn_2 is"))
    )

    assert len(whole.to_lines()) == 1
    assert "agree to the cent" in whole.to_lines()[0]
    assert other.to_lines()[1:] == (
        "kpay sync: txn_1 is",
        "kpay sync: txn_2 is",
        "next: kpay sync --full",
    )


def test_mail_that_went_out_stands_in_the_line_and_mail_that_did_not_in_its_own() -> None:
    sent = SyncReport(ACCOUNT, {}, {}, 18, 1.0, delivered=Delivered("2 purchases delivered."))
    stuck = SyncReport(ACCOUNT, {}, {}, 18, 1.0, delivered=Delivered("2 wait.", is_trouble=True))

    assert len(sent.to_lines()) == 1
    assert "2 purchases delivered." in sent.to_lines()[0]
    assert stuck.to_lines()[1:] == ("kpay sync: 2 wait.", "next: kpay deliver")
