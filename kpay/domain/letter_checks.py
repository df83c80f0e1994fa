"""What can be wrong with a letter that was filled for one person, found before it is sent.

A plan asks this of every message, so whatever is the same in all of them is judged once: each
paragraph and each address keeps its verdict. What is left costs a few microseconds a message.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from html import escape, unescape
from typing import Final, NamedTuple, Protocol

from kpay.domain.campaign_file import Offer
from kpay.domain.letter_links import KnownAddresses, address_problem, image_problem
from kpay.domain.letter_tags import TAG
from kpay.domain.price_claims import Priced, price_problems

LONGEST_SUBJECT: Final = 150
LONGEST_ON_A_PHONE: Final = 60
MOST_EXCLAMATIONS: Final = 2
SHOUTED_LETTERS: Final = 10
GMAIL_CLIPS_BYTES: Final = 102 * 1024
FEWEST_WORDS_BY_IMAGES: Final = 40
KEPT_VERDICTS: Final = 4096
SHORTEST_PASSAGE: Final = 40
HOLE: Final = "￼"  # stands where a tag stood, so that "({{ price }})" is no empty bracket

FAKE_REPLY: Final = re.compile(r"\s*(?:re|fwd?|aw|wg|antw|sv|tr)\s*(?:\[\d+\])?:", re.IGNORECASE)
BLANK: Final = re.compile(
    r"""(?imx)
      ^[ ]*(?:hello|hi|hey|dear|hallo|liebe|lieber|hola|ciao|hej|olá|good\ (?:day|morning|evening))
        [ ]+[,.:;!](?=\s|$)
    | (?:^|(?<=\w))[ ]+,(?=\s|$)
    | ,[ ]+,
    | (?<=\s)\([ ]*\)
    """
)
MAYBE_BLANK: Final = re.compile(r" [,.:;!()]")
BARE: Final = re.compile(r"\b(?:None|nan|NaN|null|undefined)\b|\{\{|\{%|%\}|\}\}")


class Filled(Protocol):
    """A letter as one person would get it."""

    @property
    def subject(self) -> str:
        """The subject."""
        ...

    @property
    def html(self) -> str:
        """The page."""
        ...

    @property
    def text(self) -> str:
        """The plain text."""
        ...


class Verdict(NamedTuple):
    """What is wrong with a passage or an address for everyone, and whose it is: owners' only."""

    problems: tuple[str, ...] = ()
    owners_of: str | None = None


FINE: Final = Verdict()


@dataclass(frozen=True, eq=False)
class LetterFacts:
    """What letters of one plan are held against; made once a plan.

    `pieces` are the published ones by slug, `about` the slugs that the letter is about. `passages`
    are the paragraphs that only owners may read (`passage_of` makes the keys), with their slug.
    `unsubscribe` is how every address for leaving begins. `prose` is what the creator wrote, without
    tags (`without_tags`): what stands there is meant.
    """

    pieces: Mapping[str, Priced]
    about: tuple[str, ...]
    addresses: KnownAddresses
    passages: Mapping[str, str]
    unsubscribe: str
    postal_address: str
    prose: str
    offer: Offer | None = None
    _passage_verdicts: dict[str, Verdict] = field(default_factory=dict, init=False, repr=False)
    _address_verdicts: dict[str, Verdict] = field(default_factory=dict, init=False, repr=False)

    def on_passage(self, passage: str) -> Verdict:
        """Judge a paragraph of the plain text."""
        return _kept(self._passage_verdicts, passage, self._judge_passage)

    def on_address(self, address: str) -> Verdict:
        """Judge an address without its query."""
        return _kept(self._address_verdicts, address, self._judge_address)

    def _judge_passage(self, passage: str) -> Verdict:
        problems = (
            *blank_problems(passage, self.prose),
            *price_problems(passage, self.pieces, self.about, self.offer),
        )
        return Verdict(problems, self.passages.get(passage_of(passage)))

    def _judge_address(self, address: str) -> Verdict:
        problem = address_problem(address, self.addresses)
        return Verdict((problem,) if problem else (), self.addresses.owners_of(address))


