"""Learning tasks of surrogates for Transformers."""

from __future__ import annotations

from explorer.contracts.learning_task import LearningTask
from explorer.domains.transformer.measures import MLM_LOSS, QNLI_ACCURACY, SST2_ACCURACY

MODELS = LearningTask(
    name="accuracy of Transformers",
    roles=("model",),
    measures=(QNLI_ACCURACY, SST2_ACCURACY),
    seen=(MLM_LOSS.name,),
    embeds={"transformer": "model"},
)

TASKS = (MODELS,)
