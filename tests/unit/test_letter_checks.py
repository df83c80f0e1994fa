"""What a filled letter is told before anybody gets it."""

from __future__ import annotations

import time
from dataclasses import replace
from datetime import date

import pytest

from kpay.domain.campaign_file import Offer
from kpay.domain.letter_checks import (
    LetterFacts,
    passage_of,
    problems_of,
    warnings_of,
    without_tags,
)
from kpay.domain.letter_links import KnownAddresses
from kpay.domain.price_claims import Priced
from kpay.ports import FilledLetter

SITE = "https://bakery.example"
LEAVE = f"{SITE}/leave?t="
PLACE = "Hauptstraße 1 & 2, 10115 Berlin"
SECRET = passage_of("Knead for nine minutes, " * 10)
FACTS = LetterFacts(
    pieces={
        "rye": Priced("Rye at Home", "fixed", 2900, "usd", addresses=(f"{SITE}/c/rye.html",)),
        "club": Priced("Bread Club", "fixed", 900, "usd", "month", (f"{SITE}/c/club.html",)),
        "talk": Priced("A Talk", "from", 500, "eur", addresses=(f"{SITE}/c/talk.html",)),
    },
    about=("rye",),
    addresses=KnownAddresses(
        SITE, frozenset({"rye", "club", "talk"}), {"https://pay.example/old": "Rye at Home"},
        {"rye.pdf": "rye"},
    ),
    passages={SECRET: "rye"},
    unsubscribe=LEAVE,
    postal_address=PLACE,
    prose=without_tags("Hello {{ name }}, None of it burned. {{ content.title }} ({{ content.price }})"),
)  # fmt: skip
OFFER = Offer("SPRING", "20 % off until Sunday", date(2026, 12, 31))


def filled(text: str = "", *, subject: str = "New bread", html: str = "") -> FilledLetter:
    footer = f"{PLACE}\nUnsubscribe: {LEAVE}abc"
    page = f'<p>{html}</p><a href="{LEAVE}abc">leave</a> {PLACE.replace("&", "&amp;")}'
    return FilledLetter(subject, page, f"{text}\n\n--\n{footer}")


def found(letter: FilledLetter, owned: frozenset[str] = frozenset()) -> str:
    return " | ".join(problems_of(letter, owned, FACTS))


def test_a_good_letter_has_no_problem() -> None:
    letter = filled(
        f"Hello Ana,\n\nNone of it burned. Rye at Home: {SITE}/c/rye.html ($29.00)\n\nSee you, Ana",
        html=f'<a href="{SITE}/c/rye.html?from=kpabc">Rye</a> <a href="mailto:a@b.example">write</a>'
        f'<a href="{SITE}/">home</a><a href="{SITE}/c/rye">r</a><a href="{SITE}/c/x.png">i</a><img src="https://b.example/x.jpg" alt="A loaf">',
    )
    assert found(letter) == ""


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("Hello ,\n\nthere is bread.", "a value is blank in 'Hello ,'"),
        ("Dear  ,", "blank"),
        ("It is here , at last.", "blank"),
        ("A book ( ) for you", "blank"),
        ("Hello null,", "'null' stands where a value belongs"),
        ("Hello {{ name }},", "'{{' stands where a value belongs"),
    ],
)
def test_a_missing_value_is_seen(text: str, words: str) -> None:
    assert words in found(filled(text))


@pytest.mark.parametrize("text", ["Bonjour !", "Hello, you", "None of it burned.", "f() is a call"])
def test_what_only_looks_blank_is_left_alone(text: str) -> None:
    assert found(filled(text)) == ""


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (
            "Rye at Home is yours for $19.",
            "says $19 beside 'Rye at Home', which costs $29.00 today",
        ),
        (f"Buy it: {SITE}/c/rye.html ($2,900.00)", "says $2,900.00"),
        ("There it is. It costs $25.", "says $25"),
        ("It's now $25.", "says $25"),
        ("This book costs $25 today.", "says $25"),
        ("Only $25!", "says $25"),
        ("The price is 25 USD.", "says 25 USD"),
        ("Rye at Home, 19,00 € only", "says 19,00 €"),
        ("Bread Club for $10 a month", "which costs $9.00 a month today"),
        ("A Talk for €4.50", "which costs at least €5.00 today"),
        ("Rye at\nHome: 19 USD", "says 19 USD"),
    ],
)
def test_a_wrong_price_is_seen(text: str, words: str) -> None:
    assert words in found(filled(text))


@pytest.mark.parametrize(
    "text",
    [
        "Rye at Home is $29.",
        "Rye at Home, $29.00 instead of $39.",
        "I spent $200 on flour for Rye at Home.",
        "You save $5 when you buy Rye at Home today.",
        "The oven costs $2,000.",
        "I needed only $3 of flour.",
        "We sold 12 USB sticks, and it is 10 May.",
        "Bread Club is $108 a year, $9 a month.",
        "A Talk: pay €5 or €50.",
        "Rye at Home has 12 PDF pages and took 10 min.",
        "Rye at Home ($29.00), because you own Bread Club",
    ],
)
def test_a_right_price_and_other_money_are_left_alone(text: str) -> None:
    assert found(filled(text)) == ""


