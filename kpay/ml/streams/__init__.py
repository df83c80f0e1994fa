"""Revenue as a sum of streams: renewals, new subscriptions, single sales, launches and refunds."""
