"""Hostile input: the recorded sample cut and flipped, in both formats, as whole streams and section by section.

Whatever the input is, reading it succeeds or raises a :class:`vmsgen.runtime.errors.DataError` that says where; it
never takes long, and never more than 64 MiB. Each job runs in a process of its own, so that memory can be measured.

The default run takes a sample of the cases, about a minute. The campaign takes all of them (the framing and one section
of each kind cut at every offset, everything else at every 64th, and 10,000 flipped streams in each format) and needs an
hour or two::

    VMSGEN_CAMPAIGN=1 VMSGEN_SEED=7 python -m pytest tests/hostile -q

``python -m tests.hostile.cases JOB --seed N --cases N`` runs one job by hand and prints what happened.
"""
