"""Who is there: the real ones named as the plan names them, the made-up ones unmistakably made up."""

from __future__ import annotations

import csv
import io
import runpy
from collections import Counter
from pathlib import Path

import pytest

from emergency.domain.orders import Category, RecipientKind
from emergency.domain.people import Act, Role, may, within
from emergency.errors import Misconfigured
from emergency.plans.places import COLUMNS, NOBODY, load_place, recipient_id

PLAYBOOKS = Path(__file__).resolve().parents[1] / "playbooks"
FILE = PLAYBOOKS / "places" / "liuzhou.yaml"
LIST = PLAYBOOKS / "samples" / "liujiang-2024.csv"
PLACE = load_place(FILE)
CITY, DISTRICT = "450200", "450200.450206"
NAMED_IN_THE_PLAN = {
    "柳江区发展改革局", "柳江区工业和信息化局", "柳江生态环境局", "柳江区自然资源局", "柳江区市场监管局",
    "柳江区住房城乡建设局", "柳江区综合行政执法局", "柳江区交通运输局", "柳江区农业农村局", "柳江区商务局",
    "柳江区应急管理局", "柳江区科技局", "柳江区气象局", "柳江区财政局", "柳江区统计局", "柳江区糖业发展中心",
    "柳州市公安局柳江分局", "柳州市公安局交警支队柳江大队", "柳州市公安局交警支队柳宜大队",
    "柳州市交通综合执法支队柳江大队", "柳江区开发区管委会", "广西农垦新兴农场有限公司",
}
FIRMS_NAMED_IN_THE_PLAN = {
    "柳州地区水泥厂", "柳州市特一工程机械有限公司", "柳州柳工挖掘机有限公司",
    "中国石油天然气股份有限公司广西柳州销售分公司（柳江油库）",
}


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """A copy of the place and its list that a test may spoil."""
    for part in ("places/liuzhou.yaml", "samples/liujiang-2024.csv"):
        target = tmp_path / part
        target.parent.mkdir(parents=True)
        target.write_text((PLAYBOOKS / part).read_text("utf-8"), "utf-8")
    return tmp_path / "places" / "liuzhou.yaml"


