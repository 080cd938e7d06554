#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""network.py [BUILD FOLDER] - networks against PyTorch: forward of one image and one training step, 1 and 2 threads, interleaved, and whether both agree.

PyTorch runs our own graph, from the file that bench/network wrote; of its two memory layouts the faster one counts. Needs a Python that has torch
(Debian: python3-torch). ROUNDS (5): of each; the median counts. CPU=1: one thread, and its own time instead of the wall clock's,
for a machine that others use. ONLY=NAME: networks whose recipe holds it.
"""
import json, os, pathlib, statistics, struct, subprocess, sys, tempfile, time
import numpy as np, torch
import torch.nn.functional as F

BUILD = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else "build").resolve()
ROUNDS = int(os.environ.get("ROUNDS", 5))
CLOCK = time.process_time if "CPU" in os.environ else time.perf_counter
THREADS = (1,) if "CPU" in os.environ else (1, 2)
ONLY = os.environ.get("ONLY", "")
CASES = [("drunet", "S0, 1.06 M", 256, 16, 64), ("bf-unet", "public UNet, 0.23 M", 256, 16, 64), ("resunet:width=32", "ResUNet width 32, 8.6 M", 256, 8, 64), ("resunet", "ResUNet, 34.5 M", 256, 4, 64),
         ("rising-unet:width=32", "RISING UNet width 32, 7.0 M", 256, 8, 64), ("ssnet", "SSNet, 0.57 M", 128, 4, 64)]


class Net(torch.nn.Module):
    """The graph of a file, with its weights."""
    def __init__(self, path):
        super().__init__()
        raw = pathlib.Path(path).read_bytes()
        n = struct.unpack("<Q", raw[:8])[0]
        head = json.loads(raw[8:8 + n])
        self.lines, before = [], None
        for line in head.pop("__metadata__")["graph"].splitlines():
            name, spec, *inputs = line.split("#")[0].split()
            kind, _, keys = spec.partition(":")
            self.lines.append((name, kind, dict(k.split("=") for k in keys.split(",") if k), inputs or [before]))
            before = name
        self.order = []
        for name, t in head.items():
            a, b = t["data_offsets"]
            v = torch.from_numpy(np.frombuffer(raw[8 + n + a:8 + n + b], "<f4").reshape(t["shape"]).copy())
            (self.register_buffer if "running" in name else lambda k, w: self.register_parameter(k, torch.nn.Parameter(w)))(name.replace(".", "_"), v)
            self.order += [] if "running" in name else [name.replace(".", "_")]

    def forward(self, x, level=0.1):
        v = {}
        for name, kind, k, ins in self.lines:
            w = lambda t: getattr(self, (name + "." + t).replace(".", "_"), None)
            i, (a, *more) = {q: int(r) for q, r in k.items() if r.lstrip("-").isdigit()}, [v.get(q) for q in ins]
            if kind == "input": y = x
            elif kind == "conv":
                n, d = i.get("kernel", 3), i.get("dilation", 1)
                y = F.conv2d(a, w("weight"), w("bias"), i.get("stride", 1), i.get("pad", d * (n - 1) // 2), d, i.get("groups", 1))
            elif kind == "deconv": y = F.conv_transpose2d(a, w("weight"), w("bias"), i.get("stride", 2), i.get("pad", 0))
            elif kind == "batchnorm": y = F.batch_norm(a, w("running_mean"), w("running_var"), w("weight"), w("bias"), self.training)
            elif kind == "relu": y = F.relu(a)
            elif kind == "tanh": y = torch.tanh(a)
            elif kind == "maxpool": y = F.max_pool2d(a, 2)
            elif kind == "upsample": y = F.interpolate(a, scale_factor=2, mode="nearest")
            elif kind == "concat": y = torch.cat([a, *more], 1)
            elif kind == "add": y = a + more[0]
            elif kind == "noise": y = torch.full_like(a[:, :1], level)
            else: raise SystemExit(f"network.py: no {kind}")
            v[name] = y
        return y


def images(items, size):
    i = np.arange(items * size * size)
    of = lambda a, m: torch.from_numpy(((i * a % m) / m).astype(np.float32).reshape(items, 1, size, size))
    return of(7919, 1009), of(104729, 997)


class Ours:
    def __init__(self, case, threads, file):
        self.file = file
        self.p = subprocess.Popen([BUILD / "bench/network", case[0], *map(str, case[2:5]), file], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=os.environ | {"THREADS": str(threads)})

    def ask(self, what):
        self.p.stdin.write(what + "\n"), self.p.stdin.flush()
        return [float(s) for s in self.p.stdout.readline().split()]

    def array(self, what):
        self.ask(what)
        return np.fromfile(self.file + ".out", np.float32)

    def end(self):
        self.p.stdin.close(), self.p.wait()


def timed(f):
    t = CLOCK()
    f()
    return (CLOCK() - t) * 1e3


def theirs(case, file, layout):
    """Two functions: a forward, a step."""
    net, (x, _), (xs, ts) = Net(file).to(memory_format=layout), images(1, case[2]), images(case[3], case[4])
    x, xs, ts = (q.to(memory_format=layout) for q in (x, xs, ts))
    adam = torch.optim.Adam(net.parameters(), 1e-4)

    def forward():
        net.eval()
        with torch.no_grad(): return net(x)

    def step():
        net.train(), adam.zero_grad()
        (0.5 * (net(xs) - ts) ** 2).sum().backward()
        adam.step()
    return net, forward, step, (xs, ts)


def agree(case, ours, file):
    net, forward, _, (xs, ts) = theirs(case, file, torch.contiguous_format)
    y, mine = forward().numpy().ravel(), ours.array("F")
    net.train(), (0.5 * (net(xs) - ts) ** 2).sum().backward()
    g = torch.cat([getattr(net, n).grad.ravel() for n in net.order]).numpy()
    mg = ours.array("S")
    return np.abs(y - mine).max() / np.abs(y).max(), np.linalg.norm(g - mg) / np.linalg.norm(g)


def main():
    print("case".ljust(30), "threads  forward ms: ours torch ratio   step ms: ours torch ratio   off: forward gradient   plans MiB")
    for case in CASES:
        if ONLY and ONLY not in case[0]: continue
        for threads in THREADS:
            torch.set_num_threads(threads)
            with tempfile.TemporaryDirectory() as d:
                file = d + "/n.safetensors"
                ours = Ours(case, threads, file)
                memory = ours.ask("m")
                off = agree(case, ours, file) if threads == 1 else (0, 0)
                sides = {name: theirs(case, file, layout)[1:3] for name, layout in (("nchw", torch.contiguous_format), ("nhwc", torch.channels_last))}
                got = {}
                for r in range(ROUNDS + 1):
                    for k, what in enumerate("fs"):
                        rows = [("ours", ours.ask(what)[0])] + [(n, timed(s[k])) for n, s in sides.items()]
                        if r: [got.setdefault((n, what), []).append(t) for n, t in rows]
                ours.end()
                med = {k: statistics.median(v) for k, v in got.items()}
                cells = []
                for what in "fs":
                    torch_ms = min(med["nchw", what], med["nhwc", what])
                    cells.append(f"{med['ours', what]:9.1f} {torch_ms:9.1f} {torch_ms / med['ours', what]:5.2f}")
                print(case[1].ljust(30), f"{threads:4d}            {cells[0]}            {cells[1]}", f"         {off[0]:.1e} {off[1]:.1e}" if threads == 1 else " " * 25, "  ", " ".join(f"{m / 2**20:.0f}" for m in memory), flush=True)


main()
