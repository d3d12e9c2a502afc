"""Learning tasks of surrogates for convolutional networks."""

from __future__ import annotations

from explorer.contracts.learning_task import LearningTask
from explorer.domains.cnn.measures import ACCURACY
from explorer.domains.cnn.nasbench.options import NAME

NETWORKS = LearningTask(
    name="accuracy of convolutional networks",
    roles=("network",),
    measures=(ACCURACY,),
    simulators=frozenset({NAME}),
    embeds={"cnn": "network"},
)

TASKS = (NETWORKS,)
