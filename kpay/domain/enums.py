"""The closed sets of values that commands, models and reports share."""

from __future__ import annotations

from enum import StrEnum
from typing import Final


class ContentKind(StrEnum):
    """What a piece of content is."""

    ARTICLE = "article"
    EBOOK = "ebook"
    COURSE = "course"
    AUDIO = "audio"
    VIDEO = "video"
    BUNDLE = "bundle"
    MEMBERSHIP = "membership"


class ContentStatus(StrEnum):
    """Where a piece of content stands."""

    DRAFT = "draft"
    SCHEDULED = "scheduled"
    PUBLISHED = "published"
    ARCHIVED = "archived"


class Interval(StrEnum):
    """How often a recurring price is charged."""

    DAY = "day"
    WEEK = "week"
    MONTH = "month"
    YEAR = "year"


class OrderStatus(StrEnum):
    """Whether the money of an order came."""

    PAID = "paid"
    PENDING = "pending"
    FAILED = "failed"


COUNTED_REFUNDS: Final = ("succeeded", "pending")
"""The provider's states of a refund whose money is back, or on its way, with the buyer."""


class OrderKind(StrEnum):
    """How an order came about."""

    ONE_TIME = "one_time"
    SUBSCRIPTION_START = "subscription_start"
    RENEWAL = "renewal"
    SUBSCRIPTION_UPDATE = "subscription_update"


class SubscriberStatus(StrEnum):
    """Whether someone on the list may be mailed."""

    SUBSCRIBED = "subscribed"
    UNCONFIRMED = "unconfirmed"
    UNSUBSCRIBED = "unsubscribed"


class CampaignState(StrEnum):
    """Where a campaign stands."""

    DRAFT = "draft"
    PLANNED = "planned"
    SENDING = "sending"
    PAUSED = "paused"
    SENT = "sent"
    CANCELLED = "cancelled"


class CampaignGoal(StrEnum):
    """What a campaign is for."""

    LAUNCH = "launch"
    WINBACK = "winback"
    UPSELL = "upsell"
    RENEWAL = "renewal"


class CampaignTarget(StrEnum):
    """Whom of its audience a campaign mails: everybody, or those whom a mail moves."""

    ALL = "all"
    PERSUADABLES = "persuadables"


class DeliveryState(StrEnum):
    """Where one message to one person stands."""

    HELD_OUT = "held_out"
    QUEUED = "queued"
    CLAIMED = "claimed"
    SENDING = "sending"
    SENT = "sent"
    RETRY = "retry"
    FAILED = "failed"
    UNCERTAIN = "uncertain"
    SUPPRESSED = "suppressed"
    SKIPPED = "skipped"


class MailKind(StrEnum):
    """What a message is for; only campaigns and sequences are marketing."""

    CAMPAIGN = "campaign"
    PURCHASE = "purchase"
    SEQUENCE = "sequence"
    CONFIRMATION = "confirmation"
    RECEIPT = "receipt"
    REPORT = "report"


class NoticeKind(StrEnum):
    """What came back about an address."""

    HARD_BOUNCE = "hard_bounce"
    SOFT_BOUNCE = "soft_bounce"
    COMPLAINT = "complaint"
    UNSUBSCRIBE = "unsubscribe"
    CONFIRM = "confirm"


class ResourceStatus(StrEnum):
    """How the reading of one provider resource ended."""

    OK = "ok"
    PARTIAL = "partial"
    FORBIDDEN = "forbidden"
    UNSUPPORTED = "unsupported"


class Reread(StrEnum):
    """Why objects are read again that were read before."""

    LOOKBACK = "lookback"
    PENDING = "pending"
    CHANGED = "changed"


class Frequency(StrEnum):
    """How finely a forecast is shown."""

    DAY = "day"
    WEEK = "week"
    MONTH = "month"


class ForecastEngine(StrEnum):
    """Which library a forecast of one series comes from."""

    OWN = "own"
    STATSFORECAST = "statsforecast"


class Device(StrEnum):
    """Where a model is trained."""

    AUTO = "auto"
    CPU = "cpu"
    GPU = "gpu"
    CUDA = "cuda"


class PageFormat(StrEnum):
    """How most answers can be written."""

    TABLE = "table"
    JSON = "json"
    CSV = "csv"
    MD = "md"
    HTML = "html"


class OutputFormat(StrEnum):
    """How a report is written; only the books know a ledger."""

    TABLE = "table"
    JSON = "json"
    CSV = "csv"
    MD = "md"
    HTML = "html"
    LEDGER = "ledger"


class ImportKind(StrEnum):
    """What can be imported and exported."""

    CUSTOMERS = "customers"
    ORDERS = "orders"
    SUBSCRIBERS = "subscribers"
    EVENTS = "events"
    TRAFFIC = "traffic"
    COSTS = "costs"
    INCOME = "income"
    FEEDBACK = "feedback"
    PLANS = "plans"
    SUBSCRIPTIONS = "subscriptions"
    PAYMENTS = "payments"
    REFUNDS = "refunds"
    FX = "fx"


class MrrPolicy(StrEnum):
    """Whose definition of monthly recurring revenue a report follows."""

    KPAY = "kpay"
    STRIPE = "stripe"
    CHARTMOGUL = "chartmogul"
    BAREMETRICS = "baremetrics"
    PROFITWELL = "profitwell"


class ReportSection(StrEnum):
    """What a report is about."""

    SUMMARY = "summary"
    REVENUE = "revenue"
    MRR = "mrr"
    COHORTS = "cohorts"
    CUSTOMERS = "customers"
    CONTENT = "content"
    TOPICS = "topics"
    FUNNEL = "funnel"
    CAMPAIGNS = "campaigns"
    PROFIT = "profit"
    TAX = "tax"
    BOOKS = "books"
    ALL = "all"
