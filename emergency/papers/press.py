"""The press: a process of its own that sets one paper and ends, with its memory; a script, run by typesetting.py."""

from __future__ import annotations

import json
import resource
import sys
from pathlib import Path
from typing import Final

import typst
from noto_cjk_sans_otc import FONT_PATH

TEMPLATES: Final = Path(__file__).resolve().parent / "templates"
NOWHERE: Final = str(TEMPLATES / "no-packages")  # is not there: a template that asked for a package would find none
MOST_MEMORY: Final = 2 * 1024**3  # bytes of addresses, fonts and stacks of threads among them
MOST_SECONDS: Final = 60  # of processor


def press(template: str, said: str) -> bytes:
    """
    The template with these strings, which reach it as JSON data and never as source, so that nobody's name is markup.

    It may read its own folder and nothing else.
    """
    fonts = typst.Fonts(include_system_fonts=False, font_paths=[str(Path(str(FONT_PATH)).parent)])
    pdf = typst.compile(
        str(TEMPLATES / template),
        root=str(TEMPLATES),
        font_paths=fonts,
        format="pdf",
        sys_inputs={"data": said},
        package_path=NOWHERE,
        package_cache_path=NOWHERE,
        timestamp=0,
    )
    assert isinstance(pdf, bytes)
    return pdf


if __name__ == "__main__":
    resource.setrlimit(resource.RLIMIT_AS, (MOST_MEMORY, MOST_MEMORY))
    resource.setrlimit(resource.RLIMIT_CPU, (MOST_SECONDS, MOST_SECONDS))
    asked = json.load(sys.stdin)
    sys.stdout.buffer.write(press(asked["template"], json.dumps(asked["said"], ensure_ascii=False)))
