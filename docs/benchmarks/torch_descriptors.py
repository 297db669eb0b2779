#!/usr/bin/env python3
"""Times PyTorch on the network that BenchmarkDescribe times: a ResNet trunk, GeM, fc
and L2 on JPEG files or on random pixels, at PyTorch's fastest float32 settings.

    python3 docs/benchmarks/torch_descriptors.py [--arch resnet101] [--size 768x1024]
        [--threads 2] [--runs 7] [--mode best|eager] [FILE.jpg ...]

Needs torch, torchvision and, for files, Pillow and numpy (Debian: python3-torch,
python3-torchvision). Prints seconds an image: the best and the median of the runs.
"""
import argparse
import os
import statistics
import time

for name in list(os.environ):  # settings that slow OpenBLAS down
    if name.startswith("OPENBLAS"):
        del os.environ[name]

import torch
import torchvision


class Descriptor(torch.nn.Module):
    def __init__(self, arch):
        super().__init__()
        net = getattr(torchvision.models, arch)(weights=None)
        self.trunk = torch.nn.Sequential(*list(net.children())[:-2])
        self.p = torch.nn.Parameter(torch.tensor(3.0))
        self.fc = torch.nn.Linear(net.fc.in_features, 2048)

    def forward(self, x):
        x = self.trunk(x).clamp(min=1e-6).pow(self.p).mean((2, 3)).pow(1 / self.p)
        return torch.nn.functional.normalize(self.fc(x))


def images(options):
    """Yields inputs, decoding included where there are files."""
    mean = torch.tensor([0.485, 0.456, 0.406]).view(3, 1, 1)
    std = torch.tensor([0.229, 0.224, 0.225]).view(3, 1, 1)
    height, width = map(int, options.size.split("x"))
    if not options.files:
        x = torch.randn(1, 3, height, width)
        while True:
            yield x
    import numpy
    from PIL import Image
    while True:
        for path in options.files:
            pixels = numpy.asarray(Image.open(path).convert("RGB"))
            x = torch.from_numpy(pixels.copy()).permute(2, 0, 1).float().div_(255)
            yield x.sub_(mean).div_(std)[None]


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--arch", default="resnet101")
    parser.add_argument("--size", default="768x1024", help="height x width of random pixels")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--runs", type=int, default=7)
    parser.add_argument("--mode", choices=["best", "eager"], default="best")
    parser.add_argument("files", nargs="*")
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    torch.manual_seed(1)
    net = Descriptor(options.arch).eval()
    source = images(options)
    with torch.no_grad():
        if options.mode == "best":
            net.trunk = torch.jit.optimize_for_inference(torch.jit.trace(net.trunk, next(source)))
        for _ in range(2):
            net(next(source))
        times = []
        for _ in range(options.runs):
            start = time.perf_counter()
            net(next(source))
            times.append(time.perf_counter() - start)
    print(f"torch {torch.__version__} {options.arch} {options.mode}, {options.threads} threads: "
          f"best {min(times):.3f} s, median {statistics.median(times):.3f} s an image")


if __name__ == "__main__":
    main()
