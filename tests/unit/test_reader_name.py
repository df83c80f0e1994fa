"""What a letter calls a reader."""

from __future__ import annotations

import pytest

from kpay.domain.reader_name import shown_name


@pytest.mark.parametrize(
    "name",
    ["Ana", "Ana-María O'Brien", "李雷", "Dr. J. R. Smith", "محمد", "Müller, Ana", "A. B.", "🙂"],
)
def test_a_name_stays_as_it_is(name: str) -> None:
    assert shown_name(name) == name


@pytest.mark.parametrize(
    "name",
    [
        "https://evil.example/free",
        "Win at www.evil.ru",
        "evil-shop.com you won",
        "<b>Ana</b>",
        "[free](x)",
        "{{ 7*7 }}",
        "=?utf-8?q?x?=",
        "ana@example.org",
        "A" * 10_000,
        " \t\n",
    ],
)
def test_what_is_no_name_is_not_said(name: str) -> None:
    assert shown_name(name) == ""


def test_a_name_is_one_line_and_turns_nothing_around() -> None:
    assert shown_name("Ana\r\nBcc: x\x00 \u202eLee\u2028!\ufeff") == "Ana Bcc: x Lee !"
