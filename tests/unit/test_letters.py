"""Letters: Markdown first, then each person's values, so that no name becomes markup."""

from __future__ import annotations

from typing import Any

import pytest

from kpay.adapters.markdown import SafeMarkdown
from kpay.adapters.renderer import JinjaRenderer
from kpay.errors import InputInvalid
from kpay.ports import FilledLetter, Letter, LetterSource
from kpay.shipped import shipped

VALUES = {
    "business": "Ana's Bakery",
    "postal_address": "Hauptstraße 1, 10115 Berlin",
    "site_url": "https://bakery.example",
    "language": "en",
}
LINKS = {"unsubscribe": "https://bakery.example/u?t=abc&x=1", "site": ""}


def compiled(body: str, subject: str = "Hi", **values: str) -> Letter:
    renderer = JinjaRenderer([shipped("templates")], SafeMarkdown())
    source = LetterSource(
        file="campaigns/x.md",
        subject=subject,
        body=body,
        first_line=5,
        layout="email/campaign",
        values={**VALUES, **values},
    )
    return renderer.letter(source)


def filled(body: str, subject: str = "Hi", **person: Any) -> FilledLetter:
    return compiled(body, subject).fill({"links": LINKS, **person})


def test_a_name_never_becomes_markup() -> None:
    evil = '<script>x</script> [free](https://evil.example) "quoted"'
    letter = filled("Hello {{ name }}", "For {{ name }}", name=evil)
    assert "<script>" not in letter.html
    assert 'href="https://evil.example"' not in letter.html
    assert letter.subject == f"For {evil}"
    assert evil in letter.text


def test_a_name_with_a_line_break_stays_on_the_subject_line() -> None:
    assert filled("x", "For {{ name }}", name="Li\r\nBcc: x").subject == "For Li Bcc: x"


@pytest.mark.parametrize("url", ["javascript:alert(1)", "data:text/html,x", '"><b>', "//evil"])
def test_only_web_and_mail_addresses_become_links(url: str) -> None:
    letter = filled("[here]({{ url }}) and ![picture]({{ url }})", url=url)
    assert 'href="#"' in letter.html
    assert 'src="#"' in letter.html
    assert "javascript:" not in letter.html


def test_a_link_target_is_filled() -> None:
    letter = filled(
        "[{{ title }}]({{ url }})", title="Salt & bread", url="https://b.example/c/a?x=1&y=2"
    )
    assert 'href="https://b.example/c/a?x=1&amp;y=2"' in letter.html
    assert ">Salt &amp; bread</a>" in letter.html
    assert "Salt & bread: https://b.example/c/a?x=1&y=2" in letter.text


def test_a_loop_over_a_list_repeats_its_points() -> None:
    body = "You may like:\n\n{% for item in items %}\n- **{{ item }}**\n{% endfor %}\n\nBye {% if true %}now{% endif %}\nAna"
    letter = filled(body, items=["one", "two"])
    assert letter.html.count("<li") == 2
    assert letter.html.count("<strong>") == 2
    assert "- one\n- two\n" in letter.text
    assert "Bye now\nAna" in letter.text


def test_a_value_alone_on_its_line_is_a_paragraph_and_a_statement_is_none() -> None:
    letter = filled("{{ a }}\n\n{% if true %}\n\n{{ b }}\n\n{% endif %}", a="one", b="two")
    assert letter.html.count('<p dir="auto"') == 2


def test_every_message_says_how_to_leave_and_where_the_sender_lives() -> None:
    letter = filled("Hello")
    for part in (letter.html, letter.text):
        assert "Hauptstraße 1, 10115 Berlin" in part
        assert "nsubscribe" in part
    assert 'href="https://bakery.example/u?t=abc&amp;x=1"' in letter.html
    assert LINKS["unsubscribe"] in letter.text


def test_what_looks_like_a_tag_in_a_setting_is_shown_not_obeyed() -> None:
    letter = compiled("Hello", postal_address="{{ 7*7 }} {% endfor %} Street").fill(
        {"links": LINKS}
    )
    assert "{{ 7*7 }} {% endfor %} Street" in letter.html
    assert "{{ 7*7 }} {% endfor %} Street" in letter.text


def test_styles_are_on_the_elements_and_the_dark_ones_in_the_head() -> None:
    letter = filled("Hello")
    assert '<p style="' in letter.html
    assert "prefers-color-scheme: dark" in letter.html


