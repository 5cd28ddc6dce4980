"""Candidates from hosted models: the client, what its calls cost, and the record of them."""
