"""The audit views by name, in the four groups of the chain: 器具, 数据, 行为, 结果."""

from collections.abc import Callable, Mapping, Sequence

from gateway.domain.errors import UnknownObjectError
from gateway.review import views_conduct, views_data, views_instruments, views_stack
from gateway.review.anomalies import anomalies_view
from gateway.review.gathered import Gathered, Section

VIEWS: Mapping[str, Callable[[Gathered], Section]] = {
    "ledger": views_instruments.ledger_view,
    "certificates": views_instruments.certificates_view,
    "use": views_instruments.use_view,
    "checks": views_instruments.checks_view,
    "sources": views_instruments.sources_view,
    "completeness": views_data.completeness_view,
    "exposure": views_data.exposure_view,
    "anomalies": anomalies_view,
    "integrity": views_data.integrity_view,
    "configurations": views_data.configurations_view,
    "samples": views_data.samples_view,
    "revisions": views_data.revisions_view,
    "balance": views_data.balance_view,
    "stack": views_stack.stack_view,
    "platform": views_conduct.platform_view,
    "people": views_conduct.people_view,
    "actions": views_conduct.actions_view,
    "documents": views_conduct.documents_view,
    "handed_in": views_conduct.handed_in_view,
    "rectification": views_conduct.rectification_view,
    "results": views_conduct.results_view,
    "factors": views_conduct.factors_view,
    "verification": views_conduct.verification_view,
}

GROUPS: Mapping[str, Sequence[str]] = {
    "instruments": ("ledger", "certificates", "use", "sources"),
    "data": (
        "completeness",
        "exposure",
        "anomalies",
        "integrity",
        "configurations",
        "samples",
        "revisions",
        "balance",
        "stack",
        "platform",
    ),
    "behaviour": ("people", "actions", "documents"),
    "result": ("results", "factors", "verification"),
}
"""器具, 数据, 行为, 结果; views that only speak within a review (checks, handed_in, rectification) are not listed."""


def view(gathered: Gathered, name: str) -> Section:
    """One view; UnknownObjectError when there is none of that name. Looked up once a question."""
    maker = VIEWS.get(name)
    if maker is None:
        raise UnknownObjectError("there is no audit view '%(id)s'", id=name)
    if name not in gathered.memory:
        gathered.memory[name] = maker(gathered)
    found: Section = gathered.memory[name]
    return found
