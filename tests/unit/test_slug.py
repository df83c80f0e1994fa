"""Slugs: readable in any script, safe in addresses and file names."""

from __future__ import annotations

import pytest

from kpay.domain.slug import is_slug, slugify


@pytest.mark.parametrize(
    ("title", "slug"),
    [
        ("Why Your Bowls Crack", "why-your-bowls-crack"),
        ("  Wax, Brush & Dip!  ", "wax-brush-dip"),
        ("Don't fire in anger", "dont-fire-in-anger"),
        ("景德镇笔记：拉坯与修坯", "景德镇笔记-拉坯与修坯"),
        ("Ｆｕｌｌ Ｗｉｄｔｈ", "full-width"),
        ("Crème brûlée", "crème-brûlée"),
        ("हिन्दी की किताब", "हिन्दी-की-किताब"),
        ("../../etc/passwd", "etc-passwd"),
        ("🎉🎉", ""),
    ],
)
def test_a_title_makes_a_slug(title: str, slug: str) -> None:
    assert slugify(title) == slug


def test_composed_and_decomposed_titles_make_one_slug() -> None:
    assert slugify("Cafe\u0301") == slugify("Caf\u00e9")


@pytest.mark.parametrize("title", ["word " * 60, "字" * 200, "é" * 300])
def test_a_long_title_makes_a_slug_that_fits_a_file_name(title: str) -> None:
    slug = slugify(title)
    assert 0 < len(slug) <= 60
    assert len(f"{slug}-cover.webp".encode()) <= 255
    assert is_slug(slug)


@pytest.mark.parametrize("text", ["Upper", "two words", "a/b", "", "-edge"])
def test_what_is_no_slug(text: str) -> None:
    assert not is_slug(text)
