"""The OpenAPI document against the server: whatever it allows to be asked, the answer is one that it describes.

Schemathesis makes the questions, from the document alone; a fault of ours (5xx but 503), an undocumented status or
media type, or a body unlike its schema fails. How many questions are asked is bounded, so the time is too.
"""

from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from api.app import create_app
from api.people.guard import SESSION_COOKIE, TOKEN_HEADER
from api.people.hashing import form_token
from gateway.journal.folder import DataFolder
from tests.campaign import share
from tests.people import session_of
from tests.plant_folder import FixedClock, build_folder

pytestmark = pytest.mark.campaign
EXAMPLES = share(100, 2)
CHECKS = [not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> DataFolder:
    return build_folder(tmp_path_factory.mktemp("openapi") / "data")


@pytest.fixture
def app(folder: DataFolder) -> Any:
    return create_app(folder, clock=FixedClock())


@pytest.fixture(scope="module")
def headers(folder: DataFolder) -> dict[str, str]:
    _, secret = session_of(folder, clock=FixedClock(), role="everything")
    return {"cookie": f"{SESSION_COOKIE}={secret}", TOKEN_HEADER: form_token(secret), "host": "127.0.0.1"}


def _can_be_asked_wrongly(operation: Any) -> bool:
    """Whether the document leaves anything to get wrong there."""
    return any(True for _ in operation.iter_parameters()) or bool(operation.body)


@pytest.mark.parametrize("mode", [GenerationMode.POSITIVE, GenerationMode.NEGATIVE], ids=["allowed", "not-allowed"])
def test_every_question_gets_a_documented_answer(app: Any, headers: dict[str, str], mode: GenerationMode) -> None:
    schema = schemathesis.openapi.from_asgi("/api/v1/openapi.json", app, headers=headers)
    asked, wrong = 0, []
    for result in schema.get_all_operations():
        operation = result.ok()
        if mode is GenerationMode.NEGATIVE and not _can_be_asked_wrongly(operation):
            continue

        @settings(
            max_examples=EXAMPLES,
            deadline=None,
            derandomize=True,
            phases=[Phase.explicit, Phase.generate],
            suppress_health_check=list(HealthCheck),
            database=None,
        )
        @given(case=operation.as_strategy(generation_mode=mode))
        def ask(case: Any) -> None:
            nonlocal asked
            asked += 1
            case.call_and_validate(headers=headers, checks=CHECKS)

        try:
            ask()
        except (Exception, BaseExceptionGroup) as error:  # noqa: BLE001  # every route is asked before the test ends
            said = error.exceptions[0] if isinstance(error, BaseExceptionGroup) else error
            wrong.append(f"{operation.label}: {type(said).__name__}: {str(said)[:600]}")
    assert not wrong, "\n".join(wrong)
    assert asked >= 30
