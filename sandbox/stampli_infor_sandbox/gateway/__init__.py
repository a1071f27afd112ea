"""The ION API gateway: tokens, throttling, the M3 REST routes and injected faults."""
