"""What an address may ask: a view's filters and its answer, said once for page, API and chart alike.

A question is a dependency of a route: its fields are what the address says, its methods ask the rooms of the gateway.
"""
