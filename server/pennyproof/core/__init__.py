"""Frozen data that all parts share: positions, edits, snapshots, candidates, outcomes, verdicts, offers."""
