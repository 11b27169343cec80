"""The pages of a consultation: who may call, who may speak, who may look, and what stands beside a signature."""

from __future__ import annotations

import io
import re
from uuid import UUID

from flask.testing import FlaskClient

from emergency.domain.consultation import Consultation
from emergency.domain.episode import Decision, Standing
from emergency.store import consulting
from tests.web.conftest import SignedIn, token_in
from tests.world import DISTRICT, PASSWORD, World

PDF = b"%PDF-1.4\n1 0 obj\n<< >>\nendobj\ntrailer\n<< >>\n%%EOF\n"


def press(browser: FlaskClient, page: str, action: str, **said: object) -> tuple[int, str]:
    """Open the page and send its form; the status and the page it led to."""
    form = {"csrf_token": token_in(browser.get(page).text), **said}
    answer = browser.post(action, data=form)
    where = answer.headers.get("Location", "")
    return answer.status_code, browser.get(where).text if where else answer.text


def called(world: World, browser: FlaskClient, *people: str, decision: Decision | None = None) -> UUID:
    """Called on the page; its id."""
    about = f"?decision={decision.id}" if decision else ""
    status, page = press(
        browser,
        f"/console/consultations/new{about}",
        "/console/consultations/new",
        area=decision.area if decision else DISTRICT,
        decision=str(decision.id) if decision else "",
        subject="未来三天是否建议橙色",
        person=[str(world.person(one).id) for one in people],
        guest_unit=["区气象局"],
        guest_name=["张工"],
        due_at="2015-02-08T18:05",
    )
    assert status == 303, page
    found = re.search(r"/console/consultations/([0-9a-f-]{36})/voice", page)
    assert found
    return UUID(found.group(1))


def kept(world: World, consultation_id: UUID) -> Consultation:
    """As it lies in the rows."""
    with world.store.reading() as tx:
        return consulting.consultation(tx, consultation_id)


def test_the_desk_calls_writes_down_and_concludes_and_silence_is_shown_as_silence(
    world: World, signed_in: SignedIn
) -> None:
    desk = signed_in("lj-duty")
    one = called(world, desk, "lj-approver2")
    path = f"/console/consultations/{one}"

    assert "未回复 2 人" in desk.get(path).text
    assert path in desk.get("/console").text
    assert path in desk.get("/console/tasks").text
    status, page = press(desk, path, f"{path}/voice", key="区气象局 张工", level="orange", said="静稳 <b>维持</b>")
    assert status == 303
    assert "静稳 &lt;b&gt;维持&lt;/b&gt;" in page
    assert "值班员乙（柳江区应急指挥部办公室值班员）代录" in page
    status, page = press(desk, path, f"{path}/conclusion", outcome="none", conclusion="暂不预警")
    assert status == 303
    assert "未回复 1 人" in page
    assert "未回复不当作同意" in page
    assert f"{path}/voice" not in page
    assert (
        desk.post(
            f"{path}/voice", data={"csrf_token": token_in(page), "key": "区气象局 张工", "said": "又"}
        ).status_code
        == 422
    )
    assert kept(world, one).conclusion == "暂不预警"
    assert path not in desk.get("/console/tasks").text


def test_a_unit_that_was_asked_says_its_word_and_sees_no_other_consultation(world: World, signed_in: SignedIn) -> None:
    desk, town = signed_in("lj-duty"), signed_in("labao-town")
    one = called(world, desk, "labao-town")
    path, town_id = f"/console/consultations/{one}", str(world.person("labao-town").id)

    assert "待我回复" in town.get("/console/consultations").text
    status, page = press(town, path, f"{path}/voice", key=town_id, level="yellow", said="")
    assert status == 303
    assert "代录" not in page
    assert f"{path}/conclusion" not in page
    assert (
        town.post(f"{path}/voice", data={"csrf_token": token_in(page), "key": "区气象局 张工", "said": "x"}).status_code
        == 403
    )
    world.clock.forward(minutes=2)
    other = called(world, desk, "lj-approver2")
    assert town.get(f"/console/consultations/{other}").status_code == 403


def test_an_inspector_and_a_reviewer_read_and_do_not_write(world: World, signed_in: SignedIn) -> None:
    one = called(world, signed_in("lj-duty"), "lj-approver2")
    reviewer = signed_in("lj-reviewer")
    page = reviewer.get(f"/console/consultations/{one}").text

    assert "区气象局" in page
    assert "/voice" not in page
    form = {"csrf_token": token_in(page), "outcome": "none", "conclusion": "x"}
    assert reviewer.post(f"/console/consultations/{one}/conclusion", data=form).status_code == 403
    form = {"csrf_token": token_in(page), "key": "区气象局 张工", "said": "x"}
    assert reviewer.post(f"/console/consultations/{one}/voice", data=form).status_code == 403


def test_the_city_sees_the_district_s_and_the_district_not_the_city_s(world: World, signed_in: SignedIn) -> None:
    city, district = signed_in("city-duty"), signed_in("lj-duty")
    theirs = called(world, district, "lj-approver2")
    decision = world.forecast(120, 193, 229)[0]
    ours = called(world, city, "city-approver2", decision=decision)

    assert city.get(f"/console/consultations/{theirs}").status_code == 200
    assert f"/console/consultations/{theirs}" in city.get("/console/consultations").text
    assert district.get(f"/console/consultations/{ours}").status_code == 403
    assert district.get(f"/console/consultations/new?decision={decision.id}").status_code == 403


