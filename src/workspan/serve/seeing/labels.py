"""Labels of figures: so many and no more, whatever a client or an upstream writes."""

from __future__ import annotations

from dataclasses import dataclass, field

MOST_KEYS = 200
OTHERS = "others"
"""What the keys beyond are called together."""
OTHER = "other"
REFUSALS = frozenset({"budget_exceeded", "budget_busy", "rate_limit_exceeded"})
"""Of an account, before anything is spent."""
FAILURES = frozenset(
    {
        *("upstream_unauthorized", "upstream_unpaid", "upstream_forbidden", "upstream_redirects"),
        *("upstream_rate_limit", "upstream_quota", "upstream_error", "upstream_broke"),
        *("upstream_timeout", "upstream_unreachable", "failed", "lost"),
    }
)
"""Our own words for an upstream's trouble: its words are none."""
CODES = (
    FAILURES
    | REFUSALS
    | {
        *("", "invalid_request", "unsupported", "unpriced_model", "model_not_found"),
        *(
            "unknown_url",
            "method_not_allowed",
            "body_too_large",
            "body_compressed",
            "body_timeout",
            "client_gone",
        ),
        *("client_slow", "timeout", "draining", "queue_full", "invalid_api_key"),
        *("key_revoked", "key_expired", "model_not_allowed", "store_unreachable", "store_error"),
        *(
            "too_many_trajectories",
            "admin_only",
            "foreign_origin",
            "too_many_watchers",
            "bug",
            "error",
            "bad_request",
        ),
    }
)


def code_label(code: str) -> str:
    """Return an error's code as a label."""
    return code if code in CODES else OTHER


@dataclass(slots=True)
class Keys:
    """Ids of keys as labels: the first so many by their own, the rest together."""

    known: set[str] = field(default_factory=set)

    def label(self, key: str) -> str:
        """Return what a key is counted by."""
        if key in self.known:
            return key
        if len(self.known) >= MOST_KEYS:
            return OTHERS
        self.known.add(key)
        return key
