#!/usr/bin/env python3
"""Times PyTorch on what BenchmarkNearestBoth and BenchmarkDeviceNearest time: mutual
nearest neighbours of two images' descriptors, as today's tools write it: the whole
matrix of dot products, and the largest of every row and column. Descriptors begin
and indices end in host memory, as they do here.

    python3 docs/benchmarks/torch_match.py [--device cuda] [--threads 2] [--runs 20]
"""
import argparse
import time

import torch

parser = argparse.ArgumentParser()
parser.add_argument("--device", default="cpu")
parser.add_argument("--threads", type=int, default=2)
parser.add_argument("--runs", type=int, default=5)
args = parser.parse_args()
torch.set_num_threads(args.threads)
torch.manual_seed(1)
for rows, dim in ((5000, 128), (20000, 32), (20000, 128)):
    a = torch.nn.functional.normalize(torch.randn(rows, dim))
    b = torch.nn.functional.normalize(torch.randn(rows, dim))
    times = []
    for _ in range(args.runs + 1):
        start = time.perf_counter()
        scores = a.to(args.device) @ b.to(args.device).T
        of_a, of_b = scores.max(1), scores.max(0)
        of_a.indices.cpu(), of_b.indices.cpu(), of_a.values.cpu()
        times.append(time.perf_counter() - start)
    times = sorted(times[1:])
    print(f"torch {torch.__version__} on {args.device}, {rows}x{dim}: best {times[0]:.4f} s, median {times[len(times) // 2]:.4f} s")
