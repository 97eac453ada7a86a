"""Names of the site and its organisation, from the site's newest configuration entry."""

from dataclasses import dataclass
from typing import Any

from gateway.audit.asking import Asking, Sources


@dataclass(frozen=True, slots=True, kw_only=True)
class SiteFact:
    """Names in both languages; empty where no configuration of the site was recorded."""

    site: dict[str, Any]
    organisation: dict[str, Any]
    configuration_seq: int | None

    def site_name(self, language: str) -> str:
        """The site's name."""
        return str((self.site.get("name") or {}).get(language) or "")

    def organisation_name(self, language: str) -> str:
        """The organisation's name."""
        return str((self.organisation.get("name") or {}).get(language) or "")


def site_fact(sources: Sources, asking: Asking, site: str) -> SiteFact:
    """The names as recorded."""
    for each in sources.registry.configurations(asking.organisation, "site", asking.known_seq):
        if each.id == site:
            described = each.body.get("site") or {}
            return SiteFact(
                site=described.get("site") or {},
                organisation=described.get("organisation") or {},
                configuration_seq=each.seq,
            )
    return SiteFact(site={}, organisation={}, configuration_seq=None)
