"""The heart of Meterproof: knows no wire protocol and no web page."""
