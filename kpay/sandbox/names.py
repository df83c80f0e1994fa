"""Names in many scripts, each with the Latin letters that go into an address."""

from __future__ import annotations

from typing import Final

Name = tuple[str, str]
"""How it is written, and how it is spelled in an e-mail address."""

_LATIN_GIVEN = "Ada Bruno Clara Diego Emma Felix Grace Hugo Ines Jonas Karla Liam Mara Noah Olivia"
_LATIN_FAMILY = (
    "Archer Bennett Carter Dalton Ellis Foster Garner Hayes Irving Keller Lawson Mercer "
    "Norris Osborne Parker Quigley Reyes Sutton Turner Walsh"
)


def _plain(words: str) -> tuple[Name, ...]:
    return tuple((word, word.lower()) for word in words.split())


def _paired(words: str) -> tuple[Name, ...]:
    pairs = (word.split("=") for word in words.split())
    return tuple((written, spelled) for written, spelled in pairs)


ENGLISH: Final = (_plain(_LATIN_GIVEN), _plain(_LATIN_FAMILY))
CHINESE: Final = (
    _paired("伟=wei 芳=fang 秀英=xiuying 敏=min 静=jing 丽=li 强=qiang 磊=lei 洋=yang 艳=yan"),
    _paired("王=wang 李=li 张=zhang 刘=liu 陈=chen 杨=yang 赵=zhao 黄=huang 周=zhou 吴=wu"),
)
GERMAN: Final = (
    _paired("Jürgen=juergen Käthe=kaethe Sören=soeren Björn=bjoern Lena=lena Götz=goetz Anke=anke"),
    _paired("Müller=mueller Schröder=schroeder Weiß=weiss Köhler=koehler Bauer=bauer Jäger=jaeger"),
)
FRENCH: Final = (
    _paired("Hélène=helene François=francois Zoé=zoe Jérôme=jerome Maëlle=maelle Luc=luc"),
    _paired("Lefèvre=lefevre Dubois=dubois Gérard=gerard Moreau=moreau Garçon=garcon"),
)
SPANISH: Final = (
    _paired("José=jose Nuria=nuria Íñigo=inigo Begoña=begona Andrés=andres Lucía=lucia"),
    _paired("García=garcia Núñez=nunez Ibáñez=ibanez Ortega=ortega Peña=pena"),
)
RUSSIAN: Final = (
    _paired("Анна=anna Борис=boris Вера=vera Игорь=igor Ольга=olga Юрий=yuri"),
    _paired("Иванов=ivanov Петрова=petrova Соколов=sokolov Жукова=zhukova"),
)
ARABIC: Final = (
    _paired("ليلى=layla يوسف=yusuf مريم=maryam كريم=karim سلمى=salma"),
    _paired("حداد=haddad منصور=mansour نجار=najjar خوري=khoury"),
)
INDIAN: Final = (
    _paired("आरव=aarav दीया=diya कबीर=kabir मीरा=meera रोहन=rohan"),
    _paired("शर्मा=sharma पटेल=patel गुप्ता=gupta नायर=nair"),
)
JAPANESE: Final = (
    _paired("さくら=sakura 健太=kenta 美咲=misaki 翔=sho 陽子=yoko"),
    _paired("佐藤=sato 鈴木=suzuki 高橋=takahashi 田中=tanaka"),
)

FAMILY_FIRST: Final = (CHINESE, JAPANESE)

# country: share inside its currency, time zone, name pools with their shares
Place = tuple[str, float, str, tuple[tuple[tuple[tuple[Name, ...], tuple[Name, ...]], float], ...]]
USD_PLACES: Final[tuple[Place, ...]] = (
    ("US", 0.62, "America/New_York", ((ENGLISH, 0.74), (SPANISH, 0.13), (CHINESE, 0.13))),
    ("CA", 0.10, "America/Toronto", ((ENGLISH, 0.7), (FRENCH, 0.3))),
    ("GB", 0.09, "Europe/London", ((ENGLISH, 0.9), (ARABIC, 0.1))),
    ("CN", 0.08, "Asia/Shanghai", ((CHINESE, 1.0),)),
    ("IN", 0.06, "Asia/Kolkata", ((INDIAN, 1.0),)),
    ("JP", 0.05, "Asia/Tokyo", ((JAPANESE, 1.0),)),
)
EUR_PLACES: Final[tuple[Place, ...]] = (
    ("DE", 0.45, "Europe/Berlin", ((GERMAN, 0.85), (RUSSIAN, 0.15))),
    ("FR", 0.25, "Europe/Paris", ((FRENCH, 0.85), (ARABIC, 0.15))),
    ("ES", 0.20, "Europe/Madrid", ((SPANISH, 1.0),)),
    ("IE", 0.10, "Europe/Dublin", ((ENGLISH, 1.0),)),
)
