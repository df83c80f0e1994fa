"""The tables. Importing this package registers every one of them with the metadata."""

from __future__ import annotations

from kpay.models.billing import BalanceTransaction, Invoice, Payout, Subscription, SubscriptionPhase
from kpay.models.catalog import Content, ContentVersion, PaymentLink, Price, Product
from kpay.models.learning import ForecastRun, ModelRun, Score
from kpay.models.mail import Campaign, CampaignPlan, Delivery
from kpay.models.people import Customer, CustomerIdentity, Subscriber, Suppression
from kpay.models.provider import Fact, ProviderObject, SyncCursor
from kpay.models.sales import Dispute, Entitlement, LineItem, Order, Refund
from kpay.models.schedule import Job, JobRun
from kpay.models.signals import Cost, Event, Feedback, Traffic

__all__ = [
    "BalanceTransaction",
    "Campaign",
    "CampaignPlan",
    "Content",
    "ContentVersion",
    "Cost",
    "Customer",
    "CustomerIdentity",
    "Delivery",
    "Dispute",
    "Entitlement",
    "Event",
    "Fact",
    "Feedback",
    "ForecastRun",
    "Invoice",
    "Job",
    "JobRun",
    "LineItem",
    "ModelRun",
    "Order",
    "PaymentLink",
    "Payout",
    "Price",
    "Product",
    "ProviderObject",
    "Refund",
    "Score",
    "Subscriber",
    "Subscription",
    "SubscriptionPhase",
    "Suppression",
    "SyncCursor",
    "Traffic",
]
