"""What a person or an auditor reads: the events as files, and the proof that nobody touched them."""
