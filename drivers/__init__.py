"""Protocol drivers, one folder a protocol, found by entry point."""
