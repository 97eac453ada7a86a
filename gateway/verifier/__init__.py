"""The stand-alone verifier: standard library and ``cryptography`` only, nothing of ours imported, own decoder."""
