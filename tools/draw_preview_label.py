"""Draw the words that are burned into every preview, as a picture that needs no font.

Servers have no Chinese font as a rule, so the words are drawn once, here::

    python tools/draw_preview_label.py NotoSansCJK-Bold.ttc FILE.png
"""

import sys
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont

LINES = (("电脑模拟图 不是照片", 60), ("Computer illustration, not a photo", 40))
WIDTH, HEIGHT, MARGIN = 720, 150, 8


def main() -> None:
    font_file, target = sys.argv[1], Path(sys.argv[2])
    label = Image.new("L", (WIDTH, HEIGHT), 0)
    pen = ImageDraw.Draw(label)
    top = MARGIN
    for text, size in LINES:
        font = ImageFont.truetype(font_file, size, index=2)  # simplified Chinese
        left, upper, right, lower = pen.textbbox((0, 0), text, font=font)
        pen.text(((WIDTH - (right - left)) / 2 - left, top - upper), text, fill=255, font=font)
        top += lower - upper + 2 * MARGIN
    label.save(target, optimize=True)
    print(f"{target}: {target.stat().st_size} bytes")


if __name__ == "__main__":
    main()
