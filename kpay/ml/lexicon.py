"""Words of praise and complaint in English and Chinese, to begin with before there are ratings."""

from __future__ import annotations

from typing import Final

PRAISE: Final = frozenset(
    """
    amazing awesome beautiful beautifully best better brilliant clear clearly concise delight
    delighted delightful easy enjoy enjoyed enjoyable enjoying excellent fantastic favorite favourite
    fun generous gem glad good great grateful happy helped helpful helps impressed impressive
    inspired inspiring insightful interesting joy learned liked love loved lovely loves nice perfect
    perfectly pleasant pleased practical precise recommend recommended right solid splendid superb
    terrific thank thanks thorough treasure useful valuable well wonderful worth
    """.split()
)
COMPLAINT: Final = frozenset(
    """
    annoyed annoying awful bad bland bored boring broken bug buggy cancel cheated confused confusing
    crash crashes disappoint disappointed disappointing dull error errors expensive fail failed fails
    frustrated frustrating garbage generic hard hate hated incomplete incorrect lacking missing
    mistake mistakes outdated overpriced pointless poor poorly problem problems refund regret repetitive
    rushed sad scam shallow slow sloppy stopped stuck superficial terrible thin tired typos unclear
    unfinished unhappy unusable useless vague waste wasted weak worse worst wrong
    """.split()
)
NEGATIONS: Final = frozenset(
    """
    not no never hardly barely without neither nor nothing isn't wasn't aren't weren't don't doesn't
    didn't can't cannot couldn't won't wouldn't shouldn't haven't hasn't isnt wasnt dont doesnt didnt
    cant couldnt wont wouldnt
    """.split()
)
CHINESE_PRAISE: Final = (
    "不错 很棒 太棒 超棒 真棒 很好 太好 真好 最好 好用 好看 好听 好学 好懂 喜欢 热爱 实用 有用 有帮助 很有帮助 "
    "清楚 清晰 易懂 推荐 满意 惊喜 精彩 优秀 完美 值得 超值 划算 感谢 谢谢 收获 受益 受用 细致 详细 用心 专业 "
    "期待 开心 高兴 愉快 棒极了 干货 到位 赞 强烈推荐 学到 启发 生动 有趣 精美 漂亮 舒服 靠谱 贴心 物超所值"
).split()
CHINESE_COMPLAINT: Final = (
    "失望 太浅 太贵 太少 太短 太慢 太难 太差 很差 差劲 不好 不值 不行 不够 不清楚 不实用 不推荐 不喜欢 不满意 "
    "没用 没意思 没有用 没收获 无聊 枯燥 浪费 后悔 退款 骗 坑人 错误 错别字 混乱 啰嗦 重复 看不懂 听不懂 "
    "打不开 卡顿 敷衍 粗糙 空洞 糟糕 难用 难看 难懂 过时 缺少 欠缺 肤浅 垃圾 差评 烂 贵了 一般般 生气 郁闷 坏了"
).split()
CHINESE_NEGATIONS: Final = (
    "不",
    "没",
    "没有",
    "不太",
    "不是",
    "不怎么",
    "并不",
    "毫不",
    "不算",
    "别",
)
"""What turns the word right after it round; words that hold one, such as 不错, stand in the lists."""
