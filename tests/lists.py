"""A reduction list as a bureau keeps it, all of it invented: two rows of headings, merged cells, remarks, slips."""

from __future__ import annotations

import io
from collections.abc import Sequence
from datetime import date

import openpyxl
from openpyxl.worksheet.worksheet import Worksheet

from emergency.domain.reduction.reading import Ground, Listed, read_list
from emergency.domain.reduction.sheets import Row, Sheet
from emergency.domain.reduction.values import check_digit
from emergency.plans.listing import load_list_words
from tests.world import DISTRICT, PLAYBOOKS

WORDS = load_list_words(PLAYBOOKS / "listing.yaml")
MEE_2020 = next(one for one in WORDS.schemes if one.id == "mee-2020")
GROUND = Ground(
    area=DISTRICT,
    area_name="柳江区",
    towns={"拉堡镇": f"{DISTRICT}.labao", "三都镇": f"{DISTRICT}.sandu", "百朋镇": f"{DISTRICT}.baipeng"},
    sectors=WORDS.industries,
    categories=WORDS.categories,
    schemes=WORDS.schemes,
    on=date(2024, 11, 1),
    booked=frozenset({"brick_kiln", "construction_site"}),
    units=frozenset({"柳江生态环境局", "区工业和信息化局", "拉堡镇人民政府"}),
    bounds=WORDS.bounds[DISTRICT],
)


def code(number: int) -> str:
    """A credit code of a district that does not exist (000000), its check digit right."""
    first = f"91000000MA{number:07d}"
    return first + check_digit(first)


def a_sheet(*lines: Sequence[object], name: str = "工业源") -> Sheet:
    """Rows of cells, None and "" for empty ones."""
    rows = (
        Row(number, {at: one for at, one in enumerate(line, 1) if one not in (None, "")})
        for number, line in enumerate(lines, 1)
    )
    return Sheet(name, tuple(rows))


PLAIN = (
    "企业名称", "统一社会信用代码", "乡镇", "行业", "绩效等级", "黄色预警措施", "橙色预警措施", "红色预警措施",
    "联系人", "联系电话",
)  # fmt: skip


def a_line(**other: object) -> list[object]:
    """One good row under :data:`PLAIN`, valid but for what is said otherwise."""
    said: dict[str, object] = {
        "name": "样例砖厂甲", "code": code(1), "town": "拉堡镇", "industry": "砖瓦窑", "grade": "C",
        "yellow": "进窑砖坯减少50%", "orange": "停1号窑（共2座）", "red": "停产",
        "contact": "样例甲", "phone": "00059990001",
    }  # fmt: skip
    return list({**said, **other}.values())


def read(*lines: Sequence[object], ground: Ground = GROUND) -> Listed:
    """What these rows under the plain heading come to."""
    return read_list([a_sheet(PLAIN, *lines)], ground)


def the_reasons(found: Listed) -> list[tuple[int, str, str]]:
    """Each refusal: its row, its column's letter, and why."""
    return [(one.row, one.column.split(" ")[0], one.why.name) for one in found.refused]


def ugly() -> bytes:
    """
    The workbook: a title over all, headings of two rows with merged groups, the columns numbered, an enterprise of two
    lines merged downward, one whose second row leaves its name out, phones as floats, full-width digits, slips, a
    remark at the end; sites on a second sheet; a cover and a hidden sheet that hold no table.
    """
    book = openpyxl.Workbook()
    cover = book.active
    cover.title = "封面"
    cover["A1"] = "柳江区2024年重污染天气应急减排清单（虚构样例）"
    _plants(book.create_sheet("工业源"))
    _sites(book.create_sheet("扬尘源"))
    hidden = book.create_sheet("旧清单")
    hidden.append(PLAIN)
    hidden.append(a_line(name="样例旧厂"))
    hidden.sheet_state = "hidden"
    kept = io.BytesIO()
    book.save(kept)
    return kept.getvalue()


def _line(**said: object) -> list[object]:
    """Twenty cells, those that are named filled."""
    return [said.get(f"c{at}") for at in range(1, 21)]


