"""What all tests share: how property tests run."""

from hypothesis import HealthCheck, settings

# No time limits: on a busy machine they fail tests whose subject is fine.
settings.register_profile("vmsgen", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("vmsgen")
