"""Conditions that a report is run for: which of them hold, and what each figure is."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from difflib import get_close_matches

from kpay.domain.conditions import EXAMPLE, Condition, read_condition
from kpay.domain.document import Document, Metric
from kpay.domain.enums import ReportSection
from kpay.errors import ConditionHolds, UsageProblem

DocumentOf = Callable[[ReportSection], Document]
UNSEARCHED = frozenset({"all", "books"})


def conditions_of(texts: Sequence[str]) -> list[Condition]:
    """Read every --fail-if; UsageProblem for one that is none, or of a section that there is not."""
    try:
        found = [read_condition(text) for text in texts]
    except ValueError as error:
        raise UsageProblem(str(error), f"--fail-if '{EXAMPLE}'") from error
    for condition in found:
        if condition.section and condition.section not in set(ReportSection):
            raise UsageProblem(f"there is no report {condition.section!r}", "kpay report --help")
    return found


def raise_if_held(
    conditions: Sequence[Condition], section: ReportSection, document_of: DocumentOf
) -> None:
    """Raise ConditionHolds with a sentence for each condition that holds.

    A figure is looked for in its own section, else in the one that is shown, then in all others.
    Raises UsageProblem for a figure that no section has, or a unit that it does not have.
    """
    held: list[tuple[str, ReportSection]] = []
    for condition in conditions:
        where, metric = _found(condition, section, document_of)
        try:
            if condition.holds(metric):
                held.append((condition.sentence(metric), where))
        except ValueError as error:
            raise UsageProblem(str(error), f"--fail-if '{EXAMPLE}'") from error
    if held:
        sentences = [sentence for sentence, _ in held]
        raise ConditionHolds(
            "; ".join(sentences), f"kpay report {held[0][1]}", conditions=sentences
        )


def _found(
    condition: Condition, section: ReportSection, document_of: DocumentOf
) -> tuple[ReportSection, Metric]:
    names: list[str] = []
    for candidate in searched(condition.section, section):
        metrics = document_of(candidate).metrics
        if condition.metric in metrics:
            return candidate, metrics[condition.metric]
        names += metrics
    typed = condition.text.replace(condition.metric, "NAME", 1)
    raise unknown_metric(condition.metric, names, f"--fail-if '{typed}'")


def searched(named: str | None, section: ReportSection) -> list[ReportSection]:
    """Return the sections in which a figure may be, the most likely first."""
    if named:
        return [ReportSection(named)]
    others = [one for one in ReportSection if one is not section and one.value not in UNSEARCHED]
    return [section, *others]


def unknown_metric(name: str, known: Sequence[str], option: str) -> UsageProblem:
    """Refuse a figure that no report has; name one that is written alike, in the option's place.

    `option` is what was typed, with NAME where the figure stands.
    """
    close = get_close_matches(name, sorted(set(known)), n=1)
    if not close:
        return UsageProblem(f"no report has a figure called {name!r}", "kpay report mrr --json")
    return UsageProblem(
        f"no report has a figure called {name!r}; did you mean {close[0]}?",
        option.replace("NAME", close[0]),
    )