def _plants(sheet: Worksheet) -> None:
    sheet.append(["柳江区2024年应急减排清单——工业源"])
    sheet.append(
        _line(
            c1="序号", c2="基本信息", c10="生产线\n（工序）", c11="应急减排措施", c14="正常排放量（kg/d）",
            c16="联系人", c17="联系电话", c18="跟踪落实单位", c19="台账份数", c20="备注",
        )
    )  # fmt: skip
    sheet.append(
        _line(
            c2="企业名称", c3="统一社会信用代码", c4="所属乡镇", c5="经度", c6="纬度", c7="行业类型", c8="绩效分级",
            c9="排污许可证编号", c11="黄色预警（Ⅲ级）", c12="橙色预警（Ⅱ级）", c13="红色预警（Ⅰ级）", c14="颗粒物",
            c15="NOx",
        )
    )  # fmt: skip
    sheet.append(list(range(1, 21)))
    for row in _enterprises():
        sheet.append(row)
    for cells in ("A1:T1", "B2:I2", "K2:M2", "N2:O2", "A2:A3", "J2:J3", "P2:P3", "Q2:Q3", "R2:R3", "S2:S3", "T2:T3"):
        sheet.merge_cells(cells)
    for column in "ABCDEFGHINPQR":
        sheet.merge_cells(f"{column}5:{column}6")


def _enterprises() -> list[list[object]]:
    a, b, c, d, e, f = (code(n) for n in range(11, 17))
    wide = "".join(chr(ord(one) + 0xFEE0) for one in c)
    wrong = d[:-1] + ("0" if d[-1] != "0" else "1")
    office, carts = "柳江生态环境局", "国四及以下柴油货车停止使用"
    return [
        _line(
            c1=1, c2="样例水泥粉磨厂", c3=a, c4="拉堡镇", c5=109.32, c6=24.21, c7="水泥", c8="B", c9="91000000MA000001",
            c10="1#磨", c11="投料量由960吨/日降至768吨/日", c12="停1#磨（共2台）", c13="停产", c14=12.5, c15=3,
            c16="样例甲", c17=13800138000.0, c18=office, c19=2,
        ),
        _line(c10="2#磨", c11=carts, c12=carts, c13="停产", c15=4),
        _line(
            c1=2, c2="样例砖厂乙", c3=b, c4="三都", c7="砖瓦窑", c8="地方-C", c10="隧道窑", c11="进窑砖坯减少50%",
            c12="进窑砖坯减少50%", c13="停产", c14=8, c16="样例乙、样例丙", c17="13800138000/00059990013",
            c18="区工业和信息化局、拉堡镇人民政府", c20="虚构",
        ),
        _line(c10="破碎", c11="视情况停破碎机", c13="停产", c14=1),
        _line(
            c1=3, c2="样例糖厂", c3=wide, c4="百朋镇", c5="109°20′30″", c6="24°09′", c7="制糖", c8="民生豁免-A",
            c11="自主减排", c12="自主减排", c13="生产负荷较预警前负荷降低10%", c16="样例丁", c17="0772-7210001",
            c18="没有的局",
        ),
        _line(
            c1=4, c2="样例铸造厂", c3=wrong, c4="拉堡镇", c7="铸造", c8="D", c11="停产", c12="停产", c13="停产",
            c16="样例戊", c17=13800138000.0, c18=office,
        ),
        _line(
            c1=5, c2="样例涂装厂", c3=e, c4="太阳村镇", c5=24.21, c6=109.32, c7="工业涂装", c8="A+",
            c11="喷涂工序停产", c12="喷涂工序停产", c13="停产", c14=-3, c16="样例己", c17=1.39e5, c18=office,
        ),
        _line(
            c1=6, c2="样例家具厂", c3=f, c4="拉堡镇", c7="家具制造", c8="长期停产", c11="/", c12="/", c13="/",
            c16="样例庚", c17="１３８００１３８０００",
        ),
        _line(c1="合计", c14=21.5, c15=7),
        ["注：本表为虚构样例。"],
    ]  # fmt: skip


def _sites(sheet: Worksheet) -> None:
    earth = "停止土石方作业"
    sheet.append(["项目名称", "所在镇", "企业类别", "黄色", "橙色", "红色", "负责人", "联系方式"])
    sheet.append(["样例道路改造工程", "拉堡镇", "施工工地", earth, earth, "全部停工", "样例辛", 13800138000.0])
    sheet.append(["样例医院扩建", "拉堡镇", "重点工程", "=1+1", earth, earth, "样例壬", 13800138000.0])
