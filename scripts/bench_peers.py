"""Compares the detailed AccelTran engine with SCALE-Sim and ZigZag on BERT's matrix products: time and cycles.

python scripts/bench_peers.py --peers-python PATH [--model tiny] [--tools ours scalesim zigzag] [--limit-s 100]

PATH is the interpreter of an environment that has the peers: scalesim==3.0.0, "numpy<2.3", zigzag-dse==3.9.1 and six.
Each tool gets the distinct products of one forward pass, each alone, and its cycles count as often as the product
occurs. All arrays have 16,384 multipliers, data are dense, and the time is that of the processor, imports left out.
"""

from __future__ import annotations

import argparse
import contextlib
import importlib
import io
import json
import math
import subprocess
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

MULTIPLIERS = 16384
SIDE = 128
DRAM_BITS_PER_CYCLE = 292  # 25.6 GB/s at 700 MHz
LENGTH = 128
MODELS = {"tiny": (2, 128, 2), "base": (12, 768, 12)}  # layers, hidden size, heads


class Product(NamedTuple):
    """A product (m, k) times (k, n), and how often a forward pass has it."""

    m: int
    n: int
    k: int
    times: int


class Figures(NamedTuple):
    """Of one product in one tool.

    Attributes:
        array: cycles of the array alone, with operands in the buffers.
        total: cycles with operands from main memory and the result back into it.
        seconds: of the processor, for all runs of the tool.
    """

    array: float
    total: float
    seconds: float


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--peers-python", help="interpreter of an environment that has the peers")
    parser.add_argument("--model", choices=MODELS, default="tiny")
    parser.add_argument("--tools", nargs="+", choices=TOOLS, default=list(TOOLS))
    parser.add_argument("--limit-s", type=float, default=100.0, help="wall time of one product in one tool")
    parser.add_argument("--child", choices=TOOLS, help=argparse.SUPPRESS)
    parser.add_argument("--product", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.child:
        print(json.dumps(TOOLS[given.child](Product(*json.loads(given.product)))))
        return
    if not given.peers_python and set(given.tools) != {"ours"}:
        parser.error("--peers-python is missing: the interpreter of an environment that has scalesim and zigzag-dse")
    products = products_of(*MODELS[given.model])
    results = {}
    for tool in given.tools:
        python = sys.executable if tool == "ours" else given.peers_python
        if tool != "ours":
            require(python, tool)
        results[tool] = [measured(python, tool, product, given.limit_s) for product in products]
    print_table(given.model, products, results)


def products_of(layers: int, hidden: int, heads: int) -> list[Product]:
    """The distinct products of a forward pass of one sequence."""
    size = hidden // heads
    return [
        Product(LENGTH, hidden, hidden, 4 * layers),
        Product(LENGTH, LENGTH, size, heads * layers),
        Product(LENGTH, size, LENGTH, heads * layers),
        Product(LENGTH, 4 * hidden, hidden, layers),
        Product(LENGTH, hidden, 4 * hidden, layers),
    ]


def require(python: str, tool: str) -> None:
    """End with a sentence if the environment lacks the tool."""
    try:
        status = subprocess.run([python, "-c", f"import {tool}, six"], capture_output=True, check=False).returncode
    except OSError:
        sys.exit(f"The interpreter {python} cannot be started; allowed: one with scalesim and zigzag-dse installed.")
    if status:
        sys.exit(f"The environment of {python} has no {tool} (or no six); install scalesim, zigzag-dse and six there.")


def measured(python: str, tool: str, product: Product, limit_s: float) -> Figures | None:
    """Figures of one product; None if it takes longer than allowed."""
    command = [python, __file__, "--child", tool, "--product", json.dumps(product)]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=limit_s, check=False)
    except subprocess.TimeoutExpired:
        return None
    if done.returncode:
        reason = (done.stderr.strip().splitlines() or ["no message"])[-1]
        sys.exit(f"{tool} failed on the product {product[:3]}: {reason:.300}")
    return Figures(*json.loads(done.stdout.splitlines()[-1]))


