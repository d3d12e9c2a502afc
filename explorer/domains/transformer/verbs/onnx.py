"""`explorer onnx`: a trained model as an ONNX file."""

from __future__ import annotations

from explorer.contracts.session import Session
from explorer.contracts.table import Findings
from explorer.domains.transformer.verbs.options import OnnxOptions


def onnx(session: Session, options: OnnxOptions) -> Findings:
    """Write a trained model as ONNX."""
    session.report("exporting")
    from explorer.domains.transformer.pretrained.onnx import INPUTS, export_onnx, load_model

    model = load_model(options.folder)
    output = export_onnx(model, options.file)
    longest, parameters = int(model.config.max_position_embeddings), int(model.num_parameters())
    return Findings(
        json={
            "file": str(options.file),
            "inputs": list(INPUTS),
            "output": output,
            "longest_sequence": longest,
            "parameters": parameters,
        },
        shown=[
            f"{options.file}: {', '.join(INPUTS)} (batch, 2 to {longest} tokens) to {output}; {parameters:,} parameters"
        ],
    )
