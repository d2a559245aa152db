import pytest

from kerascnn.tasks import Request, get_task
from kerascnn.tasks.start import Start


def recipe_for(name, model, **changes):
    request = Request(recipe=name, changes=changes)
    return get_task("classification").recipe(request, Start(model))


@pytest.mark.parametrize("recipe", ["standard", "small"])
def test_deep_networks_without_normalization_learn_in_smaller_steps(recipe):
    def rate(model, **changes):
        return recipe_for(recipe, model, **changes).learning_rate

    assert rate("vgg11") == rate("alexnet") == rate("zfnet") < rate("lenet5") == rate("resnet20")
    assert rate("vgg11", learning_rate=0.1) == 0.1


@pytest.mark.parametrize(("epochs", "frozen"), [(12, 4), (6, 2), (1, 0), (None, 4)])
def test_the_head_alone_keeps_its_share_of_the_epochs(epochs, frozen):
    assert recipe_for("finetune", "resnet50", epochs=epochs).frozen_epochs == frozen
