"""The tables. Importing this package registers every one of them with the metadata."""

from __future__ import annotations

from kpay.models.audit import AuditEntry, RefundRequest
from kpay.models.billing import (
    BalanceTransaction,
    Invoice,
    Payout,
    Subscription,
    SubscriptionItem,
    SubscriptionPhase,
)
from kpay.models.books import ExchangeRate, ImportedPlan, SubscriptionEvent
from kpay.models.catalog import (
    Content,
    ContentVersion,
    Coupon,
    PaymentLink,
    Price,
    Product,
    PromotionCode,
)
from kpay.models.learning import CustomerGroup, ForecastRun, ModelRun, Score
from kpay.models.mail import (
    Campaign,
    CampaignPlan,
    Delivery,
    Enrolment,
    MailNotice,
    MailPace,
    PlanRecipient,
    Segment,
)
from kpay.models.payments import (
    Charge,
    CheckoutSession,
    InvoicePayment,
    PaymentIntent,
    ProviderCustomer,
)
from kpay.models.people import Customer, CustomerIdentity, Subscriber, Suppression
from kpay.models.provider import Fact, ProviderObject, SeenEvent, SyncCursor, Underived
from kpay.models.sales import Dispute, Entitlement, LineItem, Order, Refund
from kpay.models.schedule import Job, JobRun
from kpay.models.signals import Cost, Event, Feedback, Income, Traffic

__all__ = [
    "AuditEntry",
    "BalanceTransaction",
    "Campaign",
    "CampaignPlan",
    "Charge",
    "CheckoutSession",
    "Content",
    "ContentVersion",
    "Cost",
    "Coupon",
    "Customer",
    "CustomerGroup",
    "CustomerIdentity",
    "Delivery",
    "Dispute",
    "Enrolment",
    "Entitlement",
    "Event",
    "ExchangeRate",
    "Fact",
    "Feedback",
    "ForecastRun",
    "ImportedPlan",
    "Income",
    "Invoice",
    "InvoicePayment",
    "Job",
    "JobRun",
    "LineItem",
    "MailNotice",
    "MailPace",
    "ModelRun",
    "Order",
    "PaymentIntent",
    "PaymentLink",
    "Payout",
    "PlanRecipient",
    "Price",
    "Product",
    "PromotionCode",
    "ProviderCustomer",
    "ProviderObject",
    "Refund",
    "RefundRequest",
    "Score",
    "SeenEvent",
    "Segment",
    "Subscriber",
    "Subscription",
    "SubscriptionEvent",
    "SubscriptionItem",
    "SubscriptionPhase",
    "Suppression",
    "SyncCursor",
    "Traffic",
    "Underived",
]
