"""The reduction list (应急减排清单) as bureaus keep it, read into enterprises and what each does."""
