"""The first draft of a campaign, written from facts: paragraphs to edit, never blanks to fill.

Nothing is invented, and prices and titles stay tags, so that a letter says what is true when it is sent.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from kpay.domain.enums import CampaignGoal, ContentKind

G = CampaignGoal
LONGEST_QUOTE: Final = 420
SHORTEST_QUOTE: Final = 60
SUBJECT_ROOM: Final = 60
KINDS: Final = {
    ContentKind.ARTICLE: "an article",
    ContentKind.EBOOK: "an ebook",
    ContentKind.COURSE: "a course",
    ContentKind.AUDIO: "an audio piece",
    ContentKind.VIDEO: "a video",
    ContentKind.BUNDLE: "a bundle",
    ContentKind.MEMBERSHIP: "a membership",
}
SENTENCE: Final = re.compile(r"(?<=[.!?。！？])\s+")
TAG_START: Final = re.compile(r"\{(?=[{%#])")
FARE: Final = "{% if content.url %}\n[{words}]({{ content.url }})\n{% else %}\nAnswer this mail if you would like to have it.\n{% endif %}"
CHOICE: Final = """\
{% for piece in recommendations %}
- {% if piece.url %}[{{ piece.title }}]({{ piece.url }}){% else %}{{ piece.title }}{% endif %}, {{ piece.price }}: {{ piece.because }}
{% endfor %}"""


@dataclass(frozen=True, slots=True)
class DraftPiece:
    """A published piece as a draft may speak of it; `opening` is what anyone may read of its text."""

    slug: str
    title: str
    kind: str
    summary: str = ""
    opening: str = ""
    is_free: bool = False
    tags: tuple[str, ...] = ()
    includes: tuple[str, ...] = ()
    trial_days: int = 0


@dataclass(frozen=True, slots=True)
class DraftFacts:
    """What a draft is made of. `piece` is what it is about, `newer` what else came out lately.

    `knows_next` says that something can be recommended; `quiet_days` is after how long a buyer counts
    as quiet.
    """

    goal: CampaignGoal
    sign_off: str
    piece: DraftPiece | None = None
    newer: Sequence[DraftPiece] = ()
    knows_next: bool = False


def letter(facts: DraftFacts) -> str:
    """Return the body of a draft, in Markdown with tags."""
    paragraphs = {
        G.LAUNCH: _launch,
        G.WINBACK: _winback,
        G.UPSELL: _upsell,
        G.RENEWAL: _renewal,
    }[facts.goal](facts)
    whole = ["Hello {{ name }},", *paragraphs, *_farewell(facts)]
    return "\n\n".join(part for part in whole if part) + "\n"


def subjects(facts: DraftFacts) -> tuple[str, ...]:
    """Return two or three subjects to try against each other."""
    piece = facts.piece
    title = "{{ content.title }}"
    if facts.goal is G.LAUNCH and piece is not None:
        about = f"Something new about {piece.tags[0]}" if piece.tags else ""
        found = (f"New: {title}", about or f"It is ready: {title}", _as_subject(piece.summary))
    elif facts.goal is G.WINBACK:
        found = ("It has been a while", "What is new since you were here", f"New here: {title}")
    elif facts.goal is G.RENEWAL:
        found = ("Would you like to come back?", f"{title}: the door is open", "What you missed")
    else:
        found = (
            "What could come next for you",
            "Chosen for you, with the reason",
            f"Next: {title}",
        )
    fitting = (text for text in found if text and (piece or title not in text))
    return tuple(dict.fromkeys(harmless(text, but=title) for text in fitting))[:3]


def harmless(text: str, but: str = "") -> str:
    """Return a text in which nothing is a tag, apart from one that is wanted."""
    first, found, rest = text.partition(but) if but else (text, "", "")
    return TAG_START.sub("{ ", first) + found + TAG_START.sub("{ ", rest)


def _launch(facts: DraftFacts) -> list[str]:
    piece = facts.piece
    if piece is None:
        return ["There is something new here, and you are among the first to hear of it."]
    return [
        '{% if band == "high" %}\n'
        "{{ content.title }} is ready. You are among the first to hear of it.\n"
        "{% elif owned %}\n"
        "You have {{ owned[0].title }}, so you know how I work. Now there is something new: "
        "{{ content.title }}.\n"
        "{% else %}\n"
        "I have finished something new: {{ content.title }}.\n"
        "{% endif %}",
        _summary(piece),
        _button(f"{'Read' if piece.is_free else 'See'} {{{{ content.title }}}}"),
        _terms(facts.goal, piece),
        _for_the_undecided(piece),
    ]


def _winback(facts: DraftFacts) -> list[str]:
    return [
        "It has been a while. {% if owned %}I hope {{ owned[0].title }} is still of use to you.{% endif %}",
        _news(facts),
        _reasons(facts, "If I had to choose something for you, it would be this:"),
        _about(facts, "The newest piece is **{{ content.title }}**."),
        '{% if band == "low" %}\n'
        "If my letters are no longer for you, the link at the end takes you off the list at once.\n"
        "{% endif %}",
    ]


def _upsell(facts: DraftFacts) -> list[str]:
    return [
        "{% if owned %}\n"
        "Thank you for having {{ owned[0].title }}. It made me think of what could help you next.\n"
        "{% else %}\n"
        "I looked through everything I have made, for what could help you next.\n"
        "{% endif %}",
        _about(facts, "It is **{{ content.title }}**."),
        _reasons(facts, "Chosen for you, each with its reason:"),
        '{% if band == "high" %}\n'
        "Write back if you cannot decide, and tell me what you are working on.\n"
        '{% elif band == "low" %}\n'
        "There is no hurry: it will still be there when you need it.\n"
        "{% endif %}",
    ]


def _renewal(facts: DraftFacts) -> list[str]:
    thanks = (
        '{% if owned and content.slug in owned|map(attribute="slug")|list %}\n'
        "Your time with {{ content.title }} comes to its end. Thank you for being part of it.\n"
        "{% else %}\n"
        "Thank you for having been part of {{ content.title }}.\n"
        "{% endif %}"
    )
    return [
        thanks if facts.piece else "Thank you for having been part of this.",
        _news(facts),
        _about(facts, "If you stay, or come back, this is what waits for you."),
        '{% if band in ("high", "middle") %}\n'
        "If something was missing for you, answer this mail and tell me what.\n"
        "{% else %}\n"
        "And if it was enough, that is fine too.\n"
        "{% endif %}",
    ]


def _about(facts: DraftFacts, opening: str) -> str:
    """Speak of the piece, where there is one."""
    piece = facts.piece
    if piece is None:
        return ""
    parts = (
        opening,
        _summary(piece),
        _button("See {{ content.title }}"),
        _terms(facts.goal, piece),
    )
    return "\n\n".join(part for part in parts if part)


def _summary(piece: DraftPiece) -> str:
    return "{{ content.summary }}" if piece.summary.strip() else ""


def _terms(goal: CampaignGoal, piece: DraftPiece) -> str:
    """Say in one line what it is, what it is about, what is in it, and what it costs."""
    kind = KINDS.get(ContentKind(piece.kind), "a piece")
    about = f" about {_listed(piece.tags)}" if piece.tags else ""
    cost = "costs nothing" if piece.is_free else "costs {{ content.price }}"
    lines = [f"It is {kind}{about}, and {cost}."]
    if piece.trial_days and goal is not G.RENEWAL:
        lines.append(f"The first {piece.trial_days} days are free.")
    if piece.includes:
        lines.append(f"In it: {_listed(piece.includes)}.")
    return " ".join(harmless(line, but="{{ content.price }}") for line in lines)


def _for_the_undecided(piece: DraftPiece) -> str:
    """Show how the piece begins to those who are not likely to buy it unseen."""
    shown = f"This is how it begins:\n\n> {quote}" if (quote := _quotable(piece.opening)) else ""
    return f'{{% if band != "high" %}}\n{shown}\n{{% endif %}}' if shown else ""


def _news(facts: DraftFacts) -> str:
    titles = harmless(_listed([piece.title for piece in facts.newer]))
    return f"New here, of late: {titles}." if titles else ""


def _reasons(facts: DraftFacts, opening: str) -> str:
    choice = f"{{% if recommendations %}}\n{opening}\n\n{CHOICE}\n{{% endif %}}"
    return choice if facts.knows_next else ""


def _button(words: str) -> str:
    return FARE.replace("{words}", words)


def _farewell(facts: DraftFacts) -> list[str]:
    return ["Answer this mail whenever you like. I read it.", harmless(facts.sign_off)]


def _as_subject(summary: str) -> str:
    first = SENTENCE.split(summary.strip())[0].rstrip(".。").strip()
    return first if 12 <= len(first) <= SUBJECT_ROOM else ""


def _quotable(text: str) -> str:
    """Return the first plain paragraph of a text, whole sentences of it, on one line."""
    blocks = (" ".join(block.split()) for block in text.split("\n\n"))
    plain = next((b for b in blocks if len(b) >= SHORTEST_QUOTE and b[0] not in "#>|-*`!~"), "")
    kept = ""
    for sentence in SENTENCE.split(plain):
        if len(kept) + len(sentence) > LONGEST_QUOTE:
            break
        kept = f"{kept} {sentence}".strip()
    return harmless(kept)


def _listed(names: Sequence[str]) -> str:
    if len(names) < 2:
        return "".join(names)
    return f"{', '.join(names[:-1])} and {names[-1]}"