def spoil(path: Path, old: str, new: str) -> None:
    """Change the first occurrence; the text must be there."""
    text = path.read_text("utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), "utf-8")


def test_the_tree_is_city_district_and_eight_towns() -> None:
    kinds = Counter(one.kind for one in PLACE.areas)

    assert kinds == {"city": 1, "district": 1, "town": 8}
    assert {one.plan_id for one in PLACE.areas if one.plan_id} == {"liuzhou", "liujiang"}
    assert all(within(one.id, DISTRICT) for one in PLACE.areas if one.kind == "town")
    assert all(one.name_en for one in PLACE.areas)


def test_loading_twice_gives_the_same_ids() -> None:
    again = load_place(FILE)

    assert again == PLACE
    assert len({one.id for one in PLACE.recipients}) == len(PLACE.recipients)


def test_ids_stay_what_they_were_when_they_were_first_given_out() -> None:
    assert str(recipient_id("cement-liuzhou")) == "8273e8cc-e247-52ac-9050-45f19374f8c7"
    assert str(recipient_id("kiln-01")) == "e49fb24a-fd74-51c0-a17e-8b892f5e8f9a"


def test_a_recipients_id_outlives_its_name(copy: Path) -> None:
    spoil(copy, "name: 柳州地区水泥厂", "name: 柳州地区水泥厂粉磨站")

    renamed = next(one for one in load_place(copy).recipients if one.name == "柳州地区水泥厂粉磨站")

    assert renamed.id == recipient_id("cement-liuzhou")


def test_every_unit_and_firm_the_plan_names_is_there_and_is_no_sample() -> None:
    real = {one.name for one in PLACE.recipients if not one.sample}

    assert real >= NAMED_IN_THE_PLAN
    assert real >= FIRMS_NAMED_IN_THE_PLAN
    assert {one.name for one in PLACE.recipients if one.kind is RecipientKind.ENTERPRISE and not one.sample} == (
        FIRMS_NAMED_IN_THE_PLAN
    )


def test_whoever_is_real_says_where_the_name_comes_from() -> None:
    assert all("虚构" in one.note for one in PLACE.recipients if not one.sample)
    for one in PLACE.recipients:
        if one.name in FIRMS_NAMED_IN_THE_PLAN:
            assert "柳江区2024年度大气污染防治工作计划附件" in one.note


def test_the_plant_the_plan_closes_is_listed_as_long_stopped() -> None:
    plant = next(one for one in PLACE.recipients if one.name == "柳州柳工挖掘机有限公司")

    assert plant.category is Category.LONG_STOPPED


def test_the_city_orders_ten_districts_and_knows_which_desk_liujiang_is() -> None:
    districts = [one for one in PLACE.recipients if one.kind is RecipientKind.DISTRICT]

    assert len(districts) == 10
    assert {one.area for one in districts} == {CITY}
    assert PLACE.answers_for == {recipient_id("district-liujiang"): DISTRICT}


def test_a_sample_says_so_in_its_own_name() -> None:
    for one in PLACE.recipients:
        assert one.sample == one.name.startswith("样例")


def test_samples_cover_every_category_grade_and_town() -> None:
    samples = [one for one in PLACE.recipients if one.sample]

    assert {one.category for one in samples} == set(Category) - {Category.UNIT}
    assert {one.grade for one in samples} == {"", "A", "B", "C", "D"}
    assert {one.area for one in samples} == {one.id for one in PLACE.areas if one.kind == "town"}
    assert len([one for one in samples if one.category is Category.LONG_STOPPED]) == 2
    assert {one.permit_has_special_period for one in samples} == {True, False, None}


def test_no_phone_here_could_ring_at_anybodys_desk() -> None:
    phones = [contact.phone for one in PLACE.recipients for contact in one.contacts]
    phones += [one.phone for one in PLACE.people if one.phone]

    assert phones
    assert [one for one in phones if not NOBODY.fullmatch(one)] == []
    assert len(set(phones)) == len(phones)


@pytest.mark.parametrize("number", ["13800138000", "07723210000", "0011234567", "95598", "12345", "00861380013800"])
def test_numbers_that_could_be_somebodys_are_not_taken_for_nobodys(number: str) -> None:
    assert NOBODY.fullmatch(number) is None


def test_every_enterprise_has_two_contacts_and_a_unit_that_tracks_it() -> None:
    units = {one.name for one in PLACE.recipients if one.kind is RecipientKind.UNIT}
    for one in PLACE.recipients:
        if one.kind is RecipientKind.ENTERPRISE:
            assert [contact.order for contact in one.contacts] == [1, 2]
            assert one.tracker in units
        else:
            assert 1 <= len(one.contacts) <= 2


def test_every_town_with_an_enterprise_has_its_government_among_the_recipients() -> None:
    governments = {one.area for one in PLACE.recipients if one.kind is RecipientKind.TOWN}

    assert {one.area for one in PLACE.recipients if one.sample} <= governments


@pytest.mark.parametrize(("area", "prefix"), [(CITY, "city"), (DISTRICT, "lj")])
def test_each_desk_has_somebody_to_propose_and_somebody_else_of_every_rank_to_sign(area: str, prefix: str) -> None:
    people = {one.login: one for one in PLACE.people}

    assert may(people[f"{prefix}-duty"], Act.PROPOSE, area)
    for rank in (1, 2, 3):
        approver = people[f"{prefix}-approver{rank}"]
        assert may(approver, Act.DECIDE, area)
        assert approver.rank == rank
        assert approver.phone
    assert may(people[f"{prefix}-reviewer"], Act.SIGN_REVIEW, area)


def test_a_recipients_account_answers_for_its_recipient_and_sees_no_desk() -> None:
    accounts = [one for one in PLACE.people if one.role in (Role.UNIT, Role.ENTERPRISE)]

    assert {one.login for one in accounts} == {"lj-relay", "labao-town", "sample-kiln"}
    assert all(one.recipient_id is not None and not may(one, Act.SEE_DESK, one.area) for one in accounts)


def test_no_password_is_kept_beside_the_people() -> None:
    assert "password" not in FILE.read_text("utf-8").lower()


def test_the_samples_are_what_the_script_writes() -> None:
    made = runpy.run_path(str(PLAYBOOKS / "samples" / "make_samples.py"))["text"]()

    assert made == LIST.read_text("utf-8")


def test_own_lines_of_a_sample_take_the_place_of_its_sectors() -> None:
    works = next(one for one in PLACE.recipients if one.category is Category.KEY_WORKS)

    assert works.measures is not None
    assert set(works.measures) == {"yellow", "orange", "red"}
    assert len(works.measures["yellow"]) == 2


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        ('phone: "00010000001"', 'phone: "13800138000"', "could belong to somebody"),
        ('phone: "00010000002"', 'phone: "00010000001"', "given 2 times"),
        ("kind: town", "kind: hamlet", "kind"),
        ('area: "450200.450206.labao"\n    kind: town', 'area: "450200.450206.nowhere"\n    kind: town', "not there"),
        ("tracker: 柳江区商务局", "tracker: 无此单位", "is no unit here"),
        ("recipient: town-labao", "recipient: town-gone", "answers for a recipient that is not there"),
        ("role: approver", "role: king", "role"),
        ("rank: 1", "rank: 4", "rank"),
        ("login: city-approver2", "login: city-approver1", "given 2 times"),
        ("role: admin", "role: unit", "a recipient's account names its recipient"),
        ('answers_for: "450200.450206"', 'answers_for: "450200.450299"', "not there"),
        ("made_up_phones: true", "made_up_phones: true\nextra: 1", "unknown key"),
    ],
)
def test_a_wrong_place_is_refused(copy: Path, old: str, new: str, reason: str) -> None:
    spoil(copy, old, new)

    with pytest.raises(Misconfigured, match=r"liuzhou\.yaml:\d+: ") as refused:
        load_place(copy)

    assert reason in str(refused.value)


