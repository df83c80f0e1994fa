"""What the columns of the families of features are called by people, all words in one place."""

from __future__ import annotations

from kpay.domain.column_words import PURCHASES, Words, table

WINDOWS_DAYS = (7, 30, 90)

REFUNDS = table(
    "refunds",
    [
        ("refund_count", "count", "Purchases given back"),
        ("refund_share", "share", "Share of purchases given back"),
        ("refund_count_90", "count", "Purchases given back in the last 90 days"),
        ("refund_days", "ago", "Days since money was last given back"),
    ],
)
MAIL = table(
    "mail",
    [
        *((f"mail_sent_{days}", "count", f"Mails in the last {days} days") for days in WINDOWS_DAYS),
        *((f"mail_clicks_{days}", "count", f"Clicks in mails in the last {days} days") for days in WINDOWS_DAYS),
        ("mail_clicks", "count", "Clicks in mails"),
        ("mail_click_share", "share", "Clicks for each mail"),
        ("mail_replies_90", "count", "Replies in the last 90 days"),
        ("mail_sent_days", "ago", "Days since the last mail"),
        ("mail_click_days", "ago", "Days since the last click in a mail"),
        ("mail_reply_days", "ago", "Days since the last reply"),
        ("mail_sent_since_click", "count", "Mails since the last click"),
        ("mail_listed_days", "ago", "Days since joining the list"),
        ("mail_left_days", "ago", "Days since leaving the list"),
    ],
)  # fmt: skip
SITE = table(
    "site",
    [
        *((f"site_visits_{days}", "count", f"Pages looked at in the last {days} days") for days in WINDOWS_DAYS),
        ("site_visits", "count", "Pages looked at"),
        ("site_pieces_90", "count", "Different pieces looked at in the last 90 days"),
        ("site_new_30", "count", "Looks at pieces they do not own in the last 30 days"),
        ("site_visit_days", "ago", "Days since the last visit"),
        ("site_lessons_30", "count", "Lessons taken in the last 30 days"),
        ("site_lessons_90", "count", "Lessons taken in the last 90 days"),
        ("site_lesson_days", "ago", "Days since the last lesson"),
    ],
)  # fmt: skip
MEMBERSHIP = table(
    "membership",
    [
        ("member_active", "count", "Running subscriptions"),
        ("member_leaving", "count", "Subscriptions that are cancelled and still run"),
        ("member_trial", "count", "Running trials"),
        ("member_days", "days", "Days since the oldest running subscription began"),
        ("member_period_days", "days", "Days between two charges"),
        ("member_charge_days", "days", "Days to the next charge"),
        ("member_count", "count", "Subscriptions ever"),
        ("member_ended_days", "ago", "Days since a subscription last ended"),
    ],
)
SHELF = table(
    "shelf",
    [
        ("shelf_owned", "count", "Pieces they own"),
        ("shelf_owned_share", "share", "Share of all pieces that they own"),
        ("shelf_left", "count", "Pieces on sale that they do not own"),
        ("shelf_left_pull", "number", "Pieces left for them, weighed by how well they sell"),
        ("shelf_launch_days", "ago", "Days since the last launch"),
        ("shelf_launches_30", "count", "Launches in the last 30 days"),
        ("shelf_new_days", "ago", "Days since the launch of the newest piece they do not own"),
        ("shelf_tags_match", "number", "How well the tags of what is left fit their interests"),
        ("shelf_tags_best", "number", "How well the tags of the best piece left fit"),
        ("shelf_tags_pull", "number", "Fit of the tags of what is left, weighed by how well it sells"),
        ("shelf_kind_match", "number", "How well the kind of what is left fits what they buy"),
        ("shelf_price_fit", "number", "Prices of what is left against what they pay, as a logarithm"),
    ],
)  # fmt: skip
TEXT = table(
    "text",
    [
        ("text_match", "number", "How alike what is left is to what they read and wrote"),
        ("text_best", "number", "How alike the best piece left is to what they read and wrote"),
        ("text_top_3", "number", "How alike the best three pieces left are to what they read"),
        ("text_newest", "number", "How alike the newest piece is to what they read and wrote"),
        ("text_pull", "number", "Likeness of what is left, weighed by how well it sells"),
        ("text_breadth", "number", "How far apart the things they read are"),
    ],
)
PIECE = table(
    "piece",
    [
        ("piece_text_match", "number", "How alike the piece is to what they read and wrote"),
        ("piece_tags_match", "number", "How well the tags of the piece fit their interests"),
        ("piece_kind_match", "number", "How well the kind of the piece fits what they buy"),
        ("piece_dearness", "number", "Price of the piece against what they pay, as a logarithm"),
        ("piece_bought_with", "number", "How often what they own is bought with the piece"),
        ("piece_popularity", "number", "How well the piece sells"),
        ("piece_age_days", "days", "Days since the piece was published"),
        ("piece_visits_90", "count", "Looks at the piece in the last 90 days"),
        ("piece_visit_days", "ago", "Days since they last looked at the piece"),
        ("piece_clicks_90", "count", "Clicks in mails about the piece in the last 90 days"),
        ("piece_click_days", "ago", "Days since the last click in a mail about the piece"),
        ("piece_mailed_days", "ago", "Days since the last mail about the piece"),
    ],
)
REVIEWS = table(
    "reviews",
    [
        ("review_count", "count", "Ratings given"),
        ("review_stars", "share", "Mean rating, of the full scale"),
        ("review_last_stars", "share", "Last rating, of the full scale"),
        ("review_days", "ago", "Days since the last rating"),
        ("words_count", "count", "Texts written"),
        ("words_mood", "number", "Mood of what they wrote, from -1 to 1"),
        ("words_last_mood", "number", "Mood of what they wrote last, from -1 to 1"),
    ],
)
WORDS: dict[str, Words] = {
    **PURCHASES,
    **REFUNDS,
    **MAIL,
    **SITE,
    **MEMBERSHIP,
    **SHELF,
    **TEXT,
    **PIECE,
    **REVIEWS,
}

FAMILIES = {
    "subscriptions": "Subscriptions",
    "site": "Visits and lessons",
    "mail": "Mails and clicks",
    "catalogue": "What is left on sale",
    "text": "Texts read and written",
    "refunds": "Refunds",
    "reviews": "Ratings and moods",
    "piece": "Nearness to the piece",
}
"""What the families of features are called."""


def family_of(name: str) -> str:
    """Return what a family of features is called."""
    return FAMILIES.get(name, name)


def words_of(column: str) -> Words:
    """Return the words of a column; its own name where nobody wrote any."""
    return WORDS.get(column) or Words(column, "number", column)


def title_of(column: str) -> str:
    """Return what a column is called."""
    return words_of(column).title
