"""The few words that kpay itself puts on a page, in the language of the piece."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

ENGLISH: Final[Mapping[str, str]] = {
    "article": "Article",
    "ebook": "Ebook",
    "course": "Course",
    "audio": "Audio",
    "video": "Video",
    "bundle": "Bundle",
    "membership": "Membership",
    "free": "Free",
    "from": "from {amount}",
    "each_month": "{amount} a month",
    "each_year": "{amount} a year",
    "each_week": "{amount} a week",
    "each_day": "{amount} a day",
    "buy": "Buy now",
    "join": "Become a member",
    "try": "Try it for {days} days",
    "rest": "You have read the beginning. The rest comes by mail as soon as you have bought it.",
    "inside": "Everything inside comes by mail as soon as you have bought it.",
    "members": "What members read comes by mail, from the first day on.",
    "soon": "This piece cannot be bought yet. Come back soon.",
    "includes": "What is inside",
    "also": "Readers also bought",
    "home": "All pieces",
    "published": "Published {day}",
    "nothing": "Nothing is published yet.",
}

CHINESE: Final[Mapping[str, str]] = {
    "article": "文章",
    "ebook": "电子书",
    "course": "课程",
    "audio": "音频",
    "video": "视频",
    "bundle": "合集",
    "membership": "会员",
    "free": "免费",
    "from": "{amount} 起",
    "each_month": "{amount}/月",
    "each_year": "{amount}/年",
    "each_week": "{amount}/周",
    "each_day": "{amount}/天",
    "buy": "立即购买",
    "join": "成为会员",
    "try": "免费试用 {days} 天",
    "rest": "以上是开头部分，购买后全文会立刻发到您的邮箱。",
    "inside": "购买后，其中的全部内容会立刻发到您的邮箱。",
    "members": "会员内容从加入当天起发送到您的邮箱。",
    "soon": "这篇内容暂时还不能购买，请过些时候再来。",
    "includes": "包含内容",
    "also": "读者还买了",
    "home": "全部内容",
    "published": "发布于 {day}",
    "nothing": "还没有发布任何内容。",
}


def words_for(language: str) -> Mapping[str, str]:
    """Return kpay's words in a language; English where it has none of its own."""
    return CHINESE if language.partition("-")[0] == "zh" else ENGLISH
