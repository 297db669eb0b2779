#!/usr/bin/env python3
"""Records in pillow.json what Pillow and torchvision make of a small image.

Run with Debian 12's python3-pil 9.4.0 and python3-torchvision 0.14.1:

    /usr/bin/python3 pillow.py > pillow.json
"""
import hashlib
import json

import PIL
import torchvision
from PIL import Image
from torchvision.transforms import functional as F


def noise(w, h):
    """The test image: bytes of a linear congruential generator."""
    state, out = 1, bytearray()
    for _ in range(3 * w * h):
        state = (state * 1103515245 + 12345) % 2**31
        out.append(state >> 16 & 255)
    return Image.frombytes("RGB", (w, h), bytes(out))


def cube():
    """Every eighth level of each channel, 32768 colours."""
    levels = [min(8 * i + i // 4, 255) for i in range(32)]
    return Image.frombytes("RGB", (1024, 32), bytes(c for r in levels for g in levels for b in levels for c in (r, g, b)))


image, colours = noise(23, 14), cube()
cases = []


def case(name, args, out):
    cases.append({"name": name, "args": args, "pixels": out.tobytes().hex()})


for k in (0.37, 1.0, 1.64):
    case("brightness", [k], F.adjust_brightness(image, k))
    case("contrast", [k], F.adjust_contrast(image, k))
    case("saturation", [k], F.adjust_saturation(image, k))
for degrees in (6.5, -37.25, 171.0):
    case("rotation", [degrees], image.rotate(degrees, resample=Image.BILINEAR))
for back in ([1.1, 0.05, -2.0, -0.04, 0.93, 0.7, 0.004, -0.006], [0.8, -0.3, 4.0, 0.2, 1.05, -3.0, -0.01, 0.012]):
    case("projective", back, image.transform(image.size, Image.PERSPECTIVE, back, resample=Image.BILINEAR))
for share in (-0.5, -0.31, -0.004, 0.02, 0.25, 0.5):
    out = F.adjust_hue(colours, share)
    cases.append({"name": "hue", "args": [share], "sha256": hashlib.sha256(out.tobytes()).hexdigest()})

print(json.dumps({"pillow": PIL.__version__, "torchvision": torchvision.__version__, "width": 23, "height": 14, "cases": cases}, indent=1))
