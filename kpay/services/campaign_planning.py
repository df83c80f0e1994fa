"""Planning a campaign: choose whom to mail, draw whom to hold back, fill every letter, freeze it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from kpay.domain.campaign_plan import Plan, PlanProblem, gathered
from kpay.domain.holdout import smallest_effect
from kpay.domain.letter_checks import LetterFacts, problems_of, warnings_of
from kpay.domain.message import wire_address
from kpay.errors import InputInvalid
from kpay.services import campaign_files
from kpay.services.frozen_plan import FrozenPerson, FrozenPlan, hash_of, keep, kept_plan
from kpay.services.letter_facts import letter_facts
from kpay.services.letters import Press
from kpay.services.mail_desk import MailDesk
from kpay.services.plan_checks import check_names, problem_text
from kpay.services.plan_draft import PlanDraft, Shown
from kpay.store import campaigns

WARNED_BY = 5


def plan(desk: MailDesk, name: str, now: datetime, *, target: str | None = None) -> Plan:
    """Plan a campaign. One that was sent keeps its plan; one that would not change writes nothing.

    `target` is whom of its audience it mails, where that is not what its file says.
    """
    written = campaign_files.read(desk.reader, desk.home, name)
    with desk.store.reading() as connection:
        known = campaigns.find(connection, name)
        kept = kept_plan(connection, known) if known is not None else None
        if kept is not None and kept[0].is_sent:
            return kept[0]
        whom = target or written.settings.target
        draft = PlanDraft.made(desk, connection, written, known, now, target=whom)
    press = Press(draft.wording, desk.letterhead, desk.renderer, desk.signer)
    check_names(written, press.names, draft.wording.shared)
    people = draft.people(desk, press.names)
    shown = _shown(desk, draft, press, people)
    if kept is not None and kept[0].hash == shown.hash:
        return replace(shown, is_new=False)
    with desk.store.writing() as connection:
        keep(
            connection,
            shown,
            people,
            source=written.text,
            wording=draft.wording,
            letter_digest=press.digest,
            facts=draft.facts(press.names),
            holdout_share=draft.holdout_share,
            now=now,
        )
    return shown


def change_since(desk: MailDesk, name: str, frozen: FrozenPlan) -> str | None:
    """Return what changed since a plan was frozen, or None: a plan is a promise about the words.

    Who left the list or bought meanwhile is no change of the plan; the sending leaves them out.
    """
    written = campaign_files.read(desk.reader, desk.home, name)
    if written.text != frozen.source:
        return f"{written.file} changed"
    with desk.store.reading() as connection:
        shown = Shown.read(desk, connection, written)
    if shown.wording.to_json() != frozen.wording.to_json():
        return "what is published changed"
    press = Press(frozen.wording, desk.letterhead, desk.renderer, desk.signer)
    if press.digest != frozen.letter_digest:
        return "the templates or the letterhead changed"
    return "what is published changed" if shown.facts(press.names) != frozen.facts else None


def _shown(desk: MailDesk, draft: PlanDraft, press: Press, people: Sequence[FrozenPerson]) -> Plan:
    mailed = [one for one in people if not one.is_held_out]
    held_out = len(people) - len(mailed)
    return Plan(
        campaign=draft.written.name,
        hash=hash_of(draft.written.text, draft.wording, press.digest, people),
        subjects=draft.wording.subjects,
        audience=draft.written.settings.audience,
        recipients=len(mailed),
        held_out=held_out,
        left_out=draft.left_out,
        problems=_problems(desk, draft, press, mailed),
        warnings=(
            *draft.warnings(desk, press.names),
            *_batches(draft, len(mailed)),
            *_warnings(press, mailed),
        ),
        base_share=draft.base_share,
        smallest_effect=smallest_effect(len(mailed), held_out, draft.base_share or 0.0),
        holdout_why=draft.holdout_why if held_out else None,
        worth=draft.worth,
        aim=draft.aim,
    )


def _problems(
    desk: MailDesk, draft: PlanDraft, press: Press, mailed: Sequence[FrozenPerson]
) -> tuple[PlanProblem, ...]:
    """Fill every letter and say what cannot be sent, to everyone and to single people."""
    general = [*desk.letterhead.marketing_problems(), *draft.general_problems]
    problems = [PlanProblem(None, text) for text in general]
    if desk.letterhead.problem():
        return tuple(problems)
    offer = draft.written.settings.offer
    with desk.store.reading() as connection:
        facts = letter_facts(connection, desk.letterhead, draft.wording, offer)
    owned = {person.email: person.owned for person in draft.chosen}
    for one in mailed:
        for variant in draft.wording.labels:
            found = _problems_of_one(press, one, variant, owned[one.email], facts)
            problems += [PlanProblem(one.email, problem) for problem in found]
    return gathered(problems, len(mailed))


def _batches(draft: PlanDraft, people: int) -> Sequence[str]:
    """Say how long a trial of subjects takes, since somebody has to run it on."""
    settings = draft.written.settings
    batches = settings.batches_for(people)
    if batches == 1:
        return ()
    name = draft.written.name
    return (
        f"{len(settings.subjects)} subjects are tried in {batches} batches, {settings.batch_hours:g} hours "
        f"apart: type kpay campaign send {name} again for each, or let kpay schedule do it",
    )


def _warnings(press: Press, mailed: Sequence[FrozenPerson]) -> Sequence[str]:
    """Return what mail programs will dislike, judged by the first letter that can be filled."""
    for one in mailed[:WARNED_BY]:
        try:
            return warnings_of(press.fill(one.email, one.context))
        except (InputInvalid, ValueError):
            continue
    return ()


def _problems_of_one(
    press: Press,
    one: FrozenPerson,
    variant: str,
    owned: frozenset[str],
    facts: LetterFacts,
) -> Sequence[str]:
    try:
        wire_address(one.email)
        return problems_of(press.fill(one.email, one.context, variant), owned, facts)
    except InputInvalid as error:
        return [problem_text(each, one.context) for each in error.problems]
    except ValueError as error:
        return [str(error)]
