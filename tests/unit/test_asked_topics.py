"""Which topic somebody asked for, by the words of it."""

from __future__ import annotations

from datetime import UTC, datetime

from kpay.domain.asked_topics import Ask, asked
from kpay.services.reporting.proposals import rough

AT = datetime(2026, 1, 1, tzinfo=UTC)
TOPICS = ["async-python", "glaze", "拉坯"]


def ask(text: str, *, who: str = "a@example.com", how: str = "search", content: str = "") -> Ask:
    return Ask(how, who, AT, text, content)


def found(*asks: Ask) -> dict[str, int]:
    told = asked(asks, TOPICS, {"bowl": ["glaze"]})
    return {topic: told.people(topic) for topic in TOPICS if told.people(topic)}


def test_all_words_of_a_topic_must_stand_in_what_was_asked() -> None:
    assert found(ask("Async and Python, please")) == {"async-python": 1}
    assert found(ask("python")) == {}
    assert found(ask("which GLAZES are safe?")) == {"glaze": 1}
    assert found(ask("glass")) == {}
    assert found(ask("怎么学拉坯呢")) == {"拉坯": 1}


def test_a_person_counts_once_and_a_question_may_be_about_a_piece() -> None:
    assert found(ask("glaze"), ask("my glaze"), ask("glaze", who="b@example.com")) == {"glaze": 2}
    assert found(ask("when will it ship", how="question", content="bowl")) == {"glaze": 1}


def test_a_search_that_no_topic_answers_is_told_once_three_people_typed_it() -> None:
    three = [ask("  Kiln   repair ", who=f"{name}@example.com") for name in "abc"]
    two = [ask("wheels", who=f"{name}@example.com") for name in "ab"]
    questions = [ask("how are you", who=name, how="question") for name in "abcd"]
    assert asked([*three, *two, *questions], TOPICS, {}).unanswered == (("kiln repair", 3),)


def test_two_digits_are_told() -> None:
    assert [rough(value) for value in (0, 0.0456, 31.4, 2949, 123456)] == [
        0,
        0.046,
        31,
        2900,
        120000,
    ]
