"""What all tests share: how property tests run, how differences are shown, and that Ctrl-C reaches what they start."""

import os
import signal
import threading

from hypothesis import HealthCheck, settings

# No time limits: on a busy machine they fail tests whose subject is fine.
# What is drawn may be thrown away often: how often depends on the draw.
UNHURRIED = [HealthCheck.too_slow, HealthCheck.filter_too_much]
settings.register_profile("vmsgen", deadline=None, suppress_health_check=UNHURRIED)
settings.load_profile("vmsgen")

# Where these are set, pytest lays out in full how two values differ: hours for two memories of megabytes.
for variable in ("CI", "BUILD_NUMBER"):
    os.environ.pop(variable, None)

# A shell ignores SIGINT for what it runs in its background, and so would every program that a test starts from there.
if threading.current_thread() is threading.main_thread():
    signal.signal(signal.SIGINT, signal.default_int_handler)
