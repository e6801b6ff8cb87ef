"""Our own engines as the registry opens them; nothing heavy is imported before one is opened."""

from __future__ import annotations

from typing import TYPE_CHECKING

from workspan.engines.settings import Settings
from workspan.registry.card import Card, carded

if TYPE_CHECKING:
    from workspan.core.engine import Engine, Price
    from workspan.engines.scoring import RewardForm


@carded(
    Card(example="embedded", form="embedded[:MODEL]", source="OpenVINO GenAI and llama.cpp"),
)
def embedded(model: str = "") -> Engine:
    """Open a language model on this machine, in a worker process: no server, no compiler."""
    from workspan.engines.embedded import Embedded
    from workspan.engines.models import DEFAULT

    return Embedded(model or DEFAULT)


@carded(
    Card(
        example="http://localhost:8000/v1",
        form="http://HOST/v1",
        source="OpenAI chat completions and completions",
    )
)
async def http(
    url: str,
    model: str | None = None,
    price: Price | None = None,
    settings: Settings | None = None,
) -> Engine:
    """Open any OpenAI-compatible endpoint: vLLM, SGLang, llama.cpp, Ollama, hosted APIs.

    It is asked what it offers; one that lists no models is taken at the user's word.
    """
    from workspan.engines.endpoint import Endpoint

    stated = (settings or Settings()).for_completions()
    return await Endpoint.discover(url, model, price=price, **stated)


@carded(
    Card(
        example="reward:http://localhost:8000",
        form="NAME=reward:http://HOST",
        source="vLLM /pooling",
    )
)
def reward(
    url: str,
    model: str | None = None,
    price: Price | None = None,
    settings: Settings | None = None,
) -> Engine:
    """Open a process reward model, for process_reward: a score for each step."""
    return _reward("pooling", url, model, price, settings)


@carded(
    Card(
        example="classify:http://localhost:8000",
        form="NAME=classify:http://HOST",
        source="vLLM /classify",
    )
)
def classify(
    url: str,
    model: str | None = None,
    price: Price | None = None,
    settings: Settings | None = None,
) -> Engine:
    """Open a reward model that scores a solution as a whole, by its last class's probability."""
    return _reward("classify", url, model, price, settings)


@carded(
    Card(
        example="rerank:http://localhost:8000",
        form="NAME=rerank:http://HOST",
        source="llama.cpp --reranking",
    )
)
def rerank(
    url: str,
    model: str | None = None,
    price: Price | None = None,
    settings: Settings | None = None,
) -> Engine:
    """Open a reranker that scores a solution as a whole, by the sigmoid of its logit."""
    return _reward("rerank", url, model, price, settings)


def _reward(
    form: RewardForm,
    url: str,
    model: str | None,
    price: Price | None,
    settings: Settings | None,
) -> Engine:
    """Open a reward model; nothing is asked yet."""
    from workspan.engines.scoring import Reward

    stated = (settings or Settings()).for_scores()
    return Reward(url, model or "", form=form, is_logit=form == "rerank", price=price, **stated)
