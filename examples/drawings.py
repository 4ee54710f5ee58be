"""A folder of pictures to try picture search on: photographs that scikit-image carries, variants of them, and drawings.

    python examples/drawings.py FOLDER [PHOTOGRAPHS]

Photographs are copied from the folder PHOTOGRAPHS (`make demo` keeps them in .venv/pictures/data). Everything is seeded: two
runs make the same files.
"""

import sys
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageEnhance, ImageFilter, ImageOps

SKIES = [
    ((38, 70, 120), (250, 190, 140), (255, 236, 190)),  # above, at the horizon, the sun
    ((15, 20, 50), (120, 60, 110), (255, 170, 140)),
    ((90, 160, 220), (225, 240, 250), (255, 250, 220)),
    ((30, 60, 70), (190, 215, 190), (250, 245, 215)),
    ((70, 30, 60), (250, 120, 80), (255, 210, 120)),
    ((12, 14, 34), (40, 60, 100), (230, 235, 250)),
]
GROUNDS = [(24, 60, 52), (50, 40, 70), (20, 44, 70), (76, 50, 40), (40, 74, 40)]
INKS = [(230, 57, 70), (241, 196, 83), (42, 157, 143), (38, 70, 83), (244, 162, 97), (29, 53, 87), (168, 218, 220)]


def mixed(a, b, share):
    """Two colours, or arrays of colours, mixed."""
    return np.asarray(a, float) * (1 - share) + np.asarray(b, float) * share


def landscape(dice, width, height):
    """Hills in front of a sky with a sun or a moon."""
    above, below, sun = SKIES[dice.integers(len(SKIES))]
    ground = GROUNDS[dice.integers(len(GROUNDS))]
    horizon = int(height * dice.uniform(0.5, 0.7))
    y, x = np.mgrid[:height, :width]
    picture = mixed(above, below, np.clip(y / horizon, 0, 1)[..., None] ** 1.3)
    sx, sy, radius = width * dice.uniform(0.15, 0.85), horizon * dice.uniform(0.3, 0.9), height * dice.uniform(0.04, 0.1)
    far = np.hypot(x - sx, y - sy)
    glow = 0.45 * np.exp(-far / (radius * 4)) + np.clip(radius + 0.5 - far, 0, 1)
    picture = mixed(picture, sun, np.clip(glow, 0, 1)[..., None])
    layers = dice.integers(3, 6)
    for layer in range(layers):
        base = horizon + (height - horizon) * layer / layers * 0.95 - height * 0.06
        ridge = base + sum(
            height * 0.05 / (1 + wave) * np.sin(np.arange(width) / width * dice.uniform(3, 7) * (wave + 1) + dice.uniform(0, 7))
            for wave in range(5)
        )
        colour = mixed(below, ground, 0.35 + 0.65 * (layer + 1) / layers)
        inside = np.clip(y - ridge[None, :], 0, 1)[..., None]
        picture = mixed(picture, colour, inside)
    return Image.fromarray(picture.round().clip(0, 255).astype(np.uint8))


def mosaic(dice, width, height):
    """Triangles in a few colours."""
    drawing = Image.new("RGB", (width, height))
    pen = ImageDraw.Draw(drawing)
    inks = [INKS[at] for at in dice.permutation(len(INKS))[:4]]
    side = int(dice.integers(36, 90))
    for top in range(0, height, side):
        for left in range(0, width, side):
            right, bottom = left + side, top + side
            one, two = (inks[dice.integers(4)] for _ in range(2))
            turned = dice.random() < 0.5
            corners = [(left, top), (right, top), (right, bottom), (left, bottom)]
            pen.polygon([corners[at] for at in ((0, 1, 2) if turned else (0, 1, 3))], fill=one)
            pen.polygon([corners[at] for at in ((0, 2, 3) if turned else (1, 2, 3))], fill=two)
    return drawing


def discs(dice, width, height):
    """Soft discs, one over the other."""
    ink = [INKS[at] for at in dice.permutation(len(INKS))]
    picture = np.ones((height, width, 3)) * mixed(ink[0], (255, 255, 255), dice.uniform(0.5, 0.9))
    y, x = np.mgrid[:height, :width]
    for at in range(dice.integers(4, 12)):
        radius = height * dice.uniform(0.06, 0.32)
        far = np.hypot(x - dice.uniform(0, width), y - dice.uniform(0, height))
        picture = mixed(picture, ink[1 + at % 5], 0.85 * np.clip(radius - far, 0, 1)[..., None])
    return Image.fromarray(picture.round().clip(0, 255).astype(np.uint8))


def cut(picture, share, dice):
    """A part of a picture with `share` of each side."""
    width, height = (int(side * share) for side in picture.size)
    left, top = (int(dice.integers(0, whole - part + 1)) for whole, part in zip(picture.size, (width, height)))
    return picture.crop((left, top, left + width, top + height))


VARIANTS = {
    "closer": lambda picture, dice: cut(picture, 0.7, dice),
    "detail": lambda picture, dice: cut(picture, 0.45, dice),
    "mirrored": lambda picture, dice: ImageOps.mirror(picture),
    "small": lambda picture, dice: picture.resize([max(side // 2, 1) for side in picture.size]),
    "dusk": lambda picture, dice: ImageEnhance.Brightness(picture).enhance(0.55),
    "grey": lambda picture, dice: ImageOps.grayscale(picture).convert("RGB"),
    "soft": lambda picture, dice: picture.filter(ImageFilter.GaussianBlur(3)),
}


def make(folder, photographs=None):
    """Fills `folder` and returns how many files there are."""
    dice = np.random.default_rng(7)
    sizes = [(600, 400), (400, 540), (640, 360), (480, 480), (720, 400)]
    for draw, count in ((landscape, 110), (mosaic, 50), (discs, 50)):
        place = folder / "drawings" / draw.__name__
        place.mkdir(parents=True, exist_ok=True)
        for number in range(count):
            draw(dice, *sizes[dice.integers(len(sizes))]).save(place / f"{draw.__name__}-{number + 1:03}.jpg", quality=88)
    for path in sorted(photographs.iterdir()) if photographs else []:
        place = folder / "photographs" / path.stem
        place.mkdir(parents=True, exist_ok=True)
        (place / path.name).write_bytes(path.read_bytes())
        with Image.open(path) as opened:
            picture = opened.convert("RGB")
        if min(picture.size) < 100:
            continue
        for name, change in VARIANTS.items():
            change(picture, dice).save(place / f"{path.stem}-{name}.jpg", quality=82)
    return sum(path.is_file() for path in folder.rglob("*.*"))


if __name__ == "__main__":
    if len(sys.argv) not in (2, 3):
        sys.exit(__doc__)
    print(make(Path(sys.argv[1]), *map(Path, sys.argv[2:])), "pictures in", sys.argv[1])