@pytest.mark.parametrize(
    ("column", "value", "reason"),
    [
        ("name", "好砖厂", "not marked as a sample"),
        ("category", "beloved", "not a word this column knows"),
        ("permit_has_special_period", "perhaps", "not a word this column knows"),
        ("manager_phone", "", "manager_phone is empty"),
    ],
)
def test_a_wrong_row_of_a_list_is_refused_by_its_line(copy: Path, column: str, value: str, reason: str) -> None:
    listed = copy.parent.parent / "samples" / "liujiang-2024.csv"
    rows = list(csv.reader(io.StringIO(listed.read_text("utf-8"))))
    rows[3][COLUMNS.index(column)] = value
    spoilt = io.StringIO()
    csv.writer(spoilt).writerows(rows)
    listed.write_text(spoilt.getvalue(), "utf-8")

    with pytest.raises(Misconfigured, match=r"liujiang-2024\.csv:4: ") as refused:
        load_place(copy)

    assert reason in str(refused.value)


def test_a_row_cut_short_is_refused_by_its_line(copy: Path) -> None:
    listed = copy.parent.parent / "samples" / "liujiang-2024.csv"
    lines = listed.read_text("utf-8").splitlines()
    listed.write_text("\n".join([*lines[:-1], lines[-1][:40]]), "utf-8")

    with pytest.raises(Misconfigured, match=r"liujiang-2024\.csv:200: .*cells are wanted"):
        load_place(copy)


def test_a_list_with_other_columns_is_refused(copy: Path) -> None:
    spoil(copy.parent.parent / "samples" / "liujiang-2024.csv", "tracker", "follower")

    with pytest.raises(Misconfigured, match=r"csv:1: the columns must be"):
        load_place(copy)


def test_a_list_that_is_missing_is_refused(copy: Path) -> None:
    spoil(copy, "../samples/liujiang-2024.csv", "../samples/none.csv")

    with pytest.raises(Misconfigured, match=r"none\.csv:1: cannot be read"):
        load_place(copy)


@pytest.mark.parametrize("wrong", ["shadow: [liuzhou]", "shadow: [Not A Plan]"])
def test_an_area_tries_plans_only_beside_another_of_its_own(copy: Path, wrong: str) -> None:
    assert PLACE.shadow == {CITY: ("mee-2018",)}
    spoil(copy, "shadow: [mee-2018]", wrong)

    with pytest.raises(Misconfigured):
        load_place(copy)
