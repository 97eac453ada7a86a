"""Reading rules, one file a rule."""
