#!/usr/bin/env python3
"""The training of locbench train, written in PyTorch: ResNet with frozen batch
norm, GeM, fc, L2; the AP loss; multi-stage backpropagation; Adam.

    torch_train.py memory --arch resnet50 --size 224 --batch 1024 --chunk 128     images in memory
    torch_train.py folder --data landmarks/train --size 224 --batch 1024 …        from files, augmented
    torch_train.py load --data landmarks/train --size 224                         decoding and augmenting alone, one thread
    torch_train.py seconds --arch resnet10_w16 --size 64 --batch 32 --device cpu  as BenchmarkLearner

Prints the images/s of each step as JSON.
"""
import argparse
import json
import time

import torch
import torchvision
from torchvision import transforms
from torchvision.models.resnet import BasicBlock, Bottleneck, ResNet


class Width(ResNet):
    """A ResNet whose stem has other than 64 features."""

    def __init__(self, block, layers, width):
        super().__init__(block, layers)
        self.inplanes = width
        self.conv1 = torch.nn.Conv2d(3, width, 7, 2, 3, bias=False)
        self.bn1 = torch.nn.BatchNorm2d(width)
        for i, (name, n) in enumerate(zip(("layer1", "layer2", "layer3", "layer4"), layers)):
            setattr(self, name, self._make_layer(block, width << i, n, stride=1 if i == 0 else 2))
        self.features = (width << 3) * block.expansion


class Network(torch.nn.Module):
    def __init__(self, arch, dim):
        super().__init__()
        name, _, width = arch.partition("_w")
        block, layers = {"resnet10": (BasicBlock, [1, 1, 1, 1]), "resnet18": (BasicBlock, [2, 2, 2, 2]), "resnet34": (BasicBlock, [3, 4, 6, 3]),
                         "resnet50": (Bottleneck, [3, 4, 6, 3]), "resnet101": (Bottleneck, [3, 4, 23, 3])}[name]
        self.trunk = Width(block, layers, int(width or 64))
        self.p = torch.nn.Parameter(torch.tensor(3.0))
        self.fc = torch.nn.Linear(self.trunk.features, dim or self.trunk.features)
        for m in self.modules():  # frozen, as published
            if isinstance(m, torch.nn.BatchNorm2d):
                m.weight.requires_grad_(False)
                m.bias.requires_grad_(False)

    def forward(self, x):
        t = self.trunk
        x = t.maxpool(t.relu(t.bn1(t.conv1(x))))
        x = t.layer4(t.layer3(t.layer2(t.layer1(x)))).float()
        x = x.clamp(min=1e-6).pow(self.p).mean((2, 3)).pow(1 / self.p)
        return torch.nn.functional.normalize(self.fc(x))


def ap_loss(d, labels, bins=20, low=-1.0, high=1.0):
    """The AP loss over blocks of 512 queries; the query itself is left out."""
    step = (high - low) / (bins - 1)
    centres = torch.linspace(high, low, bins, device=d.device)
    aps = []
    for rows in torch.arange(len(d), device=d.device).split(512):
        s = d[rows] @ d.T
        others = torch.ones_like(s)
        others[torch.arange(len(rows)), rows] = 0
        positive = (labels[rows, None] == labels[None]).float() * others
        q = (1 - (s[:, None] - centres[:, None]).abs() / step).clamp(min=0) * others[:, None]
        count, hits = q.sum(2), (q * positive[:, None]).sum(2)
        precision = hits.cumsum(1) / (count.cumsum(1) + 1e-16)
        keep = positive.sum(1) > 0
        aps.append(((precision * hits).sum(1)[keep] / hits.sum(1)[keep]))
    return 1 - torch.cat(aps).mean()


def normalized(x, device):
    """uint8 NCHW to the network's input."""
    mean = torch.tensor([0.485, 0.456, 0.406], device=device).view(1, 3, 1, 1)
    std = torch.tensor([0.229, 0.224, 0.225], device=device).view(1, 3, 1, 1)
    x = x.to(device, non_blocking=True).float().div_(255).sub_(mean).div_(std)
    return x.contiguous(memory_format=torch.channels_last)


