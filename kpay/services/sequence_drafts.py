"""The first draft of a sequence for each purpose: whole, and ready to run as it is."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from kpay.domain.sequence_triggers import SequenceGoal
from kpay.services.sequence_files import SETTINGS

SALUTATION: Final = "Hello {{ name }},\n\n"
AROUND: Final = """\
---
{settings}# audience: all         # who may enter, like: customers and not owns('my-course')
# exit: purchase        # whoever buys leaves; or: purchase of my-course
# window: "08:00-20:00" # when letters may arrive, in the reader's zone
# holdout: 0.1          # a share that is never mailed, to see what the sequence brings
---
{note}

The files beside this one are its letters, in the order of their numbers. `after` counts from the
letter before, in the first one from what begins the sequence.
"""
SERVICE: Final = "kind: service         # news of their own contract: to payers on no list too\n"
PIECE: Final = "{% if content is defined %}[{{ content.title }}]({{ content.url }}){% endif %}"

Draft = tuple[str, str, Mapping[str, tuple[str, str, str]]]
"""The settings, the note, and each letter by its file's name: after, subject, body."""

WELCOME: Draft = (
    "trigger: new subscriber\n",
    "For those who have just joined the list.",
    {
        "1-hello": (
            "0",
            "Welcome, {{ name }}",
            "thank you for joining. Write here who you are, what you send and how often.\n\n"
            "The one thing to read first: ...\n",
        ),
        "2-best": (
            "3d",
            "What others read first",
            "three pieces that readers come back to:\n\n- ...\n- ...\n- ...\n",
        ),
        "3-offer": (
            "4d",
            "If you want to go further",
            "{% if recommendations is defined %}\nthese may be for you:\n\n"
            "{% for piece in recommendations %}\n- [{{ piece.title }}]({{ piece.url }}): "
            "{{ piece.because }}\n{% endfor %}\n{% else %}\neverything I have made stands here: "
            "{{ links.site }}\n{% endif %}\n",
        ),
    },
)
PURCHASE: Draft = (
    "trigger: purchase      # of anything; or: purchase of my-course\n",
    "For those who have bought something: help them to begin, then ask how it is.",
    {
        "1-begin": (
            "1d",
            "Have you begun?",
            "yesterday you bought {{ event.title }}. The best way to begin is ...\n",
        ),
        "2-how-is-it": (
            "6d",
            "How is {{ event.title }}?",
            "you have had {{ event.title }} for a week. What is good about it, and what is missing? "
            "Answer this mail: I read every answer.\n",
        ),
    },
)
ABANDONED: Draft = (
    "trigger: abandoned checkout\n",
    "For those who left their address at the till and did not pay. Whoever pays leaves by itself.",
    {
        "1-still-there": (
            "0",
            "Did something go wrong?",
            "you were about to get {{ event.title }}, and it did not go through. If something went "
            "wrong, answer this mail.\n\n{% if event.url %}\n[Go on where you left off]"
            "({{ event.url }})\n{% else %}\n" + PIECE + "\n{% endif %}\n",
        ),
        "2-last-word": (
            "2d",
            "One more word about {{ event.title }}",
            "I will not write about it again. In case you were not sure: this is what is in it, and "
            "for whom it is not: ...\n\n" + PIECE + "\n",
        ),
    },
)
FAILED_CARD: Draft = (
    "trigger: failed card\n" + SERVICE,
    "For members whose payment did not go through. Whoever pays leaves by itself.",
    {
        "1-it-failed": (
            "0",
            "Your payment did not go through",
            "{{ event.amount }} for {{ event.title }} could not be taken from {{ event.card }}. That "
            "is usually an expired card or a limit.\n\n{% if event.url %}\n"
            "[Pay with another card]({{ event.url }})\n{% else %}\nAnswer this mail, and I will send "
            "you a link to pay.\n{% endif %}\n",
        ),
        "2-reminder": (
            "3d",
            "{{ event.title }} is about to end",
            "the payment of {{ event.amount }} is still open, and without it {{ event.title }} ends."
            "\n\n{% if event.url %}\n[Pay now]({{ event.url }})\n{% endif %}\n",
        ),
    },
)
EXPIRING_CARD: Draft = (
    "trigger: expiring card\n" + SERVICE,
    "For members whose card expires this month or the next. Banks often renew cards by themselves.",
    {
        "1-card": (
            "0",
            "Your card expires soon",
            "{{ event.title }} is paid with {{ event.card }}, which expires {{ event.expires }}. If "
            "you have a new card, answer this mail and I will send you a link to change it. If you "
            "have changed it already, there is nothing to do.\n",
        ),
    },
)
ENDING: Draft = (
    "trigger: ending subscription within 7 days\n",
    "For members who have cancelled, in their last days. Whoever stays leaves by itself.",
    {
        "1-goodbye": (
            "0",
            "{{ event.title }} ends on {{ event.day }}",
            "thank you for having been here. Until {{ event.day }} everything stays open to you. What "
            "would have made you stay? One line is enough.\n",
        ),
    },
)
QUIET: Draft = (
    "trigger: quiet for 90 days\n",
    "For customers who have bought nothing for long, once for each such time.",
    {
        "1-news": (
            "0",
            "What is new since {{ event.day }}",
            "it has been a while. This is what I have made since:\n\n- ...\n\n"
            "{% if recommendations is defined %}\nFor you, I would begin with "
            "[{{ recommendations[0].title }}]({{ recommendations[0].url }}): "
            "{{ recommendations[0].because }}.\n{% endif %}\n",
        ),
    },
)
DRAFTS: Final[Mapping[SequenceGoal, Draft]] = {
    SequenceGoal.WELCOME: WELCOME,
    SequenceGoal.PURCHASE: PURCHASE,
    SequenceGoal.ABANDONED: ABANDONED,
    SequenceGoal.FAILED_CARD: FAILED_CARD,
    SequenceGoal.EXPIRING_CARD: EXPIRING_CARD,
    SequenceGoal.ENDING: ENDING,
    SequenceGoal.QUIET: QUIET,
}


def draft(goal: SequenceGoal) -> dict[str, str]:
    """Return the files of a new sequence by their names."""
    settings, note, letters = DRAFTS[goal]
    files = {SETTINGS: AROUND.format(settings=settings, note=note)}
    for name, (after, subject, body) in letters.items():
        head = f'---\nsubject: "{subject}"\nafter: {after}\n---\n'
        files[f"{name}.md"] = f"{head}{SALUTATION}{body}"
    return files
