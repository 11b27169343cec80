"""The four ways of saying no; the root says what to do, the subclass beside its raiser says what happened."""


class EmergencyError(Exception):
    """The root of the four roots; never raised itself."""


class Refused(EmergencyError):  # noqa: N818 - a refusal is a word of the house, not an accident
    """The rules do not allow it: show the words to the person who asked."""

    words_zh: str = "不允许的操作"

    def __init__(self, words: str = "", *, zh: str = "") -> None:
        super().__init__(words or zh or self.words_zh)
        self.zh = zh or self.words_zh


class Missing(EmergencyError):  # noqa: N818 - as above
    """It is not there, or not for this person: answer 404 and nothing more."""


class Unavailable(EmergencyError):  # noqa: N818 - as above
    """Somebody outside did not answer well: try again later."""

    def __init__(self, words: str = "", *, retry_after: float | None = None) -> None:
        super().__init__(words)
        self.retry_after = retry_after


class Misconfigured(EmergencyError):  # noqa: N818 - as above
    """A setting, plan or key is wrong: stop and tell the operator where."""


class Conflict(EmergencyError):  # noqa: N818 - as above
    """Somebody else saved first: run the use case once more on what is there now."""
