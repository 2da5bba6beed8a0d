import pytest


@pytest.fixture(scope="session")
def saved_tiny(encoder_folder, tmp_path_factory):
    """The folder of a model nobody trained."""
    import torch

    from stance.model import StanceClassifier

    torch.manual_seed(1)
    folder = tmp_path_factory.mktemp("model")
    StanceClassifier.from_encoder(encoder_folder, name="tiny").save_pretrained(folder)
    return folder
