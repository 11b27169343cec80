"""The rows beside a decision: consultations, what forecasts were worth, candidate plans, exercises."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Boolean, Date, ForeignKey, Index, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from emergency.store.tables import Base


class ConsultationRow(Base):
    """A consultation (会商): what was asked, by when, and what came of it."""

    __tablename__ = "consultations"
    id: Mapped[UUID] = mapped_column(primary_key=True)
    area: Mapped[str] = mapped_column(ForeignKey("areas.id"))
    episode_id: Mapped[UUID | None] = mapped_column(ForeignKey("episodes.id"))
    decision_id: Mapped[UUID | None] = mapped_column(ForeignKey("decisions.id"))
    subject: Mapped[str] = mapped_column(Text)
    called_by: Mapped[UUID]
    called_at: Mapped[datetime]
    due_at: Mapped[datetime]
    assessment: Mapped[dict[str, Any]]
    conclusion: Mapped[str] = mapped_column(Text)
    level: Mapped[int | None]
    concluded_by: Mapped[UUID | None]
    concluded_at: Mapped[datetime | None]
    version: Mapped[int]
    __table_args__ = (Index(None, "area", "called_at"), Index(None, "decision_id"), Index(None, "episode_id"))


class VoiceRow(Base):
    """One who was asked in a consultation, and what they said; unasked voices are refused."""

    __tablename__ = "consultation_voices"
    id: Mapped[UUID] = mapped_column(primary_key=True)
    consultation_id: Mapped[UUID] = mapped_column(ForeignKey("consultations.id"))
    person_id: Mapped[UUID | None]
    name: Mapped[str]
    unit: Mapped[str]
    asked_at: Mapped[datetime]
    level: Mapped[int | None]
    said: Mapped[str] = mapped_column(Text)
    said_at: Mapped[datetime | None]
    entered_by: Mapped[UUID | None]
    __table_args__ = (Index(None, "consultation_id"),)


class ConsultationFileRow(Base):
    """A file laid before a consultation, kept by its hash."""

    __tablename__ = "consultation_files"
    consultation_id: Mapped[UUID] = mapped_column(ForeignKey("consultations.id"), primary_key=True)
    sha256: Mapped[str] = mapped_column(ForeignKey("files.sha256"), primary_key=True)
    by: Mapped[UUID]
    at: Mapped[datetime]


class VerifiedDayRow(Base):
    """One predicted day beside what was measured: what a source said so many days ahead, and what came."""

    __tablename__ = "verified_days"
    feed: Mapped[str] = mapped_column(String(40), primary_key=True)
    place: Mapped[str] = mapped_column(primary_key=True)
    day: Mapped[date] = mapped_column(Date, primary_key=True)
    lead_days: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    issued_at: Mapped[datetime]
    forecast_aqi: Mapped[int]
    forecast_low: Mapped[int | None]
    forecast_high: Mapped[int | None]
    forecast_primary: Mapped[list[Any]]
    observed_aqi: Mapped[int]
    observed_primary: Mapped[list[Any]]
    persistence_aqi: Mapped[int | None]  # the day of issue as measured: what anybody would have said
    verified_at: Mapped[datetime]
    __table_args__ = (Index(None, "place", "day"),)


class ShadowRow(Base):
    """What a candidate plan says beside the active one, for as long as both say the same as before."""

    __tablename__ = "shadow_verdicts"
    id: Mapped[UUID] = mapped_column(primary_key=True)
    area: Mapped[str] = mapped_column(ForeignKey("areas.id"))
    plan_id: Mapped[str]
    plan_sha: Mapped[str] = mapped_column(String(64))
    active_plan_id: Mapped[str]
    active_plan_sha: Mapped[str] = mapped_column(String(64))
    level: Mapped[int | None]  # None where the candidate refused to say
    active_level: Mapped[int | None]
    differs: Mapped[bool] = mapped_column(Boolean)
    sentence_zh: Mapped[str] = mapped_column(Text)
    sentence_en: Mapped[str] = mapped_column(Text)
    since: Mapped[datetime]
    seen_at: Mapped[datetime]
    asks: Mapped[str | None] = mapped_column(String(40))  # the candidate's move, None where it was not asked
    active_asks: Mapped[str | None] = mapped_column(String(40))
    __table_args__ = (Index(None, "area", "plan_id", "since"),)


class ExerciseRow(Base):
    """An exercise (演练) with its wall: whom it may reach for real, and who opened that."""

    __tablename__ = "exercises"
    id: Mapped[str] = mapped_column(String(36), primary_key=True)
    area: Mapped[str] = mapped_column(ForeignKey("areas.id"))
    name: Mapped[str]
    drill: Mapped[str] = mapped_column(String(80))
    called_by: Mapped[UUID]
    called_at: Mapped[datetime]
    confirmed_by: Mapped[UUID | None]
    confirmed_at: Mapped[datetime | None]
    begun_at: Mapped[datetime | None]
    evening: Mapped[int]  # how many forecasts were let in; the newest one's air is the exercise's air
    ended_by: Mapped[UUID | None]
    ended_at: Mapped[datetime | None]
    version: Mapped[int]
    __table_args__ = (Index(None, "area", "called_at"),)


class OpenedRow(Base):
    """One address that an exercise may reach for real; opened by one person, confirmed by another."""

    __tablename__ = "exercise_openings"
    id: Mapped[UUID] = mapped_column(primary_key=True)
    exercise_id: Mapped[str] = mapped_column(ForeignKey("exercises.id"))
    address: Mapped[str] = mapped_column(String(200))
    name: Mapped[str]
    opened_by: Mapped[UUID]
    opened_at: Mapped[datetime]
    confirmed_by: Mapped[UUID | None]
    confirmed_at: Mapped[datetime | None]
    __table_args__ = (UniqueConstraint("exercise_id", "address"),)
