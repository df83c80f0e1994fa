"""What sets a group of customers apart, and the name that says it in people's words."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

KIND: Final = "kind "
STRIKING: Final = 0.4
"""Standard deviations from everybody's mean, below which a difference names nobody."""
MOST_SAID: Final = 3
PLURALS: Final[Mapping[str, str]] = {
    "ebook": "e-books",
    "audio": "audio",
    "video": "videos",
    "membership": "memberships",
}


@dataclass(frozen=True, slots=True)
class Trait:
    """One way in which people buy: the words for much and for little of it, and its figure's name.

    `slot` is where the words stand: before "buyers", as what they buy, or after it. Without a word for
    little of it, little of it names nobody.
    """

    slot: str
    much: str
    little: str
    figure: str
    is_share: bool = True


TRAITS: Final[Mapping[str, Trait]] = {
    "once": Trait("how", "one-time", "returning", "bought once only"),
    "times": Trait("how", "frequent", "", "purchases each", is_share=False),
    "value": Trait(
        "size", "big-spending", "small-spending", "of the usual amount a purchase", is_share=False
    ),
    "basket": Trait("size", "several-at-once", "", "pieces a purchase", is_share=False),
    "weekend": Trait("when", "weekend", "weekday", "of purchases on Saturday or Sunday"),
    "launch": Trait("when", "launch-week", "", "of purchases in a piece's first week"),
    "steady": Trait("when", "steady", "", "regular (a clock: 100%)"),
    "member": Trait("who", "with a membership", "", "had a membership"),
    "clicks": Trait("who", "who click mails", "who ignore mails", "of mails clicked"),
}


@dataclass(frozen=True, slots=True)
class Difference:
    """How far a group's mean of a trait lies from everybody's, in standard deviations of people."""

    trait: str
    by: float
    mean: float
    overall: float

    @property
    def words(self) -> str:
        """What of a name it makes; "" when it names nobody."""
        trait = trait_of(self.trait)
        return trait.much if self.by > 0 else trait.little

    @property
    def said(self) -> str:
        """Say the figure beside everybody's."""
        trait = trait_of(self.trait)
        if trait.is_share:
            return f"{self.mean:.0%} {trait.figure} (all: {self.overall:.0%})"
        return f"{self.mean:.1f} {trait.figure} (all: {self.overall:.1f})"


def trait_of(name: str) -> Trait:
    """Return a trait; that of a kind of content is made from its name."""
    if not name.startswith(KIND):
        return TRAITS[name]
    kind = name.removeprefix(KIND)
    plural = PLURALS.get(kind, f"{kind}s")
    return Trait("what", f"of {plural}", "", f"of what they bought is {plural}")


def striking(differences: Sequence[Difference]) -> list[Difference]:
    """Return the differences that name a group, the largest first."""
    known = [one for one in differences if abs(one.by) >= STRIKING and one.words]
    return sorted(known, key=lambda one: (-abs(one.by), one.trait))


def name_of(differences: Sequence[Difference], taken: Collection[str] = ()) -> str:
    """Name a group after its two most striking traits; more, where the name is taken."""
    found = striking(differences)
    for count in range(min(2, len(found)), len(found) + 1):
        name = _phrase(found[:count])
        if name not in taken:
            return name
    name = _phrase(found)
    number = next(number for number in range(2, len(taken) + 3) if f"{name} {number}" not in taken)
    return f"{name} {number}"


def _phrase(parts: Sequence[Difference]) -> str:
    words: dict[str, str] = {}
    for part in parts:
        words.setdefault(trait_of(part.trait).slot, part.words)
    order = ("how", "size", "when", "buyers", "what", "who")
    words["buyers"] = "buyers" if words else "all other buyers"
    return " ".join(words[slot] for slot in order if slot in words)
