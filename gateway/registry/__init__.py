"""The embedded relational projection with as-of queries."""
