"""`kpay report --mail`: the creator's own mail of a report, once a week, whatever happens on the way."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from kpay.store import audience
from kpay.store.engine import Store
from tests.fakes.books import open_books
from tests.fakes.letters_out import outbox, words
from tests.fakes.stores import rows

Run = Callable[..., Any]
SENDER = {"KPAY_MAIL_FROM": "Ana Lee <ana@example.com>"}


@pytest.fixture
def shop(business: Path) -> Path:
    """A business with a sale on 16 November 2026, a Monday."""
    (business / "kpay.db").unlink()
    with open_books(business) as books:
        books.order("2026-11-16", 4900, fee=100)
    return business


@pytest.fixture
def mail(kpay: Run, shop: Path) -> Callable[..., Any]:
    """Run the command on a day of November 2026 at seven."""

    def run(day: int, *more: str, **env: str) -> Any:
        now = {"KPAY_NOW": f"2026-11-{day:02}T07:00:00Z"}
        return kpay("report", "summary", "--mail", *more, home=shop, env={**SENDER, **now, **env})

    return run


def test_a_week_is_mailed_once_and_the_next_one_again(mail: Run, shop: Path) -> None:
    first = mail(16)
    assert (first.exit_code, first.stderr) == (0, "")
    assert "Summary 2026-W47: mailed to ana@example.com over outbox/." in first.stdout
    again = json.loads(mail(20, "--json").stdout)
    assert (again["schema"], again["week"], again["sent"]) == ("kpay.report.mail/1", "2026-W47", 0)
    assert len(outbox(shop)) == 1
    quiet = mail(23, "--quiet")
    assert (quiet.exit_code, quiet.stdout, quiet.stderr) == (0, "", "")
    assert [str(one["Subject"]) for one in outbox(shop)] == [
        "Summary 2026-W47 · business",
        "Summary 2026-W48 · business",
    ]


def test_the_mail_is_the_report_in_text_and_in_html(mail: Run, kpay: Run, shop: Path) -> None:
    mail(18)
    (message,) = outbox(shop)
    assert message.get_content_type() == "multipart/alternative"
    plain, page = words(message), words(message, "html")
    shown = kpay("report", home=shop, env={"KPAY_NOW": "2026-11-18T07:00:00Z"}).stdout
    assert plain.split() == shown.split()
    for figure in ("$48.00", "Net revenue", "as of 2026-11-18T07:00:00Z"):
        assert figure in plain
        assert figure in page
    assert "<svg" not in page
    assert "<script" not in page
    assert 'style="' in page
    assert message["X-Kpay-Kind"] == "report"
    assert message["List-Unsubscribe"] is None


def test_it_goes_to_report_to_and_another_section_has_a_week_of_its_own(
    mail: Run, kpay: Run, shop: Path
) -> None:
    mail(18, KPAY_REPORT_TO="Books <books@example.org>")
    now = {"KPAY_NOW": "2026-11-18T08:00:00Z"}
    assert kpay("report", "mrr", "--mail", home=shop, env={**SENDER, **now}).exit_code == 0
    assert [str(one["To"]) for one in outbox(shop)] == ["books@example.org", "ana@example.com"]


@pytest.mark.parametrize(
    ("env", "code", "said"),
    [
        ({"KPAY_MAIL_FROM": ""}, 78, "mail_from is not set"),
        ({"KPAY_REPORT_TO": "nobody"}, 78, "report_to: 'nobody' is not a sender"),
        (
            {"KPAY_MAIL": "smtp", "KPAY_SMTP_URL": "smtp://u@mail.example.com:587?tls=starttls"},
            4,
            "is real mail, and live = true is not set",
        ),
    ],
)
def test_what_cannot_be_mailed_is_refused_and_nothing_waits(
    mail: Run, shop: Path, env: Mapping[str, str], code: int, said: str
) -> None:
    refused = mail(18, **env)
    assert refused.exit_code == code
    assert said in refused.stderr
    assert "next: kpay" in refused.stderr
    assert rows(Store(shop / "kpay.db"), "SELECT count(*) FROM delivery") == [(0,)]


def test_an_address_that_must_not_be_mailed_gets_no_report_either(mail: Run, shop: Path) -> None:
    with Store(shop / "kpay.db").writing() as connection:
        at = datetime(2026, 11, 1, tzinfo=UTC)
        audience.opt_out(connection, ["ana@example.com"], "unsubscribe", at)
    refused = mail(18)
    assert refused.exit_code == 4
    assert "ana@example.com must not be mailed (unsubscribe)" in refused.stderr


def test_what_could_not_leave_goes_with_the_next_as_it_was_asked(mail: Run, shop: Path) -> None:
    nobody = {"KPAY_MAIL": "smtp", "KPAY_SMTP_URL": "smtp://127.0.0.1:1?tls=none"}
    failed = mail(18, **nobody)
    assert failed.exit_code != 0
    assert outbox(shop) == []
    assert mail(25).exit_code == 0
    by_week = {str(one["Subject"]).split()[1]: words(one) for one in outbox(shop)}
    assert sorted(by_week) == ["2026-W47", "2026-W48"]
    assert "as of 2026-11-18T07:00:00Z" in by_week["2026-W47"]
    assert "as of 2026-11-25T07:00:00Z" in by_week["2026-W48"]


def test_weeks_that_the_machine_slept_through_are_one_mail(
    kpay: Run, shop: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KPAY_MAIL_FROM", SENDER["KPAY_MAIL_FROM"])
    job = ("weekly", "0 7 * * 1", "--", "report", "summary", "--mail")
    added = {"KPAY_NOW": "2026-11-15T12:00:00Z"}
    assert kpay("schedule", "add", *job, home=shop, env=added).exit_code == 0
    awake = {"KPAY_NOW": "2026-12-09T10:00:00Z"}
    ticked = kpay("schedule", "tick", home=shop, env=awake)
    assert ticked.exit_code == 0, ticked.stderr
    assert kpay("schedule", "tick", home=shop, env=awake).exit_code == 0
    (message,) = outbox(shop)
    assert str(message["Subject"]) == "Summary 2026-W50 · business"
