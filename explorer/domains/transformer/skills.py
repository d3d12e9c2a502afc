"""The skills of predictions about Transformers, as far as they were evaluated.

A fit on more measurements has to be evaluated again.
"""

from __future__ import annotations

from explorer.contracts.skill import Skill

_FOLDS = "scripts/bench surrogates --seeds 5 --only default: 10 folds, mean of seeds 0 to 4"
_LEAVE_ONE_OUT = "leave one out over the published models, 50 trees of depth 3 and learning rate 0.01"

SKILLS = (
    Skill("flexibert_early", "qnli_accuracy", "networks and trees", 660, 0.89, _FOLDS),
    Skill("flexibert_early", "sst2_accuracy", "networks and trees", 620, 0.63, _FOLDS),
    Skill("flexibert2", "glue", "published gradient boosting", 13, -0.22, _LEAVE_ONE_OUT),
    Skill("flexibert2", "mlm_loss", "published gradient boosting", 16, -0.31, _LEAVE_ONE_OUT),
)
