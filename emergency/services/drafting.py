"""Draws up a decision: the episode it belongs to, its grounds and notice, and what the rule says beside it."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from uuid import UUID, uuid5

from emergency.domain import extending, letting_go
from emergency.domain.assessment import Assessment, as_data, from_data, without_air
from emergency.domain.calm import calm, least, one_episode, over_in_all
from emergency.domain.episode import NEEDS_NO_AIR, Decision, Episode, Move, Notice, Phase, Standing, Ungrounded, due
from emergency.domain.falling import falls_to, lowering_rule, outlived
from emergency.domain.level import Level
from emergency.domain.papers import same_number
from emergency.domain.plan import Authority, Plan, doubtful
from emergency.domain.review import Stage
from emergency.errors import Refused
from emergency.services import advising, wording
from emergency.services.rules import NoAir, Rules
from emergency.store import Tx
from emergency.store import relaying as relayed

_NAMESPACE = UUID("2b1f8a6e-3c6d-4d7e-8a55-0c1d2e3f4a5b")


class NothingToDismiss(Refused):
    """Nothing is waiting to be started."""

    words_zh = "没有等待启动的过程，无须“不启动”"


class TooLateToReopen(Refused):
    """The merge gap is over, or the review is signed: what comes now is an episode of its own."""

    words_zh = "距上次解除已超过预案规定的间隔，或上次过程的评估已签字，不能再重新启动，请按新过程提出"


class NumberTaken(Refused):
    """The area signed something under this 文号 before."""

    words_zh = "该文号已签发过，不能再用"


def still_free(tx: Tx, rules: Rules, decision: Decision, *, now: datetime) -> None:
    """
    One 文号 names one notice of the area; a withdrawal alone may bear that of a notice of its episode, which it takes
    back.

    :raises NumberTaken: the area signed another under it; names the next that is free
    """
    number = decision.notice.number
    if not any(same_number(number, one) for one in tx.numbers_signed(decision.area)):
        return
    signed = (one for one in tx.decisions(decision.episode_id) if one.standing is Standing.APPROVED)
    if decision.move is Move.WITHDRAW and any(same_number(number, one.notice.number) for one in signed):
        return
    rules = rules.in_exercise(tx.exercise_of(decision.episode_id))
    plan = rules.plan_of(tx, decision.area)
    free = rules.next_number(tx, plan, decision.area, move=decision.move, now=now)
    raise NumberTaken(
        f"{number} was signed before, the next number is {free}",
        zh=f"文号{number}已签发过，不能再用；下一个可用文号是{free}，请退回后改用新文号重新提出",
    )


def grounds_now(tx: Tx, rules: Rules, area: str, *, move: Move, because: str, now: datetime) -> Assessment:
    """
    What the plan's rule says now; where there is nothing to judge, the reason people give for what needs no air.

    :raises NoAir: there is nothing to judge, and something is to begin, to rise or to fall
    :raises Ungrounded: there is nothing to judge and no reason is given
    """
    try:
        return rules.assess_now(tx, area, now=now)
    except NoAir as found:
        if move not in NEEDS_NO_AIR:
            raise
        if not because.strip():
            raise Ungrounded(
                "there are no data, the rule cannot judge: a reason is needed",
                zh="没有可用数据，规则无法判断，请写明理由",
            ) from found
    plan = rules.plan_of(tx, area)
    return without_air(plan.id, plan.sha, because=because.strip())


def again(
    tx: Tx, plan: Plan, area: str, *, starts_at: datetime | None, exercise: str = ""
) -> tuple[Episode | None, bool]:
    """
    The episode before, and whether it may still be reopened: it was released, a spell from ``starts_at`` on belongs to
    it by the plan's merge gap, and nobody has signed its review.
    """
    before = tx.latest_episode(area, exercise)
    if before is None or before.released_at is None:
        return None, False
    if starts_at is None or not one_episode(plan, ended_at=before.released_at, starts_at=starts_at):
        return before, False
    review = tx.review_of(before.id)
    open_ = before.phase is Phase.RELEASED and (review is None or review.stage is Stage.DRAFTED)
    return before, open_


def may_still_reopen(tx: Tx, plan: Plan, decision: Decision, *, now: datetime) -> bool:
    """
    Whether what a proposal to reopen asks for is still to be had at ``now``: by the plan's merge gap, counted to where
    the spell begins or the level would hold and never to an hour that is past, and while nobody has signed the review.
    """
    said = decision.assessment
    since = from_data(said).since if said.get("days") else decision.notice.effective_at
    starts_at = max(since or now, now)
    exercise = tx.exercise_of(decision.episode_id)
    before, may = again(tx, plan, decision.area, starts_at=starts_at, exercise=exercise)
    return may and before is not None and before.id == decision.episode_id


def still_reopens(tx: Tx, rules: Rules, decision: Decision, *, now: datetime) -> None:
    """
    Refuse the signature of a proposal to reopen that came too late; of any other there is nothing to refuse.

    :raises TooLateToReopen: see ``may_still_reopen``
    """
    if decision.move is Move.REOPEN and not may_still_reopen(tx, rules.plan_of(tx, decision.area), decision, now=now):
        raise TooLateToReopen(f"episode {decision.episode_id} can no longer be reopened: a new one has to begin")


def episode_for(
    tx: Tx, rules: Rules, plan: Plan, area: str, *, move: Move, starts_at: datetime | None, now: datetime
) -> Episode:
    """
    The area's running episode, or the released one that is to be reopened, or a new one linked to the one before.

    :raises NothingToDismiss: no episode is opening
    """
    episode = tx.running_episode(area, rules.exercise)
    if episode is not None:
        return episode
    if move is Move.DISMISS:
        raise NothingToDismiss(f"no episode is opening in {area}")
    before, may_reopen = again(tx, plan, area, starts_at=starts_at, exercise=rules.exercise)
    if move is Move.REOPEN and before is not None and may_reopen:
        return tx.episode(before.id)
    tx.keep_plan(sha=plan.sha, plan_id=plan.id, text=plan.text, now=now)
    fresh = Episode(
        id=uuid5(_NAMESPACE, ":".join(filter(None, (area, now.isoformat(), rules.exercise)))),
        area=area,
        plan_id=plan.id,
        plan_sha=plan.sha,
        phase=Phase.OPENING,
        level=Level.NONE,
        opened_at=now,
        label=rules.label,
        follows=before.id if before else None,
        exercise=rules.exercise,
    )
    return tx.save(fresh, fact="episode.opened", by="system", at=now, more={"plan": plan.id, "plan_sha": plan.sha})


def drawn(
    tx: Tx,
    rules: Rules,
    plan: Plan,
    episode: Episode,
    *,
    move: Move,
    level: Level,
    assessment: Assessment,
    now: datetime,
) -> Decision:
    """A decision as it is drawn up from the plan and the air, for a person to put forward; nothing is saved."""
    said = as_data(assessment)
    ends = move in (Move.RELEASE, Move.WITHDRAW, Move.DISMISS)
    place = tx.area(episode.area).name
    until = None if ends else rules.expected_end(plan, assessment)
    if move is Move.EXTEND:
        until = extending.capped(plan, until, episode.expected_end_at, now=now)
    notice = Notice(
        number=rules.next_number(tx, plan, episode.area, move=move, now=now),
        issuer=plan.issuer,
        legal_basis="；".join(plan.legal_basis),
        level=level,
        area=place,
        reason=assessment.sentence_zh,
        effective_at=rules.effective_at(plan, move, level, now=now),
        contact=rules.desk_contact(tx, episode.area),
        expected_end_at=until,
        open_ended=not ends and until is None,
    )
    if move is Move.ADVISE:
        notice, days = advising.sealed(rules, plan, notice, assessment, now=now)
        said |= days
    says = rule_says(tx, rules, plan, episode, move=move, level=level, assessment=assessment, now=now)
    tested = _tested(tx, rules, plan, episode, move=move, assessment=assessment, says=says, now=now)
    if tested is not None:
        said = tested
        notice = replace(notice, reason=str(tested["sentence_zh"]))
    stands = says if move is Move.DISMISS else episode.level  # not to start a level is signed like that level
    signed_as = max(level, stands)
    drawn_up = Decision(
        id=uuid5(episode.id, f"decision:{len(tx.decisions(episode.id)) + 1}"),
        episode_id=episode.id,
        area=episode.area,
        move=move,
        level=level,
        level_before=episode.level,
        rule_says=says,
        assessment=said,
        notice=notice,
        proposed_by=None,
        proposed_at=now,
        suggested_at=now,
        decide_by=due(now, plan.approval(level).within_minutes),
        rank_needed=extending.rank_needed(plan, move, signed_as),
        doubtful=_doubtful(plan, assessment, move=move, level=signed_as),
    )
    return with_public_text(rules, plan, drawn_up)


def with_public_text(rules: Rules, plan: Plan, decision: Decision) -> Decision:
    """
    The decision with the text the public will read, worded from the notice as it stands now.

    The last step before it is sealed: whatever a person typed into the notice, the public reads the same.
    """
    if plan.authority is not Authority.ISSUES or decision.move in (Move.APPEAL, Move.ADVISE, Move.DISMISS):
        return decision  # nothing began or ended; an advisory has words of its own
    if decision.notice.blanks(releasing=decision.move in (Move.RELEASE, Move.WITHDRAW)):
        return replace(decision, notice=replace(decision.notice, public_text=""))  # the blank is named at the signature
    text = wording.public_notice(
        rules,
        decision.notice,
        decision.move,
        level_before=decision.level_before,
        actions=rules.public_actions(decision.notice.level),
    )
    return replace(decision, notice=replace(decision.notice, public_text=text))


def _tested(
    tx: Tx,
    rules: Rules,
    plan: Plan,
    episode: Episode,
    *,
    move: Move,
    assessment: Assessment,
    says: Level,
    now: datetime,
) -> dict[str, object] | None:
    """
    What a release or a lowering rests on: the plan's own test, met or not, with its comparisons, kept with the
    decision; the assessment of the spell, which says why there was a warning, stays beside it.

    :raises UnknownCell: the plan has no release rule
    """
    if move not in (Move.RELEASE, Move.DOWNGRADE) or assessment.bulletin or not assessment.days:
        return None
    airs = rules.airs_ahead(tx, episode.area, now=now)
    lowers = move is Move.DOWNGRADE
    each = [outlived(plan, air, episode.level, now=now) if lowers else calm(plan, air, now=now) for air in airs]
    result = least([one for one in each if one is not None])
    rule = lowering_rule(plan, episode.level) if lowers else plan.release_rule
    if result is None or rule is None:
        return None
    clause, level = (letting_go.LOWERING, episode.level) if lowers else (letting_go.RELEASE, Level.NONE)
    test = letting_go.Trial(clause, rule, level, airs[each.index(result)], result)
    return letting_go.explained(plan, assessment, test, says=says, now=now)


def _doubtful(plan: Plan, assessment: Assessment, *, move: Move, level: Level) -> tuple[str, ...]:
    """Every number the decision rests on that was read in no text: the trigger's, the signer's, the deadline's."""
    paths = [f"approval.{level.word}"]
    if assessment.bulletin:
        paths.append("activation_deadline_min")
    if move is Move.RELEASE and not assessment.bulletin:
        paths.append("release")
    return tuple(dict.fromkeys((*assessment.doubtful, *doubtful(plan, *paths))))


