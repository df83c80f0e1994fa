"""Front matter: what a piece may say, and every mistake in it at once."""

from __future__ import annotations

from pathlib import Path

import pytest

from kpay.adapters.front_matter import FrontMatterFiles
from kpay.domain.enums import ContentKind, Interval
from kpay.domain.front_matter import read_piece, slug_of
from kpay.domain.pricing import PriceTag
from kpay.errors import InputInvalid

GOOD = {"title": "Salt", "price": "29 usd"}


def flaws(**changes: object) -> dict[str, str]:
    piece, found = read_piece({**GOOD, **changes})
    assert (piece is None) == bool(found)
    return dict(found)


def test_the_smallest_piece_is_an_article_with_a_price() -> None:
    piece, found = read_piece(GOOD)
    assert found == []
    assert piece is not None
    assert (piece.kind, piece.price) == (ContentKind.ARTICLE, PriceTag("fixed", 2900, "usd"))
    assert slug_of(piece, "file") == "salt"


def test_a_membership_has_an_interval_and_perhaps_a_trial() -> None:
    piece, _ = read_piece({**GOOD, "kind": "membership", "price": "9 eur/month", "trial_days": "7"})
    assert piece is not None
    assert (piece.price.interval, piece.trial_days) == (Interval.MONTH, 7)


@pytest.mark.parametrize(
    ("changes", "key", "says"),
    [
        ({"knd": "ebook"}, "knd", "did you mean 'kind'"),
        ({"kind": "ebok"}, "kind", "did you mean 'ebook'"),
        ({"price": "29 dolars"}, "price", "29 dolars"),
        ({"price": "29"}, "price", "29 usd"),
        ({"price": "from 5 usd/month"}, "price", "from"),
        ({"kind": "membership"}, "price", "each month or year"),
        ({"trial_days": "7"}, "trial_days", "9 usd/month"),
        ({"trial_days": "soon"}, "trial_days", "soon"),
        ({"kind": "bundle"}, "includes", "includes"),
        ({"includes": ["salt"]}, "includes", "only a bundle"),
        ({"slug": "Two Words"}, "slug", "two-words"),
        ({"tags": {"a": "b"}}, "tags", "list"),
        ({"title": ["a"]}, "title", "text"),
        ({"cover": "virus.exe"}, "cover", "picture"),
        ({"language": "english please"}, "language", "zh-CN"),
    ],
)
def test_a_mistake_is_named_with_its_key(changes: dict[str, object], key: str, says: str) -> None:
    assert says in flaws(**changes)[key]


def test_title_and_price_must_be_there() -> None:
    _, found = read_piece({"kind": "ebook"})
    assert [flaw.key for flaw in found] == ["title", "price"]


def test_all_mistakes_are_told_together() -> None:
    assert set(flaws(knd="x", price="cheap", slug="A B")) == {"knd", "price", "slug"}


def test_the_language_comes_from_the_script_of_the_title() -> None:
    piece, _ = read_piece({**GOOD, "title": "手工陶艺"})
    assert piece is not None
    assert piece.language == "zh"
    assert slug_of(piece, "x") == "手工陶艺"


def read(folder: Path, text: str | bytes):
    path = folder / "a.md"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return FrontMatterFiles().read(path, "a.md")


def test_values_are_kept_as_they_were_written(tmp_path: Path) -> None:
    source = read(
        tmp_path, "---\ntitle: 2026-10-01\nsummary: no\nprice: 1.10\ntags: [yes, 007]\n---\nBody\n"
    )
    assert source.written == {
        "title": "2026-10-01", "summary": "no", "price": "1.10", "tags": ["yes", "007"],
    }  # fmt: skip
    assert source.lines == {"title": 2, "summary": 3, "price": 4, "tags": 5}


def test_the_body_keeps_its_own_rules_and_its_line(tmp_path: Path) -> None:
    source = read(tmp_path, "---\ntitle: A\n---\n\nOne\n\n---\n\nTwo\n")
    assert source.body == "One\n\n---\n\nTwo\n"
    assert source.first_line == 5


def test_windows_files_are_read_too(tmp_path: Path) -> None:
    source = read(tmp_path, b"\xef\xbb\xbf---\r\ntitle: A\r\n---\r\nBody\r\n")
    assert (source.written, source.body) == ({"title": "A"}, "Body\n")


@pytest.mark.parametrize(
    ("text", "line", "says"),
    [
        ("No front matter\n", 1, "no front matter"),
        ("---\ntitle: A\n", 1, "second ---"),
        ("---\ntitle: A: B\n---\n", 2, "colon in quotes"),
        ("---\n- a\n---\n", 2, "key: value"),
        ("---\ntitle: A\ntitle: B\n---\n", 3, "twice"),
        ("---\nx: " + "[" * 5000 + "\n---\n", 2, "not YAML"),
        (b"---\ntitle: A\n---\nCaf\xe9\n", 4, "not UTF-8"),
    ],
)
def test_a_file_that_cannot_be_read_says_where(
    tmp_path: Path, text: str | bytes, line: int, says: str
) -> None:
    with pytest.raises(InputInvalid) as caught:
        read(tmp_path, text)
    (problem,) = caught.value.problems
    assert problem.line == line
    assert says in problem.problem
