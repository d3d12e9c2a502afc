"""`explorer onnx`: a trained model as an ONNX file."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from explorer.cli.output import AsJson, console, emit, errors


def onnx(
    folder: Annotated[Path, typer.Argument(help="Folder of a trained model.")],
    file: Annotated[Path, typer.Argument(help="ONNX file to write.")],
    json: AsJson = False,
) -> None:
    """Write a trained model as ONNX, for any batch and any length of sequence that the model takes.

    Example: explorer onnx tiny/sst2 tiny.onnx
    """
    from explorer.domains.transformer.pretrained.onnx import INPUTS, export_onnx, load_model

    with errors.status("Exporting"):
        model = load_model(folder)
        output = export_onnx(model, file)
    longest = int(model.config.max_position_embeddings)
    if json:
        emit(
            {
                "file": str(file),
                "inputs": list(INPUTS),
                "output": output,
                "longest_sequence": longest,
                "parameters": model.num_parameters(),
            }
        )
        return
    parameters = f"{model.num_parameters():,} parameters"
    console.print(
        f"{file}: {', '.join(INPUTS)} (batch, 2 to {longest} tokens) to {output}; {parameters}",
        highlight=False,
        soft_wrap=True,
    )
