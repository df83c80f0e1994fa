"""What the sandbox makes of a letter: marketing or delivery, and what it is about."""

from __future__ import annotations

from email import policy
from email.message import EmailMessage

import pytest

from kpay.sandbox.letters import Letter

KNOWN = {"deep-work", "深度工作", "club"}


def letter(body: str, **headers: str) -> Letter:
    message = EmailMessage()
    message["Subject"] = "新课程 is here"
    message["Message-ID"] = "<1@example.org>"
    for name, value in headers.items():
        message[name.replace("_", "-")] = value
    message.set_content(body)
    message.add_alternative(f"<p>{body}</p>", subtype="html")
    return Letter(0, "me@example.org", "you@example.org", message.as_bytes(policy=policy.SMTP))


def test_mail_with_an_unsubscribe_header_is_marketing_unless_it_delivers() -> None:
    assert letter("hello", List_Unsubscribe="<mailto:a@example.org>").is_marketing
    assert not letter("hello").is_marketing
    delivery = letter("hello", List_Unsubscribe="<mailto:a@example.org>", X_Kpay_Kind="delivery")
    assert not delivery.is_marketing


def test_subject_and_campaign_are_read_as_people_wrote_them() -> None:
    received = letter("hello", X_Kpay_Campaign="%E6%98%A5%E5%A4%A9")
    assert received.subject == "新课程 is here"
    assert received.campaign == "春天"
    assert received.message_id == "<1@example.org>"


@pytest.mark.parametrize(
    "body",
    [
        "see https://site.example/c/deep-work.html, now",
        "see https://site.example/c/deep-work/?ref=mail",
        "ünïcode makes it quoted-printable: https://site.example/c/deep-work",
        "很多中文字符会使它成为编码的正文 " * 20 + " https://site.example/c/deep-work",
        "buy at https://buy.stripe.com/test_123",
    ],
)
def test_a_letter_is_about_the_pieces_it_links_to(body: str) -> None:
    links = {"https://buy.stripe.com/test_123": "deep-work"}
    assert letter(body).slugs(KNOWN, links) == ("deep-work",)


def test_chinese_slugs_are_found_behind_their_percent_signs() -> None:
    path = "%E6%B7%B1%E5%BA%A6%E5%B7%A5%E4%BD%9C"
    assert letter(f"https://site.example/c/{path}.html").slugs(KNOWN, {}) == ("深度工作",)


def test_a_letter_without_links_to_pieces_is_about_nothing_special() -> None:
    assert letter("https://site.example/about").slugs(KNOWN, {}) == ()


def test_what_a_link_carries_to_the_checkout_is_kept_by_piece() -> None:
    shops = {"https://buy.stripe.com/test_123": "club"}
    body = (
        "https://site.example/c/deep-work.html?from=a-1 and "
        "https://buy.stripe.com/test_123?utm_source=x&client_reference_id=b_2 and "
        "https://site.example/c/other.html"
    )
    assert letter(body).slugs(KNOWN, shops) == ("deep-work", "club")
    assert letter(body).references(shops) == {"deep-work": "a-1", "club": "b_2"}
