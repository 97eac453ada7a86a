"""What is done before the first request is done for it, and is done once."""

from api.warming import warm
from api.web.environment import environment
from gateway.assembly import accounting_loading
from gateway.assembly.accounting_loading import reference


def test_templates_and_catalogues_stand_ready() -> None:
    environment.cache_clear()
    warm()
    kept = environment().cache
    assert kept is not None
    assert len(kept) > 40, "every page's template is compiled"
    before = environment().get_template("watch.html")
    assert environment().get_template("watch.html") is before
    assert reference() is accounting_loading.reference()
