"""The one table: every route of the server and the permission it demands. A route without a line is refused.

The key is method and path as the route declares them. ``public`` needs no person, ``own`` any signed-in one; the other
permissions and the roles that have them stand in ``api.people.roles``.
"""

ROUTES: dict[str, str] = {
    # signing in and one's own account
    "GET /sign-in": "public",
    "POST /sign-in": "public",
    "GET /sign-in/link": "public",
    "POST /sign-in/link": "public",
    "POST /sign-out": "own",
    "GET /account": "own",
    "POST /account/password": "own",
    "POST /account/tokens": "own",
    "POST /account/tokens/revoke": "own",
    "GET /writes/{seq}": "own",
    "GET /api/v1/writes/{seq}": "own",
    "GET /api/v1/openapi.json": "own",
    # pages
    "GET /": "findings",
    "GET /live": "figures",
    "GET /live/{point:path}": "figures",
    "GET /instruments": "ledger",
    "GET /instruments/{instrument:path}": "ledger",
    "GET /points": "ledger",
    "GET /calibration": "ledger",
    "GET /quality": "figures",
    "POST /quality/decide": "quality.decide",
    "GET /api/v1/quality/queue": "figures",
    "POST /api/v1/quality/decisions": "quality.decide",
    "GET /energy": "figures",
    "GET /balance": "figures",
    "GET /carbon": "figures",
    "GET /findings": "findings",
    "GET /trace": "evidence",
    "GET /journal": "evidence",
    "GET /journal/{seq}": "evidence",
    # the same as JSON and CSV
    "GET /api/v1/overview": "findings",
    "GET /api/v1/overview/hours": "findings",
    "GET /api/v1/live": "figures",
    "GET /api/v1/live/{point:path}": "figures",
    "GET /api/v1/instruments": "ledger",
    "GET /api/v1/instruments/{instrument:path}": "ledger",
    "GET /api/v1/findings": "findings",
    "GET /api/v1/trace": "evidence",
    "GET /api/v1/journal": "evidence",
    "GET /api/v1/journal/{seq}": "evidence",
    "GET /api/v1/journal/{seq}/proof": "evidence",
    "GET /api/v1/delivery": "evidence",
    "GET /api/v1/completeness": "figures",
    "GET /api/v1/points": "ledger",
    "GET /api/v1/energy": "figures",
    "GET /api/v1/balance": "figures",
    "GET /api/v1/calibration": "ledger",
    "GET /api/v1/account": "figures",
    "GET /api/v1/account/lines": "figures",
    "GET /api/v1/account/sources": "figures",
    "GET /api/v1/account/exposure": "figures",
    "GET /api/v1/account/budget": "figures",
    "GET /api/v1/account/checks": "figures",
    "GET /api/v1/account/results": "figures",
    "GET /api/v1/account/results/{result:path}": "figures",
    "GET /api/v1/account/comparison": "figures",
    # charts
    "GET /charts/engine.js": "own",
    "GET /charts/hours.svg": "findings",
    "GET /charts/hours.json": "findings",
    "GET /charts/energy.svg": "figures",
    "GET /charts/energy.json": "figures",
    "GET /charts/emissions.svg": "figures",
    "GET /charts/emissions.json": "figures",
    "GET /charts/budget.svg": "figures",
    "GET /charts/budget.json": "figures",
    "GET /charts/validity.svg": "ledger",
    "GET /charts/validity.json": "ledger",
}


def route_name(method: str, path: str) -> str:
    """The key of a route in ``ROUTES``; HEAD is GET without its body."""
    return f"{'GET' if method == 'HEAD' else method} {path}"