def test_an_offer_changes_what_may_be_asked() -> None:
    offering = replace(FACTS, offer=OFFER)
    for text, is_right in [("$23.20", True), ("$29.00", True), ("$22.00", False)]:
        problems = problems_of(filled(f"Rye at Home for {text} with SPRING"), frozenset(), offering)
        assert (not problems) == is_right
    vague = replace(FACTS, offer=Offer("SPRING"))
    assert not problems_of(filled("Rye at Home for $15"), frozenset(), vague)
    assert problems_of(filled("Rye at Home for $35"), frozenset(), vague)


@pytest.mark.parametrize(
    ("address", "words"),
    [
        ("", "leads nowhere"),
        ("#", "leads nowhere"),
        ("c/rye.html", "write the whole address"),
        ("javascript:alert(1)", "leads nowhere in a mail"),
        ("https://", "is not an address"),
        ("https://nowhere", "is not an address"),
        ("https://https://x.example", "is not an address"),
        ("https://x.example:port/", "is not an address"),
        ("mailto:ana", "is not an address"),
        (f"{SITE}/c/ry.html?from=kp", "is no page of a published piece (did you mean 'rye'?)"),
        (f"{SITE}/c/ry", "is no page"),
        ("https://pay.example/old?client_reference_id=kp1", "no longer sells Rye at Home"),
    ],
)
def test_a_dead_link_is_seen(address: str, words: str) -> None:
    assert words in found(filled(html=f'<a href="{address}">x</a>'))


def test_an_image_must_be_on_the_web() -> None:
    assert "cannot be seen" in found(filled(html='<img src="files/x.jpg" alt="x">'))


def test_what_only_owners_may_have_goes_to_owners_only() -> None:
    for letter in (
        filled("See:\n\n" + SECRET.replace(" for ", "\nfor ")),
        filled(html=f'<a href="{SITE}/files/rye.pdf">the book</a>'),
    ):
        assert "only owners of 'rye' may read" in found(letter)
        assert found(letter, frozenset({"rye"})) == ""


@pytest.mark.parametrize(
    ("letter", "words"),
    [
        (FilledLetter("s", PLACE, f"{PLACE} {LEAVE}"), "no link for leaving"),
        (FilledLetter("s", f'{PLACE}<a href="{LEAVE}1">', PLACE), "plain text"),
        (FilledLetter("s", f'<a href="{LEAVE}1">', f"{PLACE} {LEAVE}"), "postal address"),
    ],
)
def test_what_every_mail_must_have_is_missed(letter: FilledLetter, words: str) -> None:
    assert words in found(letter)


@pytest.mark.parametrize(
    ("subject", "words"),
    [
        (" ", "empty"),
        ("x" * 151, "151 characters"),
        ("BREAD IS READY NOW", "all capitals"),
        ("Re: your bread", "pretends"),
        ("FWD: bread", "pretends"),
        ("Bread!!! Now", "exclamation"),
        ("Bread for , now", "in the subject a value is blank"),
    ],
)
def test_a_bad_subject_is_seen(subject: str, words: str) -> None:
    assert words in found(filled(subject=subject))


@pytest.mark.parametrize("subject", ["Ana, DIY bread!", "Regarding rye", "HTML", "面包好了！"])
def test_a_usual_subject_is_left_alone(subject: str) -> None:
    assert found(filled(subject=subject)) == ""


def test_warnings_are_about_images_length_and_phones() -> None:
    assert warnings_of(filled("word " * 50)) == ()
    images = filled(
        html='<img src="https://x.example/a.png" alt=""><img src="https://x.example/b.png">'
    )
    assert ["2 of 2 images" in warnings_of(images)[0], len(warnings_of(images))] == [True, 2]
    assert "Gmail cuts" in warnings_of(filled("word " * 50, html="x" * 110_000))[0]
    assert "phones" in warnings_of(filled("word " * 50, subject="x" * 70))[0]


def test_checking_a_message_takes_no_time() -> None:
    page = "".join(
        f'<p style="margin: 0">word {i} <a href="{SITE}/c/rye.html">x</a></p>' for i in range(99)
    )
    text = "\n\n".join(f"A paragraph of the letter, the {i}th." for i in range(30))
    letters = [filled(f"Hello Ana {i},\n\n{text}", html=page) for i in range(500)]
    started_s = time.process_time()
    assert not any(problems_of(letter, frozenset(), FACTS) for letter in letters)
    assert (time.process_time() - started_s) / len(letters) < 0.001