def test_a_refused_form_keeps_what_was_typed(world: World, signed_in: SignedIn) -> None:
    desk = signed_in("lj-duty")
    status, page = press(
        desk,
        "/console/consultations/new",
        "/console/consultations/new",
        area=DISTRICT,
        decision="",
        subject="风向何时转北",
        guest_unit=["区气象局"],
        guest_name=[""],
        due_at="2015-02-08T18:05",
    )

    assert status == 422
    assert "请至少邀请一位参加会商" in page
    assert "风向何时转北" in page
    assert 'value="区气象局"' in page


def test_a_file_is_kept_by_what_it_is_and_shown_to_those_who_may_read(world: World, signed_in: SignedIn) -> None:
    desk = signed_in("lj-duty")
    one = called(world, desk, "labao-town")
    path = f"/console/consultations/{one}"

    status, page = press(desk, path, f"{path}/file", file=(io.BytesIO(b"MZ not a picture"), "map.png"))
    assert status == 422
    assert "PDF、PNG 或 JPEG" in page
    status, page = press(desk, path, f"{path}/file", file=(io.BytesIO(PDF), "研判图.pdf"))
    assert status == 303
    assert "研判图.pdf" in page
    address = f"{path}/files/{kept(world, one).papers[0].sha256}"
    for login, status in (("labao-town", 200), ("lj-reviewer", 200), ("sample-kiln", 403)):
        answer = signed_in(login).get(address)
        answer.close()
        assert answer.status_code == status, login
    assert desk.get(f"{path}/files/{'0' * 64}").status_code == 404


def test_the_signer_reads_the_consultation_beside_the_rule_and_signs_it(world: World, signed_in: SignedIn) -> None:
    decision = world.forecast(120, 193, 229)[0]
    desk = signed_in("city-duty")
    one = called(world, desk, "city-approver2", decision=decision)
    path, page = f"/console/consultations/{one}", f"/console/decisions/{decision.id}"
    assert "作为依据的会商" not in desk.get(page).text
    press(desk, path, f"{path}/conclusion", outcome="orange", conclusion="静稳加重，建议橙色")

    assert f'name="consultation" value="{one}" checked' in desk.get(page).text

    form = {
        "number": "柳气预警〔2015〕1号",
        "reason": "会商结论",
        "contact": "值班 00010000001",
        "effective_at": "2015-02-09T00:00",
        "open_ended": "1",
        "level": "yellow",
        "override_because": "",
        "consultation": str(one),
    }
    status, shown = press(desk, page, f"{page}/put-forward", **form)
    assert status == 303
    assert "本决定的依据" in shown
    approver = signed_in("city-approver3")
    shown = approver.get(page).text
    content = re.search(r'name="content" value="([0-9a-f]{64})"', shown)
    assert content
    assert "静稳加重，建议橙色" in shown
    assert "未回复 2 人" in shown
    status, shown = press(approver, page, f"{page}/sign", content=content.group(1), password=PASSWORD)
    assert status == 303
    with world.store.reading() as tx:
        signed = tx.decision(decision.id)
    assert signed.standing is Standing.APPROVED
    assert [row["id"] for row in signed.consulted] == [str(one)]
    said = signed_in("city-duty").get(f"/api/v1/episodes/{decision.episode_id}").get_json()
    assert [row["conclusion"] for row in said["consultations"]] == ["静稳加重，建议橙色"]
    assert "静稳加重，建议橙色" in signed_in("city-reviewer").get(f"/review/{decision.episode_id}").text


def test_the_pages_are_whole_in_english(world: World, signed_in: SignedIn) -> None:
    desk = signed_in("lj-duty")
    one = called(world, desk, "lj-approver2", "labao-town")
    path = f"/console/consultations/{one}"
    press(desk, path, f"{path}/voice", key="区气象局 张工", level="", said="not sure")

    for page, words in (
        (path, "2 not answered"),
        ("/console/consultations", "Subject"),
        ("/console/consultations/new", "Experts from outside"),
    ):
        assert words in desk.get(f"{page}?lang=en").text


def test_a_person_s_own_proposal_offers_what_was_concluded(world: World, signed_in: SignedIn) -> None:
    world.forecast(90, 80, 70)
    desk = signed_in("lj-duty")
    one = called(world, desk, "lj-approver2")
    assert str(one) not in desk.get("/console/propose").text
    path = f"/console/consultations/{one}"
    press(desk, path, f"{path}/conclusion", outcome="yellow", conclusion="先发倡议")

    form = {"area": DISTRICT, "move": "appeal", "reason": "会商", "effective_at": "2015-02-09T00:00", "open_ended": "1"}
    status, page = press(
        desk, "/console/propose", "/console/propose", **form, consultation=str(one), override_because="会商"
    )

    assert status == 303, page
    assert "本决定的依据" in page
    assert kept(world, one).decision_id is not None
