"""The stand-alone verifier: standard library and ``cryptography`` only, nothing of ours imported, own decoder.

Read it in this order: ``body`` (what an entry's bytes must look like), ``merkle`` (the tree), ``notes`` (signatures),
``folder`` (a data folder), ``package`` (an evidence package), ``decode`` and ``compare`` (do the stores still say what
the entries say). ``report`` and ``texts`` only print. It runs as ``meterproof-verify``, and from a copy of this folder
as ``python -m gateway.verifier``.
"""