def ours(product: Product) -> Figures:
    """The detailed engine with all corrections on the edge preset."""
    from explorer.domains.accelerator.acceltran.costs import Costs, machine, operation_cost, transfer_cost
    from explorer.domains.accelerator.acceltran.program import Heads, Kind, Operation, Program, TensorRole, Transfer
    from explorer.domains.accelerator.acceltran.schedule.scheduler import Resources, run
    from explorer.domains.accelerator.acceltran.settings.run import RunSettings

    edge = {
        "tile_b": 1,
        "tile_x": 16,
        "tile_y": 16,
        "pe": 64,
        "lanes_per_pe": 16,
        "mac_per_lane": 16,
        "softmax_per_pe": 4,
        "batch_size": 4,
        "activation_buffer_mb": 4,
        "weight_buffer_mb": 8,
        "mask_buffer_mb": 1,
        "memory": "dram_16_2_2",
        "non_linearity": "gelu",
    }
    settings = RunSettings(engine="detailed", mode="corrected", activation_sparsity=0.0, weight_sparsity=0.0)
    start = time.process_time()
    on = machine(edge, False)
    costs = Costs(
        lambda item: operation_cost(item, on, settings, lambda role: 0.0),
        lambda item: transfer_cost(item, on, settings, lambda role: 0.0),
    )
    alone = Operation("product", Kind.PRODUCT, 1, product.m, product.k, product.n)
    loads = (
        Transfer("left", "load", "activation", product.m * product.k, TensorRole.INPUT),
        Transfer("right", "load", "weight", product.k * product.n, TensorRole.WEIGHT),
    )
    result = product.m * product.n
    back = (
        Transfer("result", "store", "activation", result, TensorRole.INPUT, "product"),
        Transfer("result", "write_back", "activation", result, TensorRole.INPUT, "product"),
    )
    waiting = replace(alone, needs=("left", "right"))
    mebibyte = 8 << 20
    resources = Resources(64, 16, 4, 16, 4 * mebibyte, 8 * mebibyte, 1 * mebibyte)
    array = run(Program((Heads(((alone,),)),), ()), costs, resources, settings)
    total = run(Program((Heads(((waiting,),)),), (*loads, *back)), costs, resources, settings)
    return Figures(array.cycles, total.cycles, time.process_time() - start)


def scalesim(product: Product) -> Figures:
    """SCALE-Sim: a weight-stationary systolic array; it chooses the bandwidth itself and fills its buffers first."""
    simulator = importlib.import_module("scalesim.scale_sim").scalesim
    config = f"""[general]
run_name = bench
[run_presets]
InterfaceBandwidth: CALC
UseRamulatorTrace: False
[architecture_presets]
ArrayHeight: {SIDE}
ArrayWidth: {SIDE}
IfmapSramSzkB: 4096
FilterSramSzkB: 8192
OfmapSramSzkB: 4096
IfmapOffset: 0
FilterOffset: 10000000
OfmapOffset: 20000000
Dataflow: ws
ReadRequestBuffer: 32
WriteRequestBuffer: 32
[layout]
IfmapCustomLayout: False
IfmapSRAMBankBandwidth: 10
IfmapSRAMBankNum: 10
IfmapSRAMBankPort: 2
FilterCustomLayout: False
FilterSRAMBankBandwidth: 10
FilterSRAMBankNum: 10
FilterSRAMBankPort: 2
[sparsity]
SparsitySupport: false
"""
    with tempfile.TemporaryDirectory() as folder:
        texts = {
            "config.cfg": config,
            "products.csv": f"Layer,M,N,K,\nproduct,{product.m},{product.n},{product.k},\n",
            "layout.csv": "Layer,\nproduct," + "1," * 25 + "\n",
        }
        for name, text in texts.items():
            (Path(folder) / name).write_text(text, encoding="utf-8")
        start = time.process_time()
        with contextlib.redirect_stdout(io.StringIO()):
            runs = simulator(
                save_disk_space=True,
                verbose=False,
                config=f"{folder}/config.cfg",
                topology=f"{folder}/products.csv",
                layout=f"{folder}/layout.csv",
                input_type_gemm=True,
            )
            runs.run_scale(top_path=folder)
            total, array, *_ = runs.runner.single_layer_sim_object_list[0].get_compute_report_items()
        return Figures(float(array), float(total), time.process_time() - start)


