"""Makes the images of this folder: FILE and FILE.png, FILE's pixels as Pillow reads them with convert("RGB").

Made with Pillow 9.4.0, libjpeg-turbo 2.1.5 (its cjpeg), libwebp 1.2.4: python3 make.py
"""
import math, subprocess
from PIL import Image

W, H = 53, 37  # odd, so that chroma ends within a sample, and not a multiple of 8


def scene(w=W, h=H):
    """Smooth colours, a hard edge, stripes of saturated colour and a little texture."""
    m = Image.new("RGB", (w, h))
    for y in range(h):
        for x in range(w):
            r = 127 + 120 * math.sin(x / 9 + y / 17)
            g = 127 + 120 * math.sin(y / 7)
            b = 255 * x / w
            if x + 2 * y > 60:
                r, b = 255 - r, 40
            if y % 12 < 2:
                r, g, b = (250, 5, 5) if x % 10 < 5 else (5, 5, 250)
            t = (x * 7919 + y * 104729) % 13 - 6
            m.putpixel((x, y), tuple(max(0, min(255, int(v + t))) for v in (r, g, b)))
    return m


def keep(name):
    Image.open(name).convert("RGB").save(name + ".png", optimize=True)


def cjpeg(name, image, *args):
    image.save("/tmp/scene.ppm")
    subprocess.run(["cjpeg", "-quality", "90", *args, "-outfile", name, "/tmp/scene.ppm"], check=True)
    keep(name)


def save(name, image, **kw):
    image.save(name, **kw)
    keep(name)


s = scene()
for sample in ("1x1", "2x1", "2x2", "1x2", "4x1"):
    cjpeg(f"sample{sample}.jpg", s, "-sample", sample)
cjpeg("progressive.jpg", s, "-sample", "2x2", "-progressive")
cjpeg("progressive_restart.jpg", s, "-sample", "2x2", "-progressive", "-restart", "1B")
open("/tmp/scans", "w").write("0;\n1;\n2;\n")
cjpeg("scans.jpg", s, "-sample", "2x2", "-scans", "/tmp/scans")  # one component each
cjpeg("coarse.jpg", s, "-sample", "2x2", "-quality", "1")  # 16-bit quantization tables
cjpeg("mixed.jpg", s, "-sample", "2x2,1x2,2x1")  # chroma planes of two sizes
cjpeg("restart.jpg", s, "-sample", "2x2", "-restart", "1")
cjpeg("grey.jpg", s, "-grayscale")
cjpeg("rgb.jpg", s, "-rgb")
cjpeg("narrow.jpg", scene(4, 9), "-sample", "2x2")  # two chroma samples: replicated
cjpeg("one.jpg", scene(1, 1), "-sample", "2x2")
save("cmyk.jpg", s.convert("CMYK"), quality=92)
ycck = open("cmyk.jpg", "rb").read()  # the same samples, said to be YCCK by the last byte of the Adobe marker
at = ycck.index(b"Adobe") + 11
open("ycck.jpg", "wb").write(ycck[:at] + b"\x02" + ycck[at + 1:])
keep("ycck.jpg")

alpha = s.convert("RGBA")
alpha.putalpha(Image.linear_gradient("L").resize((W, H)))
save("rgba.png", alpha)
save("grey_alpha.png", alpha.convert("LA"))
save("palette.png", s.quantize(17))
save("palette_transparent.png", s.quantize(17), transparency=3)
save("grey4.png", s.convert("L").quantize(16, dither=0).convert("L"), bits=4)
save("bilevel.png", s.convert("1"))
save("lossy.webp", s, quality=80)
save("lossy_alpha.webp", alpha, quality=80)
save("lossless.webp", s, lossless=True)
save("rgb.bmp", s)
save("grey.bmp", s.convert("L"))
save("rgb.tif", s, compression="tiff_lzw")
save("grey.tif", s.convert("L"), compression="tiff_deflate")

for f in ("BOX", "BILINEAR", "BICUBIC"):
    for w, h in ((17, 11), (53, 20), (30, 37), (101, 80), (1, 1)):
        s.resize((w, h), getattr(Image, f)).save(f"resize_{f.lower()}_{w}x{h}.png", optimize=True)
s.save("scene.png", optimize=True)