def problems_of(filled: Filled, owned: frozenset[str], facts: LetterFacts) -> tuple[str, ...]:
    """Return what must be put right before this letter may go to someone who owns these slugs."""
    problems = [*subject_problems(filled.subject)]
    verdicts = [facts.on_passage(passage) for passage in filled.text.split("\n\n")]
    can_leave = False
    for address in _attribute(filled.html, 'href="'):
        if address.startswith(facts.unsubscribe):
            can_leave = True
        else:
            verdicts.append(facts.on_address(address.partition("?")[0]))
    for source in _attribute(filled.html, 'src="'):
        problem = image_problem(source)
        problems += [problem] if problem else []
    for verdict in verdicts:
        problems += verdict.problems
        if verdict.owners_of and verdict.owners_of not in owned:
            problems.append(
                f"shows what only owners of {verdict.owners_of!r} may read, and this reader is none"
            )
    problems += _missing(filled, facts, can_leave=can_leave)
    return tuple(dict.fromkeys(problems))


def warnings_of(filled: Filled) -> tuple[str, ...]:
    """Return what mail programs and readers dislike about a letter, judged by one sample."""
    images = filled.html.count("<img")
    silent = sum(
        'alt=""' in tag or "alt=" not in tag
        for tag in (part.partition(">")[0] for part in filled.html.split("<img")[1:])
    )
    size = len(filled.html.encode())
    found = {
        f"{silent} of {images} images have no words beside them: many readers see no images": silent,
        "there is hardly a word beside the images, and such letters end up with the spam": images
        and len(filled.text.split()) < FEWEST_WORDS_BY_IMAGES,
        f"the letter is {size / 1024:,.0f} KB long and Gmail cuts it at 102, unsubscribe link "
        "and all: put the rest on a page": size > GMAIL_CLIPS_BYTES,
        f"the subject has {len(filled.subject)} characters; phones show about "
        f"{LONGEST_ON_A_PHONE}": len(filled.subject) > LONGEST_ON_A_PHONE,
    }
    return tuple(text for text, holds in found.items() if holds)


def subject_problems(subject: str) -> tuple[str, ...]:
    """Return what is wrong with a filled subject."""
    if not subject.strip():
        return ("the subject is empty",)
    letters = [sign for sign in subject if sign.isalpha()] if subject.isupper() else []
    found = {
        f"the subject has {len(subject)} characters; {LONGEST_SUBJECT} are enough for any": (
            len(subject) > LONGEST_SUBJECT
        ),
        "the subject is all capitals, which spam filters know": len(letters) >= SHOUTED_LETTERS,
        "the subject pretends to be an answer (Re:, Fwd:), which is against the law in many places": (
            FAKE_REPLY.match(subject)
        ),
        "the subject has too many exclamation marks": subject.count("!") + subject.count("！")
        > MOST_EXCLAMATIONS,
    }
    problems = [text for text, holds in found.items() if holds]
    return (*problems, *(f"in the subject {text}" for text in blank_problems(subject, "")))


def blank_problems(text: str, prose: str) -> Iterator[str]:
    """Find where a value was missing: "Hello ,", a bare None, a tag that was never filled."""
    for found in BLANK.finditer(text) if MAYBE_BLANK.search(text) else ():
        if found[0] not in prose:
            yield f"a value is blank in {_around(text, found)!r}"
    for found in BARE.finditer(text):
        if found[0] not in prose:
            yield f"{found[0]!r} stands where a value belongs, in {_around(text, found)!r}"


def without_tags(text: str) -> str:
    """Return what a creator wrote, with a hole where each tag stands."""
    return TAG.sub(HOLE, text)


def passage_of(text: str) -> str:
    """Return a paragraph as it is compared: its words, one blank between them."""
    words = " ".join(text.split())
    return words if len(words) >= SHORTEST_PASSAGE else ""


def _kept(known: dict[str, Verdict], key: str, judge: Callable[[str], Verdict]) -> Verdict:
    verdict = known.get(key)
    if verdict is None:
        if len(known) >= KEPT_VERDICTS:
            known.clear()  # personal passages filled it; the common ones come back at once
        verdict = known[key] = judge(key)
    return verdict


def _attribute(page: str, start: str) -> Iterator[str]:
    for part in page.split(start)[1:]:
        value = part.partition('"')[0]
        yield unescape(value) if "&" in value else value


def _missing(filled: Filled, facts: LetterFacts, *, can_leave: bool) -> Iterator[str]:
    if not can_leave:
        yield "has no link for leaving the list"
    if facts.unsubscribe not in filled.text:
        yield "has no address for leaving the list in its plain text"
    place = facts.postal_address.strip()
    shown = escape(place, quote=False)
    if place and not (shown in filled.html and place in filled.text):
        words = " ".join(place.split())
        if not all(
            words in " ".join(part.split()) for part in (unescape(filled.html), filled.text)
        ):
            yield "does not name the postal address"


def _around(text: str, found: re.Match[str]) -> str:
    start, end = max(0, found.start() - 20), found.end() + 20
    return " ".join(text[start:end].split())