def test_a_link_alone_on_its_line_is_a_button_and_one_among_words_is_none() -> None:
    letter = filled(
        "Read [this]({{ url }}) now.\n\n**[See the book]({{ url }})**\n\n<https://b.example/plain>",
        url="https://b.example/c/a",
    )
    assert letter.html.count('class="button"') == 1
    assert letter.html.count('class="action"') == 1
    button = letter.html.partition('class="button"')[2].partition("</a>")[0]
    assert 'href="https://b.example/c/a"' in button
    assert "See the book" in button
    assert (
        "Read this <https://b.example/c/a> now.\n\nSee the book: https://b.example/c/a"
        in letter.text
    )


def test_the_inbox_shows_how_the_letter_begins_and_nothing_after_it() -> None:
    letter = filled(
        "Hello {{ name }},\n\n[New](https://b.example/x) bread & more. " + "Word " * 60, name="A<b>"
    )
    hidden = letter.html.partition('class="preheader"')[2].partition("</div>")[0]
    assert "display: none" in hidden
    assert "New bread &amp; more. Word" in hidden.replace("  ", " ")
    assert "Hello" not in hidden
    assert len(hidden.partition(">")[2].partition("\u200c")[0]) < 130


def test_every_block_takes_the_direction_of_its_own_words() -> None:
    letter = filled("# Hi\n\nسلام\n\n- one\n\n> two")
    assert letter.html.count('dir="auto"') >= 4


def test_the_plain_text_reads_well() -> None:
    body = (
        "# Head\n\nSome *soft* and **loud** words, 2 * 3 * 4, snake_case_name and \\* a star.\n\n"
        "![A bowl](https://b.example/a.jpg)\n\n| a | b |\n|---|---|\n| {{ x }} | 2 |\n\n"
        "```\n*code*\n```\n\n{% for i in xs %}\n\n{{ i }}\n\n{% endfor %}\n\nEnd"
    )
    text = filled(body, x="*y*", xs=["one", "two"]).text
    assert text.startswith(
        "Head\n\nSome soft and loud words, 2 * 3 * 4, snake_case_name and * a star.\n\n[A bowl]\n\n"
        "| a | b |\n| *y* | 2 |\n\n    *code*\n\none\n\ntwo\n\nEnd"
    )


def test_a_value_with_hidden_signs_loses_them_everywhere() -> None:
    letter = filled("Hello {{ name }}!", "For {{ name }}", name="A\u202eb\x00\u2028c\u200d")
    assert letter.subject == "For Ab c\u200d"
    assert "Hello Ab\nc\u200d!" in letter.text
    assert "Hello Ab\nc\u200d!" in letter.html


def test_a_missing_name_says_where_and_what_was_meant() -> None:
    with pytest.raises(InputInvalid) as caught:
        filled("Hello\n\n{{ nam }}", name="Li")
    (problem,) = caught.value.problems
    assert (problem.file, problem.line) == ("campaigns/x.md", 7)
    assert "did you mean 'name'" in problem.problem


def test_a_broken_tag_says_where() -> None:
    with pytest.raises(InputInvalid) as caught:
        compiled("Hello\n{% for x in y %}\nend")
    assert caught.value.problems[0].line == 7  # where its end is missed


@pytest.mark.parametrize(
    "attack",
    [
        "{{ 'a' * 10**7 }}",
        "{{ ''.__class__.__mro__ }}",
        "{{ name.__init__.__globals__ }}",
        "{{ ['x']|join(10**9 * 'y') }}",
        "{{ '%999999999d' % 1 }}",
        "{{ 'x'.ljust(10**9) }}",
        "{{ 'x'|center(10**9) }}",
        "{{ items.append(1) }}",
        "{% for a in range(99999) %}{{ name * 1 }}0123456789012345678901234567890{% endfor %}",
        "{{ 9**99 }}",
    ],
)
def test_a_template_gets_no_further_than_its_values(attack: str) -> None:
    with pytest.raises(InputInvalid):
        filled(attack, name="x", items=[])


def test_a_letter_knows_what_it_asks_for_and_changes_its_digest_with_its_words() -> None:
    one, other = compiled("Hello {{ name }}"), compiled("Hello {{ name }}!")
    assert one.names == {"name"}
    assert one.digest == compiled("Hello {{ name }}").digest != other.digest


def test_markdown_from_anyone_is_safe() -> None:
    page = SafeMarkdown().to_html(
        "<script>x</script> [a](javascript:x) [b](https://b.example)\n\n| a | b |\n|---|--:|\n| 1 | 2 |"
    )
    assert "<script" not in page
    assert "javascript" not in page.replace("[a](javascript:x)", "")
    assert 'href="https://b.example"' in page
    assert "text-align:right" in page.replace(" ", "")
