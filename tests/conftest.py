"""What holds for all tests."""

import os

from hypothesis import HealthCheck, settings

# Who has a key pays for no test: those that ask a model bring a stand-in, and its key.
for variable in ("DEEPSEEK_API_KEY", "PENNYPROOF_API_KEY"):
    os.environ.pop(variable, None)

# A slow machine is no failure: nothing here is judged by the clock.
settings.register_profile("unhurried", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("unhurried")