def step(net, adam, chunks, labels, o):
    """One step on a list of chunks; returns the loss."""
    cast = lambda: torch.autocast(torch.device(o.device).type, dtype=torch.bfloat16, enabled=o.bf16)
    with torch.no_grad(), cast():
        d = torch.cat([net(normalized(c, o.device)) for c in chunks])
    d.requires_grad_(True)
    loss = ap_loss(d, labels.to(o.device))
    loss.backward()
    at = 0
    for c in chunks:
        with cast():
            out = net(normalized(c, o.device))
        out.backward(d.grad[at:at + len(c)])
        at += len(c)
    adam.step()
    adam.zero_grad()
    return float(loss)


def memory(o):
    torch.manual_seed(0)
    x = torch.randint(0, 256, (o.batch, 3, o.size, o.size), dtype=torch.uint8)
    labels = torch.arange(o.batch) // 8
    while True:
        yield list(x.split(o.chunk)), labels


def augmented(o):
    change = transforms.Compose([
        transforms.RandomAffine(6, shear=5), transforms.RandomResizedCrop(o.size, scale=(0.44, 1), ratio=(1 / 1.2, 1.2)),
        transforms.ColorJitter(0.3, 0.3, 0.3, 0.03), transforms.PILToTensor(), transforms.RandomErasing(1, (0.02, 0.09), value=0)])
    return torchvision.datasets.ImageFolder(o.data, change)


def load(o):
    torch.set_num_threads(1)
    data = augmented(o)
    for _ in range(o.steps):
        start = time.perf_counter()
        for i in range(len(data)):
            data[i]
        print(json.dumps({"source": "load", "images_per_s": round(len(data) / (time.perf_counter() - start), 1)}))


def folder(o):
    data = augmented(o)
    loader = torch.utils.data.DataLoader(data, batch_size=o.chunk, shuffle=True, num_workers=o.workers, pin_memory=o.device == "cuda",
                                         persistent_workers=True, drop_last=True)
    chunks, labels = [], []
    while True:
        for x, y in loader:
            chunks.append(x)
            labels.append(y)
            if len(chunks) * o.chunk >= o.batch:
                yield chunks, torch.cat(labels)
                chunks, labels = [], []


def main():
    p = argparse.ArgumentParser()
    p.add_argument("source", choices=["memory", "folder", "load", "seconds"])
    p.add_argument("--data")
    p.add_argument("--arch", default="resnet50")
    p.add_argument("--dim", type=int, default=2048)
    p.add_argument("--size", type=int, default=224)
    p.add_argument("--batch", type=int, default=1024)
    p.add_argument("--chunk", type=int, default=128)
    p.add_argument("--steps", type=int, default=4)
    p.add_argument("--device", default="cuda")
    p.add_argument("--workers", type=int, default=16)
    p.add_argument("--bf16", action="store_true")
    p.add_argument("--threads", type=int, default=0)
    o = p.parse_args()
    if o.source == "load":
        return load(o)
    if o.threads:
        torch.set_num_threads(o.threads)
    o.chunk = o.batch if o.source == "seconds" else min(o.chunk, o.batch)
    torch.backends.cudnn.benchmark = True
    torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = True
    net = Network(o.arch, o.dim).eval().to(o.device).to(memory_format=torch.channels_last)
    adam = torch.optim.Adam([w for w in net.parameters() if w.requires_grad], lr=1e-4, weight_decay=1e-6)
    source, rates = folder(o) if o.source == "folder" else memory(o), []
    for _ in range(o.steps):
        start = time.perf_counter()
        chunks, labels = next(source)
        loss = step(net, adam, chunks, labels, o)
        rates.append(round(sum(map(len, chunks)) / (time.perf_counter() - start), 2))
    print(json.dumps({"torch": torch.__version__, "source": o.source, "arch": o.arch, "size": o.size, "batch": o.batch, "bf16": o.bf16,
                      "images_per_s": rates, "loss": round(loss, 4)}))


if __name__ == "__main__":
    main()
