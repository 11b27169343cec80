"""Reduction lists as files: read from what bureaus send, written for them to fill in or to take along."""
