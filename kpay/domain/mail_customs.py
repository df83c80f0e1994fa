"""What a business has made its custom in mail, where a campaign does not say otherwise."""

from __future__ import annotations

from dataclasses import dataclass

from kpay.domain.campaign_file import CampaignFile
from kpay.domain.hours import Hours


@dataclass(frozen=True, slots=True)
class MailCustoms:
    """`timezone` is the creator's; `open_hours` are those in which campaigns may reach a reader.

    Nothing rests, caps or weighs unless the settings or the campaign name it. With `receipts` renewals
    are receipted by mail.
    """

    timezone: str = "UTC"
    open_hours: Hours | None = None
    rest_days: int = 0
    value_rule: bool = False
    receipts: bool = False

    def hours_for(self, campaign: CampaignFile) -> Hours | None:
        """Return when a campaign may reach a reader."""
        return campaign.window or self.open_hours

    def rest_for(self, campaign: CampaignFile) -> int:
        """Return for how many days a reader is left alone after a campaign."""
        return self.rest_days if campaign.rest_days is None else campaign.rest_days

    def weighs(self, campaign: CampaignFile) -> bool:
        """Say whether only those are mailed whom it is worth mailing."""
        return self.value_rule if campaign.value_rule is None else campaign.value_rule
