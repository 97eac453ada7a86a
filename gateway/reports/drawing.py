"""Drawings as SVG by the chart engine, in this process: for commands, which end soon after.

``serve`` draws the same specifications in its short-lived child instead, because the engine takes tens of megabytes.
"""

from gateway.domain.errors import MeterproofError
from gateway.reports.document import Document


class UndrawableError(MeterproofError):
    """The chart engine refused a drawing."""


def drawn(document: Document) -> dict[str, bytes]:
    """The SVG of each picture, by id; UndrawableError when one cannot be drawn."""
    import vl_convert  # noqa: PLC0415  # tens of megabytes, for those who draw only

    made = {}
    for picture in document.pictures():
        try:
            made[picture.id] = str(vl_convert.vegalite_to_svg(dict(picture.spec), allowed_base_urls=[])).encode()
        except ValueError as error:
            raise UndrawableError(
                "the drawing '%(id)s' cannot be made: %(reason)s", id=picture.id, reason=str(error)[:300]
            ) from error
    return made
