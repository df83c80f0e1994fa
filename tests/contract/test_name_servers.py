"""Asking name servers: what is not there differs from what nobody answered."""

from __future__ import annotations

import time
from pathlib import Path

import dns.resolver
import pytest

from kpay.adapters.dns import NameServers
from kpay.domain.mail_dns import NamesUnanswered
from tests.conftest import run_kpay
from tests.fakes.name_server import Names
from tests.fakes.smtp_sink import SmtpSink

LONG = "v=DKIM1; p=" + "A" * 400


def test_records_come_whole_and_in_order() -> None:
    table = Names({"bakery.example": [LONG]}, {"bakery.example": ["mx1.example.", "mx2.example."]})
    with table.serving() as resolver:
        names = NameServers(resolver)
        assert names.texts("bakery.example") == (LONG,)
        assert names.mail_servers("bakery.example") == ("mx1.example.", "mx2.example.")


def test_a_name_without_a_record_has_none() -> None:
    with Names({"bakery.example": ["x"]}).serving() as resolver:
        names = NameServers(resolver)
        assert names.texts("nobody.example") == ()
        assert names.mail_servers("bakery.example") == ()


def test_a_server_that_denies_the_whole_world_says_nothing_about_a_name() -> None:
    table = Names({"bakery.example": ["x"]}, is_closed_in=True)
    with table.serving() as resolver:
        names = NameServers(resolver)
        assert names.texts("bakery.example") == ("x",)
        for _ in range(2):
            with pytest.raises(NamesUnanswered):
                names.texts("nobody.example")
    assert table.asked.count("com") == 1


def test_a_failing_server_is_no_answer_and_others_are_still_asked() -> None:
    with Names({"bakery.example": ["x"]}).serving() as resolver:
        names = NameServers(resolver)
        with pytest.raises(NamesUnanswered):
            names.texts("broken.example")
        with pytest.raises(NamesUnanswered):
            names.texts("a" * 70 + ".example")
        assert names.texts("bakery.example") == ("x",)


def test_silence_is_waited_for_once() -> None:
    with Names(is_silent=True).serving() as resolver:
        names = NameServers(resolver, wait_s=0.3)
        started = time.monotonic()
        for _ in range(5):
            with pytest.raises(NamesUnanswered):
                names.texts("bakery.example")
        assert time.monotonic() - started < 1.4


def test_doctor_asks_the_world_how_it_sees_a_sender(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = tmp_path / "business"
    assert run_kpay("init", str(home)).exit_code == 0
    table = Names({"bakery.example": ["v=spf1 -all", "v=spf1 +all"]}, {"bakery.example": ["mx."]})
    with SmtpSink().serving() as url, table.serving() as resolver:
        monkeypatch.setattr(dns.resolver, "Resolver", lambda: resolver)
        settings = {
            "KPAY_MAIL": "smtp",
            "KPAY_SMTP_URL": url,
            "KPAY_MAIL_FROM": "Ana <ana@bakery.example>",
            "KPAY_POSTAL_ADDRESS": "Hauptstraße 1",
        }
        result = run_kpay("doctor", home=home, env=settings)
    assert result.exit_code == 78
    lines = {line.split("  ")[0].strip(" │"): line for line in result.stdout.splitlines()}
    assert "✗ broken" in lines["SPF"]
    assert "? not checked" in lines["DKIM"]
    assert "! warning" in lines["DMARC"]
    assert "✓ ok" in lines["bounces"]
    assert "✓ ok" in lines["way out"]
    assert "dig +short TXT bakery.example" in result.stdout
