#!/usr/bin/env python3
"""The PyTorch side of gpu.sh: a checkpoint with random weights, descriptors to
check locbench's against, and timings of the same network.

    torch_gpu.py weights --arch resnet101 --out net.pt
    torch_gpu.py compare --arch … --weights net.pt --list list.txt --descriptors d.npy … --out OUT.json
"""
import argparse
import json
import platform
import time
from concurrent.futures import ThreadPoolExecutor

import numpy
import torch
import torchvision
from PIL import Image


class Descriptor(torch.nn.Module):
    """ResNet trunk, GeM, fc, L2; tensors named as in dirtorch's checkpoints."""

    def __init__(self, arch):
        super().__init__()
        net = getattr(torchvision.models, arch)(weights=None)
        for name, child in net.named_children():
            if name not in ("avgpool", "fc"):
                self.add_module(name, child)
        self.adpool = torch.nn.Module()
        self.adpool.p = torch.nn.Parameter(torch.tensor([3.0]))
        self.fc = torch.nn.Linear(net.fc.in_features, 2048)

    def forward(self, x):
        x = self.maxpool(self.relu(self.bn1(self.conv1(x))))
        for layer in (self.layer1, self.layer2, self.layer3, self.layer4):
            x = layer(x)
        p = self.adpool.p.to(x.dtype)
        x = x.clamp(min=1e-6).pow(p).mean((2, 3)).pow(1 / p)
        return torch.nn.functional.normalize(self.fc(x))


def weights(options):
    torch.manual_seed(1)
    net = Descriptor(options.arch)
    for module in net.modules():  # a trunk whose activations keep their size
        if isinstance(module, torch.nn.BatchNorm2d):
            torch.nn.init.uniform_(module.weight, 0.2, 0.6)
            torch.nn.init.uniform_(module.running_var, 0.5, 1.5)
    torch.save({"model_options": {"arch": options.arch + "_rmac", "out_dim": 2048, "pooling": "gem", "gemp": 3},
                "preprocess": {"mean": [0.485, 0.456, 0.406], "std": [0.229, 0.224, 0.225], "input_size": 224},
                "state_dict": net.state_dict()}, options.out)


def load(path):
    pixels = numpy.asarray(Image.open(path).convert("RGB"))
    return torch.from_numpy(pixels.copy())


def to_input(pixels, device):
    mean = torch.tensor([0.485, 0.456, 0.406], device=device).view(1, 3, 1, 1)
    std = torch.tensor([0.229, 0.224, 0.225], device=device).view(1, 3, 1, 1)
    x = torch.stack(pixels).to(device, non_blocking=True).permute(0, 3, 1, 2).float().div_(255)
    return x.sub_(mean).div_(std).contiguous(memory_format=torch.channels_last)


def describe(net, paths, batch, device, dtype, pool):
    """Descriptors of all files, decoding ahead on threads."""
    groups = [paths[i:i + batch] for i in range(0, len(paths), batch)]
    ahead = [pool.submit(lambda g: [load(p) for p in g], g) for g in groups]
    rows = []
    for group in ahead:
        x = to_input(group.result(), device)
        with torch.autocast(torch.device(device).type, dtype=torch.bfloat16, enabled=dtype == "bf16"):
            rows.append(net(x).float())
    return torch.cat(rows).cpu().numpy()


def seconds(work, device):
    def wait():
        if device == "cuda":
            torch.cuda.synchronize()
    work()
    wait()
    best = None
    for _ in range(3):
        start = time.perf_counter()
        work()
        wait()
        took = time.perf_counter() - start
        best = took if best is None else min(best, took)
    return best


def compare(options):
    paths = [line.strip() for line in open(options.list) if line.strip()]
    net = Descriptor(options.arch).eval().to(options.device).to(memory_format=torch.channels_last)
    net.load_state_dict(torch.load(options.weights, map_location="cpu")["state_dict"])
    ours = numpy.load(options.descriptors)
    result = {"date": time.strftime("%Y-%m-%d"), "machine": platform.processor() or platform.machine(),
              "device": torch.cuda.get_device_name() if options.device == "cuda" else "cpu",
              "torch": torch.__version__, "locbench": open(options.version).read().split("\n")[0],
              "backend": options.backend, "arch": options.arch, "images": len(paths), "locbench_images_per_s": {}, "torch_images_per_s": {}}
    for line in open(options.times):
        name, batch, took = line.split()
        result["locbench_images_per_s"][f"{name}, batch {batch}, from JPEG"] = round(len(paths) / float(took), 2)
    torch.backends.cudnn.benchmark = True
    with torch.no_grad(), ThreadPoolExecutor(8) as pool:
        torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = False
        exact = describe(net, paths, options.batch, options.device, "fp32", pool)
        cosines = (ours * exact).sum(1)
        result["cosine_to_torch_fp32"] = {"least": float(cosines.min()), "mean": float(cosines.mean())}
        for mode in ("fp32", "tf32", "bf16"):
            torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = mode != "fp32"
            for batch in (1, options.batch):
                took = seconds(lambda: describe(net, paths, batch, options.device, mode, pool), options.device)
                result["torch_images_per_s"][f"{mode}, batch {batch}, from JPEG"] = round(len(paths) / took, 2)
                x = to_input([load(p) for p in paths[:batch]], options.device)
                def work():
                    with torch.autocast(torch.device(options.device).type, dtype=torch.bfloat16, enabled=mode == "bf16"):
                        net(x)
                result["torch_images_per_s"][f"{mode}, batch {batch}, in memory"] = round(len(x) / seconds(work, options.device), 2)
    with open(options.out, "w") as out:
        json.dump(result, out, indent=1)
        out.write("\n")
    if result["cosine_to_torch_fp32"]["least"] < 0.9999:
        raise SystemExit("torch_gpu.py: descriptors differ from PyTorch's by more than a cosine of 0.9999")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("command", choices=["weights", "compare"])
    parser.add_argument("--arch", default="resnet101")
    parser.add_argument("--device", default="cuda")
    parser.add_argument("--batch", type=int, default=32)
    for name in ("weights", "list", "descriptors", "times", "version", "backend", "out"):
        parser.add_argument("--" + name)
    options = parser.parse_args()
    {"weights": weights, "compare": compare}[options.command](options)


if __name__ == "__main__":
    main()
