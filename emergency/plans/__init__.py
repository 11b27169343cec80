"""What a lawyer can review, read from playbooks/ into values; a bad file is named with its line."""