def zigzag(product: Product) -> Figures:
    """ZigZag: its own TPU-like hardware and mapping, with a larger array and our main memory's bandwidth."""
    yaml = importlib.import_module("yaml")
    api = importlib.import_module("zigzag.api")
    inputs = Path(str(api.__file__)).parent / "inputs"
    hardware = yaml.safe_load((inputs / "hardware" / "tpu_like.yaml").read_text(encoding="utf-8"))
    hardware["operational_array"]["sizes"] = [SIDE, SIDE]
    for port in hardware["memories"]["dram"]["ports"]:
        port["bandwidth_min"] = port["bandwidth_max"] = DRAM_BITS_PER_CYCLE
    mapping = yaml.safe_load((inputs / "mapping" / "tpu_like.yaml").read_text(encoding="utf-8"))
    mapping = [{**mapping[0], "spatial_mapping": {"D1": [f"K, {SIDE}"], "D2": [f"C, {SIDE}"]}}]
    workload = [
        {
            "id": 0,
            "name": "product",
            "operator_type": "Gemm",
            "equation": "O[b][k]+=I[b][c]*W[c][k]",
            "loop_dims": ["B", "K", "C"],
            "loop_sizes": [product.m, product.n, product.k],
            "operand_precision": {"O": 16, "O_final": 8, "W": 8, "I": 8},
            "operand_source": {"I": 0, "W": 0},
        }
    ]
    with tempfile.TemporaryDirectory() as folder:
        paths = {}
        for name, content in (("hardware", hardware), ("mapping", mapping), ("workload", workload)):
            paths[name] = Path(folder) / f"{name}.yaml"
            paths[name].write_text(yaml.safe_dump(content, sort_keys=False), encoding="utf-8")
        start = time.process_time()
        with contextlib.redirect_stdout(io.StringIO()):
            results = api.get_hardware_performance_zigzag(
                str(paths["workload"]),
                str(paths["hardware"]),
                str(paths["mapping"]),
                opt="latency",
                dump_folder=folder,
                lpf_limit=6,
                loma_show_progress_bar=False,
            )
        evaluation = results[2][0][0]
        seconds = time.process_time() - start
        return Figures(float(evaluation.latency_total0), float(evaluation.latency_total2), seconds)


TOOLS = {"ours": ours, "scalesim": scalesim, "zigzag": zigzag}


def print_table(model: str, products: list[Product], results: dict[str, list[Figures | None]]) -> None:
    """Cycles of each product, and sums over the model with their ratio to the ideal."""
    print(f"BERT-{model.capitalize()}, {MULTIPLIERS} multipliers, {LENGTH} tokens, batch of 1: cycles, array / in all")
    print("m,n,k,count,ideal," + ",".join(results))
    ideal = 0
    for index, product in enumerate(products):
        least = math.ceil(product.m * product.n * product.k / MULTIPLIERS)
        ideal += least * product.times
        cells = [result[index] for result in results.values()]
        texts = ["over limit" if cell is None else f"{cell.array:.0f} / {cell.total:.0f}" for cell in cells]
        print(*product, least, *texts, sep=",")
    for tool, result in results.items():
        print(summary(tool, products, result, ideal))


def summary(tool: str, products: list[Product], result: list[Figures | None], ideal: int) -> str:
    """The line of a tool: cycles of the model, processor time of its distinct products."""
    done = [(product, figures) for product, figures in zip(products, result, strict=True) if figures is not None]
    seconds = f"{sum(figures.seconds for _, figures in done):.3f} s of processor time"
    if len(done) < len(products):
        return (
            f"{tool}: {len(products) - len(done)} of {len(products)} products are over the limit; the others {seconds}"
        )
    array, total = (sum(product.times * figures[index] for product, figures in done) for index in (0, 1))
    return (
        f"{tool}: array {array:.0f} cycles = {array / ideal:.2f} times the ideal {ideal}, "
        f"in all {total:.0f} = {total / ideal:.2f} times; {seconds}"
    )


if __name__ == "__main__":
    main()
