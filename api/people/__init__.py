"""People: accounts, roles, sessions, tokens, and the one table of who may do what."""