def rule_says(
    tx: Tx,
    rules: Rules,
    plan: Plan,
    episode: Episode,
    *,
    move: Move,
    level: Level,
    assessment: Assessment,
    now: datetime,
) -> Level:
    """
    The level the rule itself gives, to stand beside what people decide; none without air, which is no agreement
    (``Decision.without_air`` tells the two apart).

    Going down is for the plan's tests to say, never for a lower figure: until one is met the rule says what holds.
    """
    if not assessment.days and not assessment.bulletin:
        return Level.NONE
    in_force = episode.effective_at is not None and episode.effective_at < now
    if assessment.bulletin and move is Move.DISMISS:
        return assessment.level  # not to start is against what the notice says, whatever the air here
    if assessment.bulletin or move in (Move.APPEAL, Move.ADVISE):
        return level
    if move is Move.WITHDRAW and plan.authority is Authority.ACTIVATES:
        notice = relayed.standing(tx, episode.area, exercise=episode.exercise)
        return Level.NONE if notice is None else notice.level  # a district goes by what the city announced
    if move is Move.WITHDRAW and not in_force:
        return level
    airs = rules.airs_ahead(tx, episode.area, now=now)
    goes_down = move in (Move.RELEASE, Move.DOWNGRADE, Move.WITHDRAW)  # to take back what is in force ends it as well
    if goes_down and over_in_all(plan, airs, spell_until=rules.spell_until(assessment), now=now):
        return level
    lowered = falls_to(plan, airs, in_force=episode.level, verdict=assessment.level, now=now)
    return max(episode.level, assessment.level) if lowered is None else lowered
