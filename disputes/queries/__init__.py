"""What pages and the API read of cases. Everything is loaded through `visible_to(user)` (S17)."""

from disputes.queries.accounts import AccountPage, AccountRow, account_page, list_accounts
from disputes.queries.case import CasePage, attachment_of, case_invoices, case_page, message_of, visible_case
from disputes.queries.changes import Changes, changes_after, newest_change
from disputes.queries.filters import STATES_OPEN, CaseFilter
from disputes.queries.inbox import CaseList, CaseRow, ViewCounts, choices, list_cases, neighbours, takers, view_counts
from disputes.queries.review import ReviewItem, quarantined, review_count, review_queue
from disputes.queries.search import Hits, account_to_give, find_accounts, find_invoice, near_invoices, search
from disputes.queries.visibility import visible_accounts, visible_messages, visible_to

__all__ = [
    "STATES_OPEN",
    "AccountPage",
    "AccountRow",
    "CaseFilter",
    "CaseList",
    "CasePage",
    "CaseRow",
    "Changes",
    "Hits",
    "ReviewItem",
    "ViewCounts",
    "account_page",
    "account_to_give",
    "attachment_of",
    "case_invoices",
    "case_page",
    "changes_after",
    "choices",
    "find_accounts",
    "find_invoice",
    "list_accounts",
    "list_cases",
    "message_of",
    "near_invoices",
    "neighbours",
    "newest_change",
    "quarantined",
    "review_count",
    "review_queue",
    "search",
    "takers",
    "view_counts",
    "visible_accounts",
    "visible_case",
    "visible_messages",
    "visible_to",
]
