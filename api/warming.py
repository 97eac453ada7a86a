"""What the first requests would otherwise wait for, done while nobody waits: templates compiled, catalogues read."""

from threading import Thread

from api.web.environment import environment
from gateway.assembly.accounting_loading import reference


def warm() -> None:
    """Compile every template and read the shipped catalogues; both are kept for the life of the process."""
    reference()
    made = environment()
    for name in made.list_templates(extensions=["html"]):
        made.get_template(name)


def warm_in_background() -> None:
    """Begin it beside the server; the end of the process does not wait for it."""
    Thread(target=warm, name="warming", daemon=True).start()
