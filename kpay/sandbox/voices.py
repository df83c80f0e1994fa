"""What readers say about what they bought, in their own language."""

from __future__ import annotations

from typing import Final

SAID: Final[dict[str, tuple[tuple[str, ...], tuple[str, ...], tuple[str, ...]]]] = {
    "en": (
        ("Too thin for the price.", "Not what I expected, sorry.", "I stopped after a few pages."),
        ("Solid, a little long in the middle.", "Good ideas, more examples please."),
        ("Exactly what I needed this week.", "Clear and practical. More of this!", "Loved it."),
    ),
    "de": (
        ("Leider zu oberflächlich.", "Für den Preis zu wenig."),
        ("Ordentlich, aber etwas lang.", "Gut, mehr Beispiele wären schön."),
        ("Sehr hilfreich, danke!", "Klar geschrieben und sofort nutzbar."),
    ),
    "fr": (
        ("Un peu décevant.", "Trop court pour ce prix."),
        ("Bien, mais un peu long.", "Utile, avec quelques redites."),
        ("Exactement ce qu'il me fallait.", "Très clair, merci !"),
    ),
    "es": (
        ("Esperaba algo más.", "Demasiado básico para mí."),
        ("Está bien, faltan ejemplos.", "Correcto, aunque algo largo."),
        ("Me ha encantado, muy práctico.", "Claro y directo, gracias."),
    ),
    "zh": (
        ("内容太浅，有点失望。", "对我来说太贵了。"),
        ("还不错，希望例子更多一些。", "整体可以，中间有点长。"),
        ("非常实用，马上就能用上！", "讲得很清楚，强烈推荐。", "太好了，期待下一篇。"),
    ),
    "ja": (
        ("少し物足りませんでした。",),
        ("良いですが、少し長いです。",),
        ("とても役に立ちました。ありがとうございます。",),
    ),
}
LANGUAGES: Final = {"DE": "de", "FR": "fr", "ES": "es", "CN": "zh", "JP": "ja"}


def remark(country: str, rating: int, draw: float) -> str:
    """Return a sentence that goes with a rating of 1 to 5 in the language of the country."""
    mood = 0 if rating <= 2 else 1 if rating == 3 else 2
    sentences = SAID[LANGUAGES.get(country, "en")][mood]
    return sentences[int(draw * len(sentences))]
