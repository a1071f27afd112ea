"""The one place that talks to the ION API gateway: credentials, token, pacing, sending, judging answers."""
