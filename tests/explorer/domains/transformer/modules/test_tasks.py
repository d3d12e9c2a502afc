import pytest
import torch

from explorer.domains.transformer.modules.encoder import HeterogeneousEncoder
from explorer.domains.transformer.modules.tasks import MaskedLanguageModel, SequenceClassifier
from graphdb.errors import InputError

HETEROGENEOUS = {
    "l": 2,
    "o": [["sa_sdp_64", "l_dft_64"], ["c_5_64", "sa_wma_64", "l_dct_64", "sa_sdp_64"]],
    "h": [128, 256],
    "f": [[512], [512, 512]],
}
VOCABULARY = 40


def encoder(seed: int = 0, dropout: float = 0.0) -> HeterogeneousEncoder:
    generator = torch.Generator().manual_seed(seed)
    return HeterogeneousEncoder(
        HETEROGENEOUS, vocabulary=VOCABULARY, maximum_positions=12, generator=generator, dropout=dropout
    )


def tokens(seed: int = 1) -> torch.Tensor:
    return torch.randint(VOCABULARY, (3, 7), generator=torch.Generator().manual_seed(seed))


def test_the_decoder_is_tied_where_the_last_layer_is_wider_than_the_first():
    model = MaskedLanguageModel(encoder())
    added = sum(p.numel() for p in model.parameters()) - sum(p.numel() for p in model.encoder.parameters())
    assert added == 256 * 128 + 128 + 2 * 128 + VOCABULARY  # no second table of words
    before = model(tokens()).logits
    assert before.shape == (3, 7, VOCABULARY)
    with torch.no_grad():
        model.encoder.words.weight[5, 0] += 1
    unused = ~(tokens() == 5).any(dim=1)
    difference = (model(tokens()).logits - before)[unused].abs()
    assert unused.any()
    assert difference[..., 5].max() > 1e-3
    assert difference[..., [i for i in range(VOCABULARY) if i != 5]].max() < 1e-5


def test_only_what_is_asked_counts_in_the_loss_of_masked_words():
    model = MaskedLanguageModel(encoder())
    labels = torch.full((3, 7), -100)
    labels[0, 2], labels[2, 5] = 11, 3
    logits, loss = model(tokens(), labels=labels)
    expected = -(logits[0, 2].log_softmax(0)[11] + logits[2, 5].log_softmax(0)[3]) / 2
    assert loss.item() == pytest.approx(expected.item(), rel=1e-5)
    nothing = model(tokens(), labels=torch.full((3, 7), -100)).loss
    assert nothing.item() == 0


def test_a_classifier_takes_cross_entropy_and_a_regressor_squared_errors():
    classifier, regressor = SequenceClassifier(encoder(), 3), SequenceClassifier(encoder(), 1)
    logits, loss = classifier(tokens(), labels=torch.tensor([0, 2, 1]))
    assert logits.shape == (3, 3)
    expected = -logits.log_softmax(1)[torch.arange(3), torch.tensor([0, 2, 1])].mean()
    assert loss.item() == pytest.approx(expected.item(), rel=1e-5)
    scores, error = regressor(tokens(), labels=torch.tensor([1.0, 2.5, 0.0]))
    assert scores.shape == (3, 1)
    assert error.item() == pytest.approx(((scores[:, 0] - torch.tensor([1.0, 2.5, 0.0])) ** 2).mean().item(), rel=1e-5)


def test_every_weight_that_is_read_learns():
    model = MaskedLanguageModel(encoder())
    labels = tokens(2)
    model(tokens(), labels=labels).loss.backward()
    silent = {name for name, parameter in model.named_parameters() if parameter.grad is None}
    assert silent == {"encoder.positions.weight", "encoder.pooler.weight", "encoder.pooler.bias"}


def test_a_seed_repeats_and_the_global_generator_is_not_touched():
    state = torch.get_rng_state()
    first, second = MaskedLanguageModel(encoder(3)), MaskedLanguageModel(encoder(3))
    other = MaskedLanguageModel(encoder(4))
    assert torch.equal(torch.get_rng_state(), state)
    assert torch.equal(first.head.dense.weight, second.head.dense.weight)
    assert not torch.equal(first.head.dense.weight, other.head.dense.weight)
    assert SequenceClassifier(encoder(3), 2).classifier.weight.std().item() == pytest.approx(0.02, rel=0.2)


def test_dropout_acts_before_the_classifier_in_training_only():
    model = SequenceClassifier(encoder(dropout=0.5), 2)
    model.train()
    assert not torch.equal(model(tokens()).logits, model(tokens()).logits)
    model.eval()
    assert torch.equal(model(tokens()).logits, model(tokens()).logits)


def test_no_labels_are_refused():
    with pytest.raises(InputError, match=r"labels is 0; allowed: 1 \(regression\) or more"):
        SequenceClassifier(encoder(), 0)
