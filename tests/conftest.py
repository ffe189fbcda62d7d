"""What all tests share: how property tests run, and that Ctrl-C reaches what they start."""

import signal
import threading

from hypothesis import HealthCheck, settings

# No time limits: on a busy machine they fail tests whose subject is fine.
settings.register_profile("vmsgen", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("vmsgen")

# A shell ignores SIGINT for what it runs in its background, and so would every program that a test starts from there.
if threading.current_thread() is threading.main_thread():
    signal.signal(signal.SIGINT, signal.default_int_handler)
