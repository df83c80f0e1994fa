"""A small business from elsewhere, worked by hand: four months, five people, two currencies.

MRR in euros. February: Ines 8, Lena 9 dollars at .90 = 8.10; new 16.10. March: Joost after a trial 24
less 25 % = 18, Kofi 240 a year = 20; new 38. April: Ines 8 to 24, expansion 16; the dollar falls to
.80, Lena 8.10 to 7.20, fx -.90. May: Lena's bill of 20 April is not paid in the 14 days, churn 7.20;
Joost's coupon ends by itself, 18 to 24, expansion 6; Ines leaves at once, churn 24; Kofi asks to end
with the year, nothing moves. 69.20 + 6 - 31.20 = 44.

Sales without tax: February 8 + 8.10; March 8 + 8.10 + 18 + 240, and Mara's atlas for 50 (bought on
28 February at 23:30 in New York, which is March in UTC); April 24 + 18; May 24 + 24, of which 12 went
back with a tax of 1.00 inside, less than the payment's share.
"""

from __future__ import annotations

from typing import Final

from kpay.domain.enums import ImportKind

PLANS: Final = """plan,interval,currency,price_ex_tax
reader,month,EUR,8.00
studio,month,EUR,24.00
studio_year,year,EUR,240.00
reader_us,month,USD,9.00
"""
EVENTS: Final = """ts_utc,customer,sub_id,event,plan,discount_pct,discount_until,note
2026-02-03T09:00:00Z,ines,sub-1,start,reader,0,,
2026-02-20T09:00:00Z,lena,sub-2,start,reader_us,,,pays in dollars
2026-03-03T09:00:00Z,Joost@Example.org,sub-3,trial_start,studio,0,,
2026-03-10T09:00:00Z,joost@example.org,sub-3,start,studio,25,2026-05-10T09:00:00Z,
2026-03-12T09:00:00Z,kofi,sub-4,start,studio_year,0,,
2026-04-03T09:00:00Z,ines,sub-1,change_plan,studio,0,,
2026-04-20T09:00:00Z,lena,sub-2,payment_failed,reader_us,0,,
2026-05-04T09:00:00Z,lena,sub-2,ended,reader_us,0,,
2026-05-15T09:00:00Z,kofi,sub-4,cancel_at_period_end,studio_year,0,,
2026-05-18T09:00:00Z,ines,sub-1,cancel_now,studio,0,,
"""
PAYMENTS: Final = """payment_id,ts,customer,kind,sub_id,product,currency,gross,tax,fee,status
a1,2026-02-03T09:00:00Z,ines,subscription,sub-1,reader,EUR,9.60,1.60,0.40,succeeded
a2,2026-02-20T09:00:00Z,lena,subscription,sub-2,reader_us,USD,9.00,0.00,0.50,succeeded
a3,2026-02-28T23:30:00-05:00,mara,one_time,,atlas,EUR,50.00,0.00,1.50,succeeded
a4,2026-03-03T09:00:00Z,ines,subscription,sub-1,reader,EUR,9.60,1.60,0.40,succeeded
a5,2026-03-10T09:00:00Z,joost@example.org,subscription,sub-3,studio,EUR,21.60,3.60,0.70,succeeded
a6,2026-03-12T09:00:00Z,kofi,subscription,sub-4,studio_year,EUR,288.00,48.00,6.00,succeeded
a7,2026-03-20T09:00:00Z,lena,subscription,sub-2,reader_us,USD,9.00,0.00,0.50,succeeded
a8,2026-04-03T09:00:00Z,ines,subscription,sub-1,studio,EUR,28.80,4.80,0.80,succeeded
a9,2026-04-10T09:00:00Z,joost@example.org,subscription,sub-3,studio,EUR,21.60,3.60,0.70,succeeded
b1,2026-04-20T09:00:00Z,lena,subscription,sub-2,reader_us,USD,9.00,0.00,,failed
b2,2026-04-27T09:00:00Z,lena,subscription,sub-2,reader_us,USD,9.00,0.00,,failed
b3,2026-05-03T09:00:00Z,ines,subscription,sub-1,studio,EUR,28.80,4.80,0.80,succeeded
b4,2026-05-10T09:00:00Z,joost@example.org,subscription,sub-3,studio,EUR,28.80,4.80,0.80,succeeded
"""
REFUNDS: Final = """refund_id,payment_id,ts_utc,currency,gross,tax,note
r1,b3,2026-05-18T09:00:00Z,EUR,12.00,1.00,half of the last month
"""
RATES: Final = """month,currency,eur_per_unit
2026-02,USD,0.90
2026-04,USD,0.80
2026-04,EUR,1
"""
FILES: Final = {
    ImportKind.PLANS: PLANS,
    ImportKind.SUBSCRIPTIONS: EVENTS,
    ImportKind.PAYMENTS: PAYMENTS,
    ImportKind.REFUNDS: REFUNDS,
    ImportKind.FX: RATES,
}

MONTHS: Final = ("2026-02", "2026-03", "2026-04", "2026-05")
MRR: Final = {
    "mrr_start": (0, 1610, 5410, 6920),
    "new": (1610, 3800, 0, 0),
    "expansion": (0, 0, 1600, 600),
    "contraction": (0, 0, 0, 0),
    "churn_voluntary": (0, 0, 0, 2400),
    "churn_involuntary": (0, 0, 0, 720),
    "reactivation": (0, 0, 0, 0),
    "fx": (0, 0, -90, 0),
    "mrr_end": (1610, 5410, 6920, 4400),
}
SUBSCRIBERS: Final = (2, 4, 4, 2)
SALES: Final = {
    "sales": (1610, 32410, 4200, 4800),
    "refunds": (0, 0, 0, 1100),
    "fees": (85, 905, 150, 160),
    "net": (1525, 31505, 4050, 3540),
    "tax": (160, 5320, 840, 860),
}
"""In euro cents; refunds without the tax inside them, tax less what was refunded of it."""
