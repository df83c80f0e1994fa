"""The front matter of a drafted campaign: what is set, what else could be, and what worked before."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from kpay.domain.enums import CampaignGoal

NOT_TO_OWNERS: Final = "whoever owns it already is not mailed"
NOTES: Final = 36
"""The column at which remarks begin."""
MORE: Final = (
    ("holdout: 0.1", "the share kept back to measure with; without it kpay chooses"),
    ('window: "08:00-20:00"', "when it may arrive, on the reader's own clock"),
    ("rate: 500", "messages an hour at most"),
    ("rest_days: 3", "leave out whom another campaign reached in these days"),
    ("value_rule: true", "leave out whom a mail would cost more than it brings"),
    (
        'offer: {code: SPRING, text: "20 % off", until: 2030-12-31}',
        "then {{ offer.code }} can be said",
    ),
)


@dataclass(frozen=True, slots=True)
class PastSubject:
    """A subject that was sent before: to how many, and how many of them clicked or bought by it."""

    subject: str
    campaign: str
    sent: int
    answered: int

    @property
    def share(self) -> float:
        """The share of readers that it moved."""
        return self.answered / self.sent if self.sent else 0.0


def front_matter(
    subjects: Sequence[str],
    audience: str,
    who: str,
    *,
    about: str | None,
    goal: str,
    past: Sequence[PastSubject] = (),
) -> str:
    """Return the front matter of a draft; `who` says the audience in words, for people."""
    lines = [
        *_subject_lines(subjects),
        *_past_lines(past),
        f"audience: {json.dumps(audience, ensure_ascii=False)}",
        f"# that is: {' '.join(who.split())}",
    ]
    if about:
        owners = "its members are mailed too" if goal == CampaignGoal.RENEWAL else NOT_TO_OWNERS
        lines.append(_noted(f"about: {about}", owners))
    lines += [
        f"goal: {goal}",
        _noted("nameless: there", "what a reader without a name is called"),
        "# More that can be set; take the # away:",
        *(_noted(f"# {line}", note) for line, note in MORE),
    ]
    return "\n".join(["---", *lines, "---", ""])


def _subject_lines(subjects: Sequence[str]) -> Iterator[str]:
    quoted = [json.dumps(subject, ensure_ascii=False) for subject in subjects]
    if len(quoted) == 1:
        yield f"subject: {quoted[0]}"
        return
    yield _noted("subjects:", "tried against each other; the better one goes to more readers")
    yield from (f"  - {subject}" for subject in quoted)


def _past_lines(past: Sequence[PastSubject]) -> Iterator[str]:
    if past:
        yield "# Subjects that worked, by the share of readers who clicked or bought:"
    for one in past:
        subject = " ".join(one.subject.split())
        yield f"#   {one.share:.1%} of {one.sent:,}  {subject}  ({one.campaign})"


def _noted(line: str, note: str) -> str:
    return f"{line:<{NOTES}} # {note}"
