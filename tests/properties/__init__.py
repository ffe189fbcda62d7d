"""Properties of generated code: the straight-line codecs agree with the walk, and both formats give back what they got.

Objects are drawn at random, but the default run draws the same ones every time and takes about a minute. A campaign
draws more, others with every seed::

    VMSGEN_EXAMPLES=200 VMSGEN_SEED=7 python -m pytest tests/properties -q

A failure names the state and the seed of the object, so that ``VMSGEN_EXAMPLES`` and ``VMSGEN_SEED`` bring it back.
"""
