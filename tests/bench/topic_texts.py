"""Texts of made-up pieces: what a piece is about shows in its words, or in nothing at all."""

from __future__ import annotations

import numpy as np

TOPICS = {
    "clay": "kiln glaze wheel bowl bisque stoneware porcelain firing slip trimming throwing teapot "
    "celadon cone shelf handle foot rim tile cracking",
    "writing": "sentence paragraph draft chapter narrator dialogue scene plot editing reader voice "
    "manuscript metaphor outline rewriting novel verb adjective ending opening",
    "money": "budget invoice margin savings tax ledger pricing profit expense pension interest "
    "account fee deposit revenue receipt debt insurance payroll bookkeeping",
    "code": "function compiler variable loop recursion pointer database query commit branch server "
    "deploy debugging thread parser type package interface test cache",
    "music": "chord melody rhythm scale harmony tempo guitar piano strings fingering improvise tuning "
    "octave bass microphone mixing chorus tonic cadence metronome",
    "garden": "compost seedling pruning mulch tomato greenhouse soil watering perennial hedge bulb "
    "frost blossom rootstock weeding lettuce orchard sowing slug manure",
    "茶道": "绿茶 红茶 普洱 茶杯 水温 冲泡 茶叶 采摘 茶席 龙井 乌龙 品茶 茶香 回甘 紫砂 茶艺 茶具 白茶 茶园 茶汤",
    "书法": "毛笔 宣纸 楷书 行书 草书 墨汁 笔画 临帖 结构 章法 砚台 隶书 篆刻 提按 运笔 字帖 印章 碑帖 中锋 落款",
}
COMMON = (
    "this piece shows what I learned and where it went wrong with pictures steps notes and a short list for "
    "every week you can begin today slowly again then look at it once more before going on because most people "
    "hurry here we take time for practice questions answers mistakes"
).split()
WORDS_A_TEXT = 90
TELLING_SHARE = 0.3


def text(tags: tuple[str, ...], luck: np.random.Generator, *, tells: bool) -> str:
    """Return a title and a body; telling words come from the piece's topics, else from any topic."""
    topics = tags if tells else tuple(TOPICS)
    known = [word for topic in topics for word in TOPICS[topic].split()]
    is_telling = luck.random(WORDS_A_TEXT) < TELLING_SHARE
    words = [str(luck.choice(known if telling else COMMON)) for telling in is_telling]
    return " ".join(words[:6]).capitalize() + "\n" + " ".join(words[6:]) + "."
